//! A function that was deleted and recreated starts again at version 1.

use aws_local::faults::Fault;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, package};

/// `crm` registered at version 6, then deleted and recreated.
fn recreated() -> World {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.call(
        "CreateFunction",
        json!({ "FunctionName": CRM, "Code": { "ZipFile": package("9.0") }, "Publish": true }),
    );
    world
}

#[test]
fn a_registration_moves_when_its_version_no_longer_exists() {
    let world = recreated();
    let event = world.event();
    assert_eq!(event["detail"]["responseElements"]["version"], "1");
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(pinned["targetArn"], arn(CRM, Some("1")));
    assert_eq!(world.held("pinned"), ("1".into(), "9.0".into()));
}

#[test]
fn a_registration_is_skipped_if_the_updater_is_not_authorized_to_see_whether_its_version_exists() {
    let world = recreated();
    let event = world.event();
    let denied = Fault::error("ListVersionsByFunction", "AccessDeniedException");
    world.aws.fault(denied);
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    let reason = pinned["reason"].as_str().unwrap();
    assert!(
        reason.contains("older than the registered version 6"),
        "{reason}"
    );
    assert!(reason.contains("lambda:ListVersionsByFunction"), "{reason}");
    let lines = world.log_with("not authorized to list the function's versions");
    let warned = |line: &Value| line["level"] == "WARN" && line["connectorLabel"] == "pinned";
    assert!(lines.iter().any(warned), "{lines:?}");
    assert_eq!(world.held("pinned").0, "6");
}

#[test]
fn an_event_fails_if_lambda_cannot_be_asked_whether_the_version_exists() {
    let world = recreated();
    let event = world.event();
    let odd = "InvalidRequestContentException";
    world.aws.fault(Fault::error("ListVersionsByFunction", odd));
    let (name, message) = world.error(&event);
    assert_eq!(name, "FunctionUnknown");
    assert!(message.contains(odd), "{message}");
    assert_eq!(world.held("pinned").0, "6");

    world.aws.state().faults.clear();
    world.answer(event);
    assert_eq!(world.held("pinned"), ("1".into(), "9.0".into()));
}

#[test]
fn the_same_version_number_of_the_recreated_function_is_refreshed() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.function(CRM, 1);
    world.allow(CRM, Some("1"));
    world.register("pinned", &arn(CRM, Some("1")));
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.call(
        "CreateFunction",
        json!({ "FunctionName": CRM, "Code": { "ZipFile": package("9.0") }, "Publish": true }),
    );
    let event = world.event();
    assert_eq!(event["detail"]["responseElements"]["version"], "1");
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
    assert_eq!(world.held("pinned"), ("1".into(), "9.0".into()));
}

#[test]
fn a_late_event_of_the_deleted_function_moves_the_registration_to_the_newest_version() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.function(CRM, 5);
    let sixth = world.publish(CRM, "1.6");
    world.allow(CRM, Some("5"));
    world.register("pinned", &arn(CRM, Some("5")));
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.call(
        "CreateFunction",
        json!({ "FunctionName": CRM, "Code": { "ZipFile": package("9.0") }, "Publish": true }),
    );
    // Neither the event's version exists, nor the registered one.
    let answer = world.answer(sixth);
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
    assert_eq!(world.held("pinned"), ("1".into(), "9.0".into()));
}
