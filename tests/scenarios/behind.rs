//! A sweep leaves a version-pinned registration that is behind the newest version where it is, and reports
//! it.

use serde_json::{Value, json};

use crate::meanwhile::repoint;
use crate::world::{CRM, World, arn, connector, sample_events};

const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// `pinned` is at version 6 of a function that has a seventh.
fn behind(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.five_forms();
    world.publish(CRM, "1.7");
    world
}

#[test]
fn a_sweep_does_not_undo_a_rollback_and_tells_that_a_newer_version_exists() {
    let world = behind(GRANTING);
    let payloads = [
        json!({ "sweep": {} }),
        sample_events()["schedule"].clone(),
        json!({ "sweep": { "dryRun": true } }),
    ];
    for (number, payload) in payloads.iter().enumerate() {
        let answer = world.answer(payload);
        let pinned = connector(&answer, "pinned");
        assert_eq!(pinned["outcome"], "skipped");
        assert_eq!(pinned["registeredArn"], arn(CRM, Some("6")));
        let reason = pinned["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("version 7 is newer"), "{reason}");
        assert!(reason.contains(r#"{"sweep": {"move": true}}"#), "{reason}");
        let lines = world.log_of(number + 1);
        let line = lines
            .iter()
            .rfind(|line| line["connectorLabel"] == "pinned")
            .expect("a line");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["reason"], reason);
        assert_eq!(world.metrics(number + 1)[number]["RegistrationsBehind"], 1);
    }
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
    let updates = world.inputs("UpdateConnectorRegistration");
    let written = |input: &Value| input["connectorLabel"] == "pinned";
    assert!(!updates.iter().any(written), "{updates:?}");
}

#[test]
fn a_registration_that_an_event_moves_while_a_sweep_looks_is_not_reported_as_behind() {
    let world = behind(GRANTING);
    world.allow(CRM, Some("7"));
    // After the sweep has described it at version 6, and has learned of version 7.
    let moved = repoint("pinned", "7");
    world.aws.once_after("ListVersionsByFunction", moved);
    let answer = world.answer(json!({ "sweep": {} }));
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(pinned["targetArn"], arn(CRM, Some("7")));
    assert!(pinned.get("reason").is_none(), "{pinned}");
    assert_eq!(world.metrics(1)[0]["RegistrationsBehind"], 0);
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}

#[test]
fn a_sweep_that_is_asked_to_moves_it() {
    let world = behind(GRANTING);
    let answer = world.answer(json!({ "sweep": { "move": true } }));
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["targetArn"], arn(CRM, Some("7")));
    assert!(pinned.get("reason").is_none(), "{pinned}");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    assert_eq!(world.metrics(1)[0]["RegistrationsBehind"], 0);
}

#[test]
fn the_newest_version_is_not_behind() {
    let world = World::new();
    world.five_forms();
    let answer = world.answer(json!({ "sweep": {} }));
    assert!(connector(&answer, "pinned").get("reason").is_none());
    assert_eq!(world.metrics(1)[0]["RegistrationsBehind"], 0);
}

#[test]
fn with_register_as_version_a_sweep_keeps_it_at_the_newest() {
    let world = behind(&[("REGISTER_AS", "version"), ("GRANT_INVOKE", "true")]);
    world.answer(json!({ "sweep": {} }));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}
