//! Services that throttle calls above a rate.

use aws_local::faults::{Allowance, Fault, Kind};

use crate::world::{CRM, World, arn, outcomes};

const UPDATE: &str = "UpdateConnectorRegistration";
const REGISTRATIONS: usize = 20;
/// The calls that are needed: a list; a description, a read, an update, another read, and another
/// description of each registration.
const CALLS: usize = 1 + 5 * REGISTRATIONS;

#[test]
fn a_sweep_completes_without_a_storm_when_the_services_throttle() {
    let world = World::new();
    for number in 0..REGISTRATIONS {
        let function = format!("function-{number:02}");
        world.function(&function, 1);
        world.register(&format!("connector-{number:02}"), &arn(&function, None));
    }
    let rate = Kind::AboveRate(Allowance::per_second(20));
    world.aws.fault(Fault::of("*", rate));

    let answer = world.answer(r#"{"sweep": {}}"#);
    let outcomes = outcomes(&answer);
    assert_eq!(outcomes.len(), REGISTRATIONS);
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "updated"));
    let calls = world.aws.take_calls();
    let (refused, answered): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.error.is_some());
    let refused = refused.len();
    let updates = answered.iter().filter(|call| call.operation == UPDATE);
    assert_eq!(updates.count(), REGISTRATIONS);
    assert!(refused > 0, "the rate was never reached");
    assert!(
        refused < 2 * CALLS,
        "{refused} calls were refused for {CALLS} that were needed"
    );
    // A registration that was described long before its update is described again.
    let answered = answered.len();
    assert!(
        answered < 2 * CALLS,
        "{answered} calls were answered for {CALLS} that were needed"
    );
}

#[test]
fn a_call_that_is_throttled_in_every_attempt_is_retried_while_there_is_time() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let throttled = Fault::error("DescribeConnector", "ThrottlingException");
    // The SDK makes five attempts.
    world.aws.fault(throttled.times(6));
    let answer = world.answer(&event);
    assert_eq!(outcomes(&answer), [("plain".into(), "updated".into())]);
    // The seventh succeeds. It took long, so there is one more right before the update. The last one shows
    // what the update changed.
    assert_eq!(world.calls()["DescribeConnector"], 9);
}
