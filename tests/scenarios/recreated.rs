//! A function that was deleted and created anew starts again at version 1.

use aws_local::faults::Fault;
use serde_json::json;

use crate::world::{CRM, World, arn, connector, package};

/// `crm` registered at version 6, then deleted and created anew.
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
fn without_leave_to_look_it_stays_where_it_is_and_says_why() {
    let world = recreated();
    let event = world.event();
    world.aws.fault(Fault::error(
        "GetFunctionConfiguration",
        "AccessDeniedException",
    ));
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    let reason = pinned["reason"].as_str().unwrap();
    assert!(
        reason.contains("older than the registered version 6"),
        "{reason}"
    );
    assert!(reason.contains("AccessDeniedException"), "{reason}");
    world.log_with("may not ask whether the registered version still exists");
}

#[test]
fn a_late_event_of_the_old_function_s_does_no_harm() {
    let world = World::new();
    world.function(CRM, 5);
    let sixth = world.publish(CRM, "1.6");
    world.allow(CRM, Some("5"));
    world.register("pinned", &arn(CRM, Some("5")));
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.call(
        "CreateFunction",
        json!({ "FunctionName": CRM, "Code": { "ZipFile": package("9.0") }, "Publish": true }),
    );
    let (name, message) = world.error(sixth);
    assert_eq!(name, "FunctionNotFound");
    assert!(message.contains(&arn(CRM, Some("6"))), "{message}");
    assert_eq!(world.held("pinned").0, "5");
}
