//! A registration that waits for its function does not hold up any other.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::Settling;
use aws_local::runtime_api::Outcome;
use serde_json::{Value, json};

use crate::world::{World, arn, error};

/// `count` functions that are never ready, with one registration each, and `count` registrations of a
/// function that is ready. AppFlow has the old configuration of all.
fn stuck_and_ready(count: usize) -> World {
    let world = World::new();
    world.function("ready", 1);
    for number in 0..count {
        let function = format!("stuck-{number:02}");
        world.function(&function, 1);
        world.register(&function, &arn(&function, None));
        // The label sorts between the others', so that the order of labels does not help.
        let label = format!("stuck-{number:02}-ready");
        world.register(&label, &arn("ready", None));
    }
    world.change_latest("ready", "2.0");
    world.aws.state().lambda.settle(Settling::Never);
    for number in 0..count {
        world.change_latest(&format!("stuck-{number:02}"), "2.0");
    }
    world
}

fn done(world: &World) -> usize {
    let versions = world.aws.versions();
    versions.iter().filter(|(_, has, _)| has == "2.0").count()
}

#[test]
fn what_is_ready_is_updated_while_forty_functions_never_are() {
    let world = stuck_and_ready(40);
    let sweep = world.begin(Duration::from_secs(7), r#"{"sweep": {}}"#);
    world.until("all that are ready are done", |world| done(world) == 40);
    // Their log lines, which follow the checks, are there long before the sweep ends.
    let is_done = |line: &&String| line.contains(r#""message":"registration updated""#);
    world.until("the log says so", |world| {
        let lines = world.updater.lines();
        lines.iter().filter(is_done).count() == 40
    });
    assert!(sweep.is_going_on());

    let (name, message) = error(sweep.end());
    assert_eq!(name, "FunctionNotReady");
    for part in [
        "40 of 80 registrations failed",
        "stuck-07: FunctionNotReady: timed out while waiting for",
        "its LastUpdateStatus is InProgress",
        "40 updated",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
}

#[test]
fn the_first_wait_for_each_function_is_one_line_with_its_state() {
    let world = stuck_and_ready(3);
    // A second registration of a function waits with the first.
    world.register("stuck-00-too", &arn("stuck-00", None));
    let sweep = world.outcome_within(Duration::from_secs(5), r#"{"sweep": {}}"#);
    assert!(matches!(sweep, Outcome::Error { .. }), "{sweep:?}");
    let waits: Vec<Value> = world
        .log_with("registration failed")
        .into_iter()
        .filter(|line| line["message"] == "waiting for the function")
        .collect();
    let mut functions: Vec<_> = waits.iter().map(|line| &line["functionArn"]).collect();
    functions.sort_by_key(|arn| arn.to_string());
    let expected = ["stuck-00", "stuck-01", "stuck-02"].map(|name| json!(arn(name, None)));
    assert_eq!(functions, expected.iter().collect::<Vec<_>>());
    for line in waits {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["state"], "its LastUpdateStatus is InProgress");
    }
    // There were more waits than those.
    assert!(world.calls()["GetFunctionConfiguration"] > 2 * 3 + 2);
}

#[test]
fn further_waits_are_logged_at_debug() {
    let world = World::with(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]);
    world.function("crm", 1);
    world.register("plain", &arn("crm", None));
    world.aws.state().lambda.settle(Settling::AfterLooks(3));
    world.answer(world.change_latest("crm", "2.0"));
    let levels: Vec<Value> = world
        .log_with("registration updated")
        .into_iter()
        .filter(|line| line["message"] == "waiting for the function")
        .map(|line| line["level"].clone())
        .collect();
    assert_eq!(levels, ["INFO", "DEBUG", "DEBUG"]);
}

#[test]
fn another_event_does_not_wait_for_a_function_that_is_not_ready() {
    let world = stuck_and_ready(1);
    let _another = world.another_updater(&[]);
    world.aws.take_events();
    let stuck = json!({
        "source": "aws.lambda",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventName": "UpdateFunctionConfiguration20150331v2",
            "responseElements": { "functionArn": arn("stuck-00", None), "version": "$LATEST" },
        },
    });
    let time = Duration::from_secs(5);
    let stuck = world.begin(time, stuck);
    world.until("one waits", |world| !world.aws.state().calls.is_empty());
    world.aws.state().lambda.settle(Settling::AtOnce);
    world.answer(world.change_latest("ready", "3.0"));
    assert!(stuck.is_going_on());
    assert_eq!(world.held("stuck-00-ready").1, "3.0");
    assert_eq!(error(stuck.end()).0, "FunctionNotReady");
}

#[test]
fn functions_are_read_while_registrations_are_described() {
    let world = World::new();
    for number in 0..8 {
        let function = format!("function-{number}");
        world.function(&function, 1);
        world.register(&function, &arn(&function, None));
        world.change_latest(&function, "2.0");
        let calls = if number < 4 {
            "DescribeConnector"
        } else {
            "GetFunctionConfiguration"
        };
        let slow = Fault::of(calls, Kind::Slow(Duration::from_millis(1500)));
        world.aws.fault(slow.concerning(&function).times(1));
    }
    let sweep = world.begin(Duration::from_secs(20), r#"{"sweep": {}}"#);
    // All slow calls are made before any response.
    world.until("all are made", |world| {
        let world = world.aws.state();
        let made = |operation: &str| {
            let calls = world.calls.iter();
            calls.filter(|call| call.operation == operation).count()
        };
        made("DescribeConnector") == 8
            && made("GetFunctionConfiguration") == 4
            && made("UpdateConnectorRegistration") == 0
    });
    sweep.answer();
    assert_eq!(done(&world), 8);
}

#[test]
fn a_slow_description_does_not_hold_up_other_registrations() {
    let world = stuck_and_ready(0);
    world.register("prompt", &arn("ready", None));
    world.register("slow", &arn("ready", None));
    world.aws.state().lambda.settle(Settling::AtOnce);
    let slow = Fault::of("DescribeConnector", Kind::Slow(Duration::from_secs(3)));
    world.aws.fault(slow.concerning("slow").times(1));
    let event = world.change_latest("ready", "3.0");
    let event = world.begin(Duration::from_secs(20), event);
    world.until("the other one is updated", |world| {
        world.held("prompt").1 == "3.0"
    });
    assert_eq!(world.held("slow").1, "2.0");
    event.answer();
    assert_eq!(world.held("slow").1, "3.0");
}
