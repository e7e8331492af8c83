//! A registration that waits for its function does not hold up any other.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::Settling;
use serde_json::json;

use crate::world::{CRM, World, arn, error};

#[test]
fn the_first_wait_of_each_registration_is_one_line_with_the_state_of_its_function() {
    let world = World::one_registration();
    world.register("second", &arn(CRM, None));
    world.aws.state().lambda.settle(Settling::Never);
    let event = world.change_latest(CRM, "2.0");
    let (name, _) = error(world.outcome_within(Duration::from_secs(5), event));
    assert_eq!(name, "FunctionNotReady");
    let lines = world.log_of(1);
    let waits = lines.iter().filter(|line| {
        line["message"] == "waiting for the function: its LastUpdateStatus is InProgress"
    });
    let mut labels = Vec::new();
    for line in waits {
        labels.push(line["connectorLabel"].as_str().unwrap_or_default());
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["functionArn"], arn(CRM, None));
    }
    labels.sort_unstable();
    assert_eq!(labels, ["plain", "second"]);
    // There were more waits than those.
    assert!(world.calls()["GetFunctionConfiguration"] > 2 * 2);
}

#[test]
fn a_registration_is_reported_as_soon_as_it_is_done() {
    let world = World::one_registration();
    world.function("stuck", 1);
    world.register("stuck", &arn("stuck", None));
    world.change_latest(CRM, "2.0");
    world.aws.state().lambda.settle(Settling::Never);
    world.change_latest("stuck", "2.0");
    let sweep = world.begin(Duration::from_secs(15), json!({ "sweep": {} }));
    let lines = world.log_with("registration updated");
    assert!(sweep.is_going_on());
    let updated = lines
        .iter()
        .find(|line| line["message"] == "registration updated");
    assert_eq!(updated.expect("the line")["connectorLabel"], "plain");
    let (name, _) = error(sweep.end());
    assert_eq!(name, "FunctionNotReady");
}

#[test]
fn a_slow_description_does_not_hold_up_other_registrations() {
    let world = World::one_registration();
    world.register("slow", &arn(CRM, None));
    let slow = Fault::of("DescribeConnector", Kind::Slow(Duration::from_secs(3)));
    world.aws.fault(slow.concerning("slow").times(1));
    let event = world.change_latest(CRM, "2.0");
    let event = world.begin(Duration::from_secs(20), event);
    world.until("the other one is updated", |world| {
        world.held("plain").1 == "2.0"
    });
    assert_eq!(world.held("slow").1, "1.1");
    event.answer();
    assert_eq!(world.held("slow").1, "2.0");
}
