//! Ready first: AppFlow is not sent to a function that would refuse it or answer with its old code.

use std::time::Duration;

use aws_local::faults::Fault;
use aws_local::lambda::{LastUpdate, Reference, Settling, State};
use serde_json::json;

use crate::world::{CRM, World, arn, connector, error};

fn put_into(world: &World, name: &str, state: State, last_update: LastUpdate) {
    let reference = Reference::parse(name).expect("a name");
    world
        .aws
        .state()
        .lambda
        .put_into(&reference, state, last_update)
        .expect("a function");
}

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
    assert_eq!(looks.len(), 4);
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
    assert_eq!(world.calls()["GetFunctionConfiguration"], 4);
}

#[test]
fn exactly_the_arn_that_goes_to_appflow_is_asked_about() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    world.answer(world.move_alias(CRM, "live", 7));
    let looks = world.inputs("GetFunctionConfiguration");
    let [look] = looks.as_slice() else {
        panic!("one look, not {looks:?}");
    };
    assert_eq!(look["FunctionName"], arn(CRM, None));
    assert_eq!(look["Qualifier"], "live");
}

#[test]
fn ready_at_the_first_look_costs_one_call_for_all_registrations_of_an_arn() {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..40 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    world.answer(world.publish(CRM, "2.0"));
    assert_eq!(world.calls()["GetFunctionConfiguration"], 1);
}

#[test]
fn registrations_that_share_an_arn_wait_once() {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..40 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    world.answer(world.change_latest(CRM, "2.0"));
    assert_eq!(world.calls()["GetFunctionConfiguration"], 3);
    assert_eq!(world.held("connector-39").1, "2.0");
}

#[test]
fn a_failed_function_is_an_error_with_lambda_s_own_reason() {
    let reason = "The subnet has no free address.";
    for (state, last_update, told) in [
        (
            State::Failed(reason.to_owned()),
            LastUpdate::Successful,
            "its State is Failed",
        ),
        (
            State::Active,
            LastUpdate::Failed(reason.to_owned()),
            "its LastUpdateStatus is Failed",
        ),
    ] {
        let world = World::one_registration();
        let event = world.change_latest(CRM, "2.0");
        put_into(&world, CRM, state, last_update);
        let (name, message) = world.error(event);
        assert_eq!(name, "FunctionFailed");
        assert!(message.contains(&format!("{told}: {reason}")), "{message}");
        assert!(message.contains(&arn(CRM, None)), "{message}");
        assert_eq!(world.calls().get("UpdateConnectorRegistration"), None);
    }
}

#[test]
fn time_that_runs_out_while_waiting_is_an_error_that_lambda_tries_again() {
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

    put_into(&world, CRM, State::Active, LastUpdate::Successful);
    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn a_state_of_a_later_day_is_waited_out_and_named() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    put_into(
        &world,
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
    put_into(&world, CRM, State::Inactive, LastUpdate::Successful);
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn a_function_that_may_not_be_read_is_updated_with_a_warning() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let denied = Fault::error("GetFunctionConfiguration", "AccessDeniedException");
    world.aws.fault(denied);
    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
    let lines = world.log_with("may not ask whether the function is ready");
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
fn a_lambda_that_does_not_answer_is_an_error() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let broken = Fault::error("GetFunctionConfiguration", "ServiceException");
    world.aws.fault(broken);
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionUnknown");
    assert!(message.contains("ServiceException"), "{message}");
}
