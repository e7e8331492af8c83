//! A sweep makes up for lost events: it brings every registration in scope up to date.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::Settling;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, error, outcomes, sample_events};

const SWEEP: &str = r#"{"sweep": {}}"#;
const MOVING: &str = r#"{"sweep": {"move": true}}"#;
const UPDATE: &str = "UpdateConnectorRegistration";
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// Makes deployments whose events are lost.
fn lose_events(world: &World) {
    world.publish(CRM, "1.7");
    world.publish(CRM, "1.8");
    world.move_alias(CRM, "live", 8);
}

#[test]
fn a_sweep_makes_up_for_lost_events() {
    let mut by_scheduler = sample_events()["schedule"].clone();
    by_scheduler["source"] = json!("aws.scheduler");
    for payload in [
        json!({ "sweep": {} }),
        sample_events()["schedule"].clone(),
        by_scheduler,
    ] {
        let world = World::with(GRANTING);
        world.five_forms();
        lose_events(&world);
        let answer = world.answer(&payload);
        assert_eq!(answer["eventName"], "sweep");
        assert_eq!(answer["eventId"], payload["id"]);
        for (label, outcome) in outcomes(&answer) {
            // Whoever has lost an event of a version is told of it; see `behind`.
            let expected = match label == "pinned" {
                true => "skipped",
                false => "updated",
            };
            assert_eq!(outcome, expected, "{label}");
        }
        assert_eq!(world.held("plain"), ("".into(), "1.8".into()));
        assert_eq!(world.held("latest"), ("$LATEST".into(), "1.8".into()));
        assert_eq!(world.held("live"), ("live".into(), "1.8".into()));
        assert_eq!(world.held("beta"), ("beta".into(), "1.6".into()));
    }
}

#[test]
fn a_sweep_of_labels_leaves_the_others_alone() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    let answer = world.answer(json!({ "sweep": { "labels": ["plain", "beta"] } }));
    assert_eq!(outcomes(&answer).len(), 2);
    assert_eq!(world.held("plain").1, "1.8");
    assert_eq!(world.held("live").1, "1.6");
    assert_eq!(world.calls().get("ListConnectors"), None);
}

#[test]
fn a_misspelled_sweep_changes_nothing() {
    let world = World::new();
    world.five_forms();
    for payload in [
        r#"{"sweep": {"dryrun": true}}"#,
        r#"{"sweep": {"label": ["plain"]}}"#,
        r#"{"sweep": {"labels": []}}"#,
        r#"{"sweep": {"labels": ["a b"]}}"#,
        r#"{"sweep": {"functions": []}}"#,
        r#"{"sweep": {"functions": ["crm:7"]}}"#,
        r#"{"sweep": {"function": ["crm"]}}"#,
        r#"{"sweep": {"move": "true"}}"#,
        r#"{"sweep": {}, "dryRun": true}"#,
        r#"{"sweep": true}"#,
    ] {
        let (name, _) = world.error(payload);
        assert_eq!(name, "InvalidEvent", "{payload}");
    }
    assert_eq!(world.calls(), [].into());
}

#[test]
fn a_sweep_with_dry_run_makes_no_write() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    let answer = world.answer(json!({ "sweep": { "move": true, "dryRun": true } }));
    assert_eq!(answer["dryRun"], true);
    assert!(
        outcomes(&answer)
            .iter()
            .all(|(_, outcome)| outcome == "planned")
    );
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["registeredArn"], arn(CRM, Some("6")));
    assert_eq!(pinned["targetArn"], arn(CRM, Some("8")));
    no_write(&world);
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
}

#[test]
fn dry_run_as_a_setting_makes_no_write_for_events_and_sweeps() {
    let world = World::with(&[("DRY_RUN", "true"), ("GRANT_INVOKE", "true")]);
    world.five_forms();
    let answer = world.answer(world.publish(CRM, "1.7"));
    assert_eq!(answer["dryRun"], true);
    assert_eq!(connector(&answer, "plain")["outcome"], "planned");
    assert_eq!(connector(&answer, "pinned")["outcome"], "planned");
    assert_eq!(connector(&answer, "live")["outcome"], "skipped");
    // A sweep cannot ask for more than the settings allow.
    world.answer(json!({ "sweep": { "dryRun": false } }));
    no_write(&world);
}

