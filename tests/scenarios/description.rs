//! The description that an update sends.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn};

fn description_sent(world: &World, event: Value) -> Option<String> {
    world.answer(event);
    let inputs = world.inputs("UpdateConnectorRegistration");
    let [input] = inputs.as_slice() else {
        panic!("one update, not {inputs:?}");
    };
    input["description"].as_str().map(str::to_owned)
}

#[test]
fn the_connectors_own_description_is_sent_back() {
    let world = World::new();
    world.function(CRM, 1);
    world.register_described("plain", &arn(CRM, None), "Acme CRM v2/beta #1 = good+new!");
    let sent = description_sent(&world, world.publish(CRM, "2.0"));
    assert_eq!(sent.as_deref(), Some("Acme CRM v2/beta #1 = good+new!"));
}

#[test]
fn a_description_that_appflow_rejects_is_left_out_and_the_log_says_so() {
    for (description, why) in [
        ("Acme CRM, really?".to_owned(), "the character `,`"),
        ("x".repeat(1025), "1025 characters"),
    ] {
        let world = World::new();
        world.function(CRM, 1);
        world.register("plain", &arn(CRM, None));
        world.aws.state().appflow.describe_as("plain", &description);
        let sent = description_sent(&world, world.publish(CRM, "2.0"));
        assert_eq!(sent, None);
        let lines = world.log_with("description is left out");
        let line = lines
            .iter()
            .find(|line| line["level"] == "WARN")
            .expect("a warning");
        assert_eq!(line["connectorLabel"], "plain");
        assert!(line["message"].as_str().unwrap().contains(why), "{line}");
        let registration = world.aws.state().appflow.registration("plain").cloned();
        assert_eq!(registration.unwrap().description, Some(description));
    }
}

#[test]
fn a_connector_without_a_description_stays_without() {
    let world = World::new();
    world.function(CRM, 1);
    world.register_described("plain", &arn(CRM, None), "");
    assert_eq!(description_sent(&world, world.publish(CRM, "2.0")), None);
}

#[test]
fn update_description_is_rendered_for_every_form() {
    let world = World::with(&[(
        "UPDATE_DESCRIPTION",
        "{function}: version {version} (since {date})",
    )]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let mut event = world.publish(CRM, "2.0");
    event["detail"]["eventTime"] = json!("2026-03-02T23:59:59Z");
    assert_eq!(
        description_sent(&world, event).as_deref(),
        Some("crm- version LATEST -since 2026-03-02-")
    );

    let mut changed = world.change_latest(CRM, "3.0");
    changed["detail"]["eventTime"] = json!("2026-03-03T00:00:00Z");
    assert_eq!(
        description_sent(&world, changed).as_deref(),
        Some("crm- version LATEST -since 2026-03-03-")
    );
}

#[test]
fn a_long_update_description_is_cut_to_what_the_api_accepts() {
    let endless = "ü".repeat(2000);
    let world = World::with(&[("UPDATE_DESCRIPTION", endless.as_str())]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let sent = description_sent(&world, world.publish(CRM, "2.0"));
    assert_eq!(sent, Some("-".repeat(1024)));
}

/// The descriptions that AppFlow holds, by label, after an event or a sweep.
fn descriptions<const N: usize>(world: &World, event: &Value, labels: [&str; N]) -> [String; N] {
    world.answer(event);
    let aws = world.aws.state();
    labels.map(|label| {
        let registration = aws.appflow.registration(label).expect("registered");
        registration.description.clone().unwrap_or_default()
    })
}

const VERSION: &[(&str, &str)] = &[
    ("UPDATE_DESCRIPTION", "at {version}"),
    ("GRANT_INVOKE", "true"),
];

#[test]
fn the_version_of_a_description_is_what_lambda_names_it_and_not_the_event_s() {
    let world = World::with(VERSION);
    world.five_forms();
    let seventh = world.publish(CRM, "1.7");
    let eighth = world.publish(CRM, "1.8");
    for event in [&eighth, &seventh] {
        let [plain, latest, pinned] = descriptions(&world, event, ["plain", "latest", "pinned"]);
        assert_eq!([plain, latest, pinned], ["at LATEST", "at LATEST", "at 8"]);
    }
    assert_eq!(world.held("plain").1, "1.8");
}

#[test]
fn the_version_of_an_alias_is_the_one_behind_it() {
    let world = World::with(VERSION);
    world.five_forms();
    world.publish(CRM, "1.7");
    world.publish(CRM, "1.8");
    let seventh = world.move_alias(CRM, "live", 7);
    assert_eq!(descriptions(&world, &seventh, ["live"]), ["at 7"]);
    let eighth = world.move_alias(CRM, "live", 8);
    assert_eq!(descriptions(&world, &eighth, ["live"]), ["at 8"]);
    // The event of the seventh is delivered again.
    assert_eq!(descriptions(&world, &seventh, ["live"]), ["at 8"]);
    let sweep = json!({ "sweep": {} });
    assert_eq!(descriptions(&world, &sweep, ["beta"]), ["at 6"]);
}
