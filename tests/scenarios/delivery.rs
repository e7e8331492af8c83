//! Events that are delivered twice, or again after a failure.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use serde_json::json;

use crate::world::{CRM, World, arn, connector};

#[test]
fn a_second_delivery_repeats_the_client_token() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.answer(&event);
    let answer = world.answer(&event);
    assert_eq!(connector(&answer, "plain")["changed"], json!([]));
    let tokens = world.tokens();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0], tokens[1]);
}

#[test]
fn a_second_delivery_after_a_newer_deployment_has_another_token_and_appflow_reads_the_newer_code() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.answer(&event);
    world.change_latest(CRM, "3.0");
    world.answer(&event);
    let tokens = world.tokens();
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn another_event_and_another_registration_have_other_tokens() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("first", &arn(CRM, None));
    world.register("second", &arn(CRM, None));
    world.answer(world.publish(CRM, "2.0"));
    world.answer(world.publish(CRM, "3.0"));

    let mut tokens = world.tokens();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    assert_eq!(world.held("first").1, "3.0");
}

#[test]
fn an_update_whose_answer_was_lost_is_repeated_with_its_token() {
    let world = World::one_registration();
    world
        .aws
        .fault(Fault::of("UpdateConnectorRegistration", Kind::AnswerLost).times(1));
    let event = world.publish(CRM, "2.0");

    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    let tokens = world.tokens();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0], tokens[1]);
}

#[test]
fn a_delivery_after_a_failed_one_completes_the_work_with_the_same_tokens() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("first", &arn(CRM, None));
    world.register("second", &arn(CRM, None));
    let refused = Fault::error("UpdateConnectorRegistration", "ValidationException");
    world.aws.fault(refused.concerning("second"));
    let event = world.publish(CRM, "2.0");

    let (name, _) = world.error(&event);
    assert_eq!(name, "UpdateFailed");
    assert_eq!(world.held("second").1, "1.1");
    world.aws.state().faults.clear();
    world.answer(&event);
    assert_eq!(world.held("second").1, "2.0");

    let mut tokens = world.tokens();
    assert_eq!(tokens.len(), 4);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 2);
}

#[test]
fn after_eight_hours_a_repeated_token_is_a_new_call_and_harmless() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.answer(&event);
    let eight_hours = Duration::from_secs(8 * 60 * 60);
    let later = eight_hours + Duration::from_secs(1);
    world.aws.state().appflow.pass(later);

    let answer = world.answer(&event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    let tokens = world.tokens();
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(world.held("plain").1, "2.0");
}
