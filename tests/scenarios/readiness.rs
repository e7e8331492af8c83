//! An update waits until the function is ready: before that, AppFlow would get an error, or the old
//! configuration.

use std::time::Duration;

use aws_local::faults::Fault;
use aws_local::lambda::{LastUpdate, Settling, State};
use serde_json::json;

use crate::meanwhile::put_into;
use crate::world::{CRM, World, arn, connector, error};

#[test]
fn an_update_is_held_back_until_the_version_is_active() {
    let world = World::new();
    world.five_forms();
    world.aws.state().lambda.settle(Settling::AfterLooks(3));
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    assert_eq!(event["detail"]["responseElements"]["state"], "Pending");

    world.answer(event);
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    let looks: Vec<_> = world
        .inputs("GetFunctionConfiguration")
        .into_iter()
        .filter(|input| input["Qualifier"] == "7")
        .collect();
    // Three reads find it `Pending`, one finds it ready, and one checks it after the update.
    assert_eq!(looks.len(), 5);
}

#[test]
fn an_update_is_held_back_until_latest_has_finished() {
    let world = World::one_registration();
    world.aws.state().lambda.settle(Settling::AfterLooks(3));
    let event = world.change_latest(CRM, "2.0");
    let response = &event["detail"]["responseElements"];
    assert_eq!(response["lastUpdateStatus"], "InProgress");

    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.calls()["GetFunctionConfiguration"], 5);
}

#[test]
fn the_version_that_an_invocation_of_the_alias_runs_is_read() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    world.answer(world.move_alias(CRM, "live", 7));
    let looks = world.inputs("GetFunctionConfiguration");
    assert_eq!(looks.len(), 2, "{looks:?}");
    for look in looks {
        assert_eq!(look["FunctionName"], arn(CRM, None));
        assert_eq!(look["Qualifier"], "7");
    }
}

#[test]
fn a_function_that_will_not_become_ready_is_an_error_at_once_with_lambda_s_own_reason() {
    let reason = || "The subnet has no free address.".to_owned();
    for (state, name) in [
        (State::Failed(reason()), "Failed"),
        (State::Deactivating(reason()), "Deactivating"),
        (State::Deactivated(reason()), "Deactivated"),
        (State::Deleting(reason()), "Deleting"),
    ] {
        let world = World::one_registration();
        let event = world.change_latest(CRM, "2.0");
        put_into(&mut world.aws.state(), CRM, state, LastUpdate::Successful);
        let (error, message) = world.error(event);
        assert_eq!(error, "FunctionFailed");
        let told = format!("its State is {name}: {}", reason());
        assert!(message.contains(&told), "{message}");
        assert!(message.contains(&arn(CRM, None)), "{message}");
        let calls = world.calls();
        assert_eq!(calls["GetFunctionConfiguration"], 1, "{name}");
        assert_eq!(calls.get("UpdateConnectorRegistration"), None);
    }
}

#[test]
fn after_a_failed_update_of_the_function_the_code_that_still_runs_is_read_with_a_warning() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    let reason = "The subnet has no free address.";
    let failed = LastUpdate::Failed(reason.to_owned());
    put_into(&mut world.aws.state(), CRM, State::Active, failed);
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    let lines = world.log_with("the function's last update failed");
    let warned = lines.iter().find(|line| line["level"] == "WARN");
    let warned = warned.expect("a warning");
    assert_eq!(warned["functionArn"], arn(CRM, None));
    assert!(warned["message"].as_str().unwrap().contains(reason));
}

#[test]
fn a_function_that_is_not_ready_in_time_is_an_error_and_the_next_try_updates() {
    let world = World::one_registration();
    world.aws.state().lambda.settle(Settling::Never);
    let event = world.change_latest(CRM, "2.0");
    let (name, message) = error(world.outcome_within(Duration::from_secs(3), &event));
    assert_eq!(name, "FunctionNotReady");
    assert!(
        message.contains("its LastUpdateStatus is InProgress"),
        "{message}"
    );
    assert!(message.contains(&arn(CRM, None)), "{message}");
    assert_eq!(world.calls().get("UpdateConnectorRegistration"), None);
    assert_eq!(world.held("plain").1, "1.1");

    put_into(
        &mut world.aws.state(),
        CRM,
        State::Active,
        LastUpdate::Successful,
    );
    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn an_unknown_state_is_waited_for_and_named() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    put_into(
        &mut world.aws.state(),
        CRM,
        State::Other("Hibernating".to_owned()),
        LastUpdate::Successful,
    );
    let (name, message) = error(world.outcome_within(Duration::from_secs(3), event));
    assert_eq!(name, "FunctionNotReady");
    assert!(message.contains("its State is Hibernating"), "{message}");
}

#[test]
fn an_inactive_function_is_woken_by_appflow_and_updated_after_that() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    put_into(
        &mut world.aws.state(),
        CRM,
        State::Inactive,
        LastUpdate::Successful,
    );
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn an_inactive_function_that_does_not_let_appflow_invoke_it_is_tried_twice() {
    let world = World::new();
    world.function(CRM, 1);
    world.create_alias(CRM, "live", 1);
    world.register("live", &arn(CRM, Some("live")));
    let event = world.move_alias(CRM, "live", 1);
    world.call(
        "RemovePermission",
        json!({ "FunctionName": CRM, "Qualifier": "live", "StatementId": "appflow" }),
    );
    let name = format!("{CRM}:1");
    put_into(
        &mut world.aws.state(),
        &name,
        State::Inactive,
        LastUpdate::Successful,
    );
    let (name, message) = world.error(event);
    assert_eq!(name, "UpdateFailed");
    assert!(message.contains("AccessDeniedException"), "{message}");
    assert_eq!(world.calls()["UpdateConnectorRegistration"], 2);
}

#[test]
fn each_registration_of_an_inactive_function_is_updated_once_that_is_awake() {
    let world = World::one_registration();
    world.register("second", &arn(CRM, None));
    let event = world.change_latest(CRM, "2.0");
    let inactive = (State::Inactive, LastUpdate::Successful);
    put_into(&mut world.aws.state(), CRM, inactive.0, inactive.1);
    // The first update of each fails with an error that would not pass by itself.
    for label in ["plain", "second"] {
        let refused = Fault::error("UpdateConnectorRegistration", "ValidationException");
        world.aws.fault(refused.concerning(label).times(1));
    }
    let answer = world.answer(event);
    for label in ["plain", "second"] {
        assert_eq!(connector(&answer, label)["outcome"], "updated");
        assert_eq!(world.held(label).1, "2.0");
    }
}

#[test]
fn a_function_that_the_updater_is_not_authorized_to_read_is_updated_with_a_warning() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let denied = Fault::error("GetFunctionConfiguration", "AccessDeniedException");
    world.aws.fault(denied);
    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
    let lines = world.log_with("not authorized to check whether the function is ready");
    assert!(lines.iter().any(|line| {
        line["level"] == "WARN"
            && line["message"]
                .as_str()
                .is_some_and(|text| text.contains("AccessDeniedException"))
    }));
}

#[test]
fn a_function_that_is_gone_is_an_error() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionNotFound");
    assert!(
        message.contains("GetFunctionConfiguration failed with"),
        "{message}"
    );
    assert_eq!(world.calls().get("UpdateConnectorRegistration"), None);
}

#[test]
fn an_internal_error_of_lambda_is_an_error() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let broken = Fault::error("GetFunctionConfiguration", "ServiceException");
    world.aws.fault(broken);
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionUnknown");
    assert!(message.contains("ServiceException"), "{message}");
}
