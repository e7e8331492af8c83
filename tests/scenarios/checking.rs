//! After each update, the function is checked, so that no deployment during the update is missed.

use std::thread;
use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::Settling;
use serde_json::json;

use crate::meanwhile::{after_each, call, change_latest, move_alias, publish, repoint};
use crate::world::{CRM, World, arn, connector, error};

const LOOK: &str = "GetFunctionConfiguration";
const UPDATE: &str = "UpdateConnectorRegistration";
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

#[test]
fn a_deployment_during_the_update_is_updated_too() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, change_latest("3.0"));
    let answer = world.answer(&event);
    let plain = connector(&answer, "plain");
    assert_eq!(plain["outcome"], "updated");
    // From before the first update to after the last.
    assert_eq!(plain["previousConnectorVersion"], "1.1");
    assert_eq!(plain["connectorVersion"], "3.0");
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn a_change_of_configuration_during_the_update_is_updated_too() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, |world| {
        let input = json!({ "FunctionName": CRM, "Description": "new" });
        call(world, "UpdateFunctionConfiguration", &input);
    });
    world.answer(&event);
    assert_eq!(world.calls()[UPDATE], 2);
}

#[test]
fn code_that_is_rolled_back_during_the_updates_is_what_appflow_ends_up_with() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, |world| {
        change_latest("3.0")(world);
        world.once_after(UPDATE, change_latest("2.0"));
    });
    world.answer(&event);
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.calls()[UPDATE], 3);
}

#[test]
fn a_deployment_that_is_still_in_progress_after_the_update_is_waited_for() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, |world| {
        world.lambda.settle(Settling::AfterLooks(2));
        change_latest("3.0")(world);
    });
    world.answer(&event);
    assert_eq!(world.held("plain").1, "3.0");
    assert_eq!(world.calls()[UPDATE], 2, "none while it is in progress");
}

#[test]
fn what_appflow_stores_after_its_answer_was_lost_is_followed_by_a_check_too() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    let late = Kind::AnswerLostStoredLate(Duration::from_millis(500));
    world.aws.fault(Fault::of(UPDATE, late).times(1));
    world.aws.once_after(UPDATE, change_latest("3.0"));
    let answer = world.answer(&event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn a_version_that_is_published_during_the_update_is_moved_to() {
    let world = World::with(GRANTING);
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.aws.once_after(
        aws_local::Calls::of(UPDATE).concerning("pinned"),
        publish("1.8"),
    );
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(pinned["registeredArn"], arn(CRM, Some("6")));
    assert_eq!(pinned["targetArn"], arn(CRM, Some("8")));
    assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
}

#[test]
fn a_moving_sweep_moves_to_what_is_published_during_its_update() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.publish(CRM, "1.7");
    let pinned = aws_local::Calls::of(UPDATE).concerning("pinned");
    world.aws.once_after(pinned, publish("1.8"));
    world.answer(r#"{"sweep": {"labels": ["pinned"], "move": true}}"#);
    assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
}

#[test]
fn an_alias_that_moves_during_the_update_is_followed() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    world.publish(CRM, "1.8");
    let event = world.move_alias(CRM, "live", 7);
    world.aws.once_after(UPDATE, move_alias("live", 8));
    world.answer(event);
    assert_eq!(world.held("live"), ("live".into(), "1.8".into()));
}

#[test]
fn a_function_that_changes_during_every_update_is_an_error() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    let mut deployed = 2;
    after_each(&mut world.aws.state(), UPDATE, move |world| {
        deployed += 1;
        change_latest(&format!("{deployed}.0"))(world);
    });
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionKeepsChanging");
    assert!(
        message.contains(&format!("{} changed during every update", arn(CRM, None))),
        "{message}"
    );
    assert_eq!(world.calls()[UPDATE], 8);
}

#[test]
fn a_function_that_is_deleted_during_the_update_is_an_error_of_a_deployment() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, |world| {
        call(world, "DeleteFunction", &json!({ "FunctionName": CRM }));
    });
    let (name, _) = world.error(event);
    assert_eq!(name, "FunctionNotFound");
}

/// Adds a fault after the first call of an operation.
fn from_the_second_call(world: &World, operation: &'static str, fault: Fault) {
    world
        .aws
        .once_after(operation, move |world| world.faults.add(fault));
}

#[test]
fn a_check_that_fails_is_an_error_which_says_that_the_update_was_done() {
    thread::scope(|scope| {
        for (fault, name, part) in [
            (
                Fault::error(LOOK, "InvalidParameterValueException"),
                "FunctionUnknown",
                "failed with InvalidParameterValueException",
            ),
            (
                Fault::of(LOOK, Kind::Slow(Duration::from_secs(30))),
                "OutOfTime",
                "timed out while waiting for GetFunctionConfiguration",
            ),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                let event = world.change_latest(CRM, "2.0");
                from_the_second_call(&world, LOOK, fault);
                let time = Duration::from_secs(5);
                let (error, message) = error(world.outcome_within(time, event));
                assert_eq!(error, name, "{message}");
                assert!(message.contains(part), "{message}");
                let updated = "updated, but could not check whether";
                assert!(message.contains(updated), "{message}");
                assert_eq!(world.held("plain").1, "2.0");
            });
        }
    });
}

#[test]
fn a_check_that_the_updater_is_not_authorized_to_make_is_left_out() {
    let world = World::with(GRANTING);
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    let denied = "AccessDeniedException";
    world.aws.fault(Fault::error(LOOK, denied));
    world
        .aws
        .fault(Fault::error("ListVersionsByFunction", denied));
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    let lines = world.log_with("not authorized to check whether the function changed");
    let warned = |text: &str| {
        lines.iter().any(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            line["level"] == "WARN" && message.starts_with(text) && message.contains(denied)
        })
    };
    for text in [
        "not authorized to check whether the function is ready; continuing",
        "not authorized to check whether the function changed during the update",
    ] {
        assert!(warned(text), "{text}: {lines:#?}");
    }
}

#[test]
fn what_an_operator_registers_right_after_an_update_is_left_and_told() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.function(CRM, 1);
    world.allow(CRM, Some("1"));
    world.register("pinned", &arn(CRM, Some("1")));
    let event = world.publish(CRM, "1.2");
    world
        .aws
        .once_after("UpdateConnectorRegistration", repoint("pinned", "1"));
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(pinned["targetArn"], arn(CRM, Some("2")));
    let reason = pinned["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("somebody else registered it"), "{reason}");
    assert!(reason.contains(&arn(CRM, Some("1"))), "{reason}");
    assert!(pinned.get("changed").is_none());
    assert_eq!(world.held("pinned"), ("1".into(), "1.1".into()));
    assert_eq!(world.calls()["UpdateConnectorRegistration"], 1);
}
