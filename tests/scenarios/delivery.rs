//! Events that are delivered twice, or again after a failure.

use aws_local::faults::{Fault, Kind};
use serde_json::json;

use crate::world::{CRM, World, arn, connector};

const UPDATE: &str = "UpdateConnectorRegistration";

#[test]
fn a_second_delivery_does_no_harm() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.answer(&event);
    let answer = world.answer(&event);
    let plain = connector(&answer, "plain");
    assert_eq!(plain["outcome"], "updated");
    assert_eq!(plain["changed"], json!([]));
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn a_delivery_after_a_newer_deployment_makes_appflow_read_the_newer_code() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    world.answer(&event);
    world.change_latest(CRM, "3.0");
    world.answer(&event);
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn each_update_has_a_token_of_its_own_so_that_appflow_never_skips_a_refresh() {
    let world = World::one_registration();
    world.register("second", &arn(CRM, None));
    let event = world.publish(CRM, "2.0");
    // Two deliveries, a lost answer, and two registrations.
    world
        .aws
        .fault(Fault::of(UPDATE, Kind::AnswerLost).times(1));
    world.answer(&event);
    world.answer(&event);
    let updates = world.inputs(UPDATE);
    let mut tokens: Vec<_> = updates
        .iter()
        .map(|input| input["clientToken"].as_str().expect("a token"))
        .collect();
    assert_eq!(tokens.len(), 3 + 2);
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 3 + 2);
}

#[test]
fn an_update_whose_answer_was_lost_is_made_again() {
    let world = World::one_registration();
    world
        .aws
        .fault(Fault::of(UPDATE, Kind::AnswerLost).times(1));
    let answer = world.answer(world.publish(CRM, "2.0"));
    let plain = connector(&answer, "plain");
    assert_eq!(plain["outcome"], "updated");
    // From before the first try to after the last.
    assert_eq!(plain["previousConnectorVersion"], "1.1");
    assert_eq!(plain["connectorVersion"], "2.0");
    assert_eq!(world.calls()[UPDATE], 2);
}

#[test]
fn a_delivery_after_a_failed_one_completes_the_work() {
    let world = World::one_registration();
    world.register("second", &arn(CRM, None));
    let refused = Fault::error(UPDATE, "ValidationException");
    world.aws.fault(refused.concerning("second"));
    let event = world.publish(CRM, "2.0");
    let (name, _) = world.error(&event);
    assert_eq!(name, "UpdateFailed");
    assert_eq!(world.held("second").1, "1.1");

    world.aws.state().faults.clear();
    world.answer(&event);
    assert_eq!(world.held("second").1, "2.0");
}