fn no_write(world: &World) {
    let calls = world.calls();
    assert!(calls["DescribeConnector"] > 0);
    assert_eq!(calls.get("UpdateConnectorRegistration"), None);
    assert_eq!(calls.get("AddPermission"), None);
}

#[test]
fn a_sweep_that_runs_out_of_time_says_what_is_not_done() {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..6 {
        world.register(&format!("connector-{number}"), &arn(CRM, None));
    }
    world.change_latest(CRM, "2.0");
    let slow = Fault::of(UPDATE, Kind::Slow(Duration::from_secs(30)));
    for label in ["connector-1", "connector-4"] {
        world.aws.fault(slow.clone().concerning(label));
    }
    let (name, message) = error(world.outcome_within(Duration::from_secs(8), SWEEP));
    assert_eq!(name, "OutOfTime");
    for part in [
        "2 of 6 registrations failed",
        "connector-1: OutOfTime: timed out while waiting for UpdateConnectorRegistration",
        "connector-4: OutOfTime",
        "4 updated",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }

    world.aws.state().faults.clear();
    world.answer(SWEEP);
    assert!(world.aws.versions().iter().all(|(_, has, _)| has == "2.0"));
}

#[test]
fn a_sweep_continues_after_a_failure_and_is_an_error_in_the_end() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    let odd = "InvalidParameterValueException";
    world.aws.fault(Fault::error("ListVersionsByFunction", odd));
    let (name, message) = world.error(SWEEP);
    assert_eq!(name, "FunctionUnknown");
    for part in [
        "1 of 5 registrations failed",
        "pinned: FunctionUnknown: ListVersionsByFunction failed with InvalidParameterValueException",
        "4 updated",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(world.held("plain").1, "1.8");
    assert_eq!(world.held("live").1, "1.8");
    assert_eq!(world.held("pinned").0, "6");
}

#[test]
fn where_versions_may_not_be_listed_a_sweep_skips_a_pinned_registration_with_a_warning() {
    let world = World::new();
    world.five_forms();
    let denied = Fault::error("ListVersionsByFunction", "AccessDeniedException");
    world.aws.fault(denied);
    let answer = world.answer(json!({ "sweep": { "move": true } }));
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    let reason = pinned["reason"].as_str().unwrap_or_default();
    for part in [
        "whether a newer one exists is unknown",
        "lambda:ListVersionsByFunction",
    ] {
        assert!(reason.contains(part), "`{part}` is not in {reason}");
    }
    let lines = world.log_with("registration skipped");
    let warned = |line: &Value| line["level"] == "WARN" && line["reason"] == reason;
    assert!(lines.iter().any(warned), "{lines:?}");
}

#[test]
fn a_sweep_waits_for_what_is_being_deployed() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    world.publish(CRM, "1.7");
    world.answer(MOVING);
    assert_eq!(world.held("plain").1, "1.7");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}

#[test]
fn a_registration_whose_version_no_longer_exists_moves_to_the_newest() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.publish(CRM, "1.7");
    world.answer(MOVING);
    let delete = json!({ "FunctionName": CRM, "Qualifier": "7" });
    world.call("DeleteFunction", delete);
    world.answer(SWEEP);
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
}

#[test]
fn a_sweep_brings_every_registration_to_the_form_of_register_as() {
    let world = World::with(&[("REGISTER_AS", "version"), ("GRANT_INVOKE", "true")]);
    world.five_forms();
    lose_events(&world);
    world.answer(SWEEP);
    assert_eq!(world.held("plain").0, "8");
    assert_eq!(world.held("latest").0, "8");
    assert_eq!(world.held("pinned").0, "8");
    assert_eq!(world.held("live").0, "live");
}
