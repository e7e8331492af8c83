//! AppFlow's errors, retries, and the end of the invocation's time.

use std::thread;
use std::time::{Duration, Instant};

use aws_local::faults::{Fault, Kind};

use crate::world::{CRM, World, arn, connector, error};

const UPDATE: &str = "UpdateConnectorRegistration";

#[test]
fn each_of_appflow_s_nine_errors_is_reported_with_its_request_id_and_what_to_do() {
    thread::scope(|scope| {
        for (code, calls, advice) in [
            (
                "AccessDeniedException",
                1..=1,
                "updater's role allows appflow:UpdateConnectorRegistration",
            ),
            (
                "ConflictException",
                5..=5,
                "Another change of the same resource is in progress",
            ),
            ("ConnectorAuthenticationException", 1..=1, "refused AppFlow"),
            (
                "ConnectorServerException",
                5..=5,
                "did not answer AppFlow within 10 seconds",
            ),
            ("InternalServerException", 5..=5, "internal error"),
            ("ResourceNotFoundException", 1..=1, "still exist"),
            ("ServiceQuotaExceededException", 1..=1, "quota"),
            // Until time is up.
            ("ThrottlingException", 4..=20, "request rate is used up"),
            ("ValidationException", 1..=1, "rejects the request"),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                world.aws.fault(Fault::error(UPDATE, code));
                // Long enough for the retries of all but the throttled call.
                let time = Duration::from_secs(25);
                let (name, message) = error(world.outcome_within(time, world.publish(CRM, "2.0")));
                assert_eq!(name, "UpdateFailed", "{code}");
                for part in [
                    "plain: UpdateFailed: ",
                    &format!("{UPDATE} failed with {code}: This {code} was asked for."),
                    "(request id ",
                    advice,
                ] {
                    assert!(message.contains(part), "`{part}` is not in {message}");
                }
                let made = world.calls()[UPDATE];
                assert!(calls.contains(&made), "{made} calls, {code}");
                assert_eq!(world.held("plain").1, "1.1", "{code}");
            });
        }
    });
}

#[test]
fn a_transient_error_is_retried_and_the_update_succeeds() {
    thread::scope(|scope| {
        for fault in [
            Fault::error(UPDATE, "ThrottlingException"),
            Fault::error(UPDATE, "ConnectorServerException"),
            Fault::error(UPDATE, "ConflictException"),
            Fault::error(UPDATE, "InternalServerException"),
            Fault::of(UPDATE, Kind::Dropped),
            Fault::error("DescribeConnector", "ThrottlingException"),
            Fault::error("ListConnectors", "InternalServerException"),
            Fault::of("ListConnectors", Kind::Dropped),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                world.aws.fault(fault.clone().times(2));
                let answer = world.answer(world.publish(CRM, "2.0"));
                let outcome = &connector(&answer, "plain")["outcome"];
                assert_eq!(outcome, "updated", "{fault:?}");
                assert_eq!(world.held("plain").1, "2.0", "{fault:?}");
            });
        }
    });
}

#[test]
fn an_update_of_a_cold_connector_is_retried_after_pauses_of_seconds() {
    let world = World::new();
    world.function(CRM, 1);
    let cold = Fault::error(UPDATE, "ConnectorServerException");
    let labels: Vec<String> = (0..4).map(|number| format!("connector-{number}")).collect();
    for label in &labels {
        world.register(label, &arn(CRM, None));
        world.aws.fault(cold.clone().concerning(label).times(3));
    }
    let event = world.publish(CRM, "2.0");
    let under_way = world.begin(Duration::from_secs(60), event);
    // When each try was seen, which is some milliseconds later than when it was made.
    let mut seen = vec![Vec::new(); labels.len()];
    let end = Instant::now() + Duration::from_secs(30);
    while seen.iter().any(|tries| tries.len() < 4) {
        assert!(Instant::now() < end, "{seen:?}");
        for (label, tries) in labels.iter().zip(&mut seen) {
            let world = world.aws.state();
            let made = world.calls.iter().filter(|call| {
                call.operation == UPDATE && call.input["connectorLabel"] == label.as_str()
            });
            if made.count() > tries.len() {
                tries.push(Instant::now());
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    under_way.answer();
    // At least half of each pause is fixed, so that a busy service is left alone for a while.
    let least = [500, 1000, 2000].map(Duration::from_millis);
    for tries in seen {
        for (pair, least) in tries.windows(2).zip(least) {
            let pause = pair[1] - pair[0];
            assert!(pause + Duration::from_millis(100) > least, "{pause:?}");
        }
    }
    let told = world.log_with("the update failed with a transient error");
    assert!(
        told.iter()
            .any(|line| line["code"] == "ConnectorServerException" && line["level"] == "WARN")
    );
}

#[test]
fn calls_that_failed_do_not_use_up_the_retries_of_the_process() {
    let world = World::new();
    world.function(CRM, 1);
    world.function("thumbnailer", 1);
    for number in 0..30 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    // Each of these fails in all five attempts.
    world
        .aws
        .fault(Fault::of("DescribeConnector", Kind::Dropped));
    let (name, _) = world.error(world.publish(CRM, "2.0"));
    assert_eq!(name, "DescribeFailed");
    world.aws.state().faults.clear();
    thread::sleep(Duration::from_secs(3));

    world
        .aws
        .fault(Fault::of("ListConnectors", Kind::Dropped).times(1));
    world.answer(world.publish("thumbnailer", "3.0"));
}

#[test]
fn every_registration_is_tried_when_one_fails_and_then_the_invocation_fails() {
    let world = World::new();
    world.function(CRM, 1);
    for label in ["first", "second", "third"] {
        world.register(label, &arn(CRM, None));
    }
    let refused = Fault::error(UPDATE, "ConnectorAuthenticationException");
    world.aws.fault(refused.concerning("second"));

    let (name, message) = world.error(world.publish(CRM, "2.0"));
    assert_eq!(name, "UpdateFailed");
    assert!(message.contains("1 of 3 registrations failed"), "{message}");
    assert!(message.contains("2 updated: first, third"), "{message}");
    assert_eq!(world.held("first").1, "2.0");
    assert_eq!(world.held("second").1, "1.1");
    assert_eq!(world.held("third").1, "2.0");
}

#[test]
fn failures_of_several_kinds_are_reported_as_several_failed() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("first", &arn(CRM, None));
    world.register("second", &arn(CRM, None));
    let refused = Fault::error(UPDATE, "ValidationException");
    world.aws.fault(refused.concerning("first"));
    let refused = Fault::error("DescribeConnector", "ValidationException");
    world.aws.fault(refused.concerning("second"));

    let (name, message) = world.error(world.publish(CRM, "2.0"));
    assert_eq!(name, "SeveralFailed");
    assert!(message.contains("first: UpdateFailed"), "{message}");
    assert!(message.contains("second: DescribeFailed"), "{message}");
}

#[test]
fn a_report_is_returned_before_the_invocation_times_out() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("fast", &arn(CRM, None));
    world.register("slow", &arn(CRM, None));
    let slow = Kind::Slow(Duration::from_secs(30));
    world.aws.fault(Fault::of(UPDATE, slow).concerning("slow"));
    let event = world.publish(CRM, "2.0");

    let (name, message) = error(world.outcome_within(Duration::from_secs(3), event));
    assert_eq!(name, "OutOfTime");
    assert!(
        message.contains(&format!(
            "slow: OutOfTime: timed out while waiting for {UPDATE}"
        )),
        "{message}"
    );
    assert!(message.contains("1 updated: fast"), "{message}");
    assert_eq!(world.held("fast").1, "2.0");
}

#[test]
fn a_list_that_takes_too_long_is_reported_before_the_invocation_times_out() {
    let world = World::one_registration();
    let slow = Kind::Slow(Duration::from_secs(30));
    world.aws.fault(Fault::of("ListConnectors", slow));
    let event = world.publish(CRM, "2.0");

    let (name, message) = error(world.outcome_within(Duration::from_secs(2), event));
    assert_eq!(name, "OutOfTime");
    assert!(message.contains("ListConnectors"), "{message}");
}

#[test]
fn retries_end_with_the_invocation_s_time_and_the_error_is_the_last_try_s() {
    let world = World::one_registration();
    world.aws.fault(Fault::error(UPDATE, "ThrottlingException"));
    let event = world.publish(CRM, "2.0");

    // All tries would take up to 15 seconds.
    let (name, message) = error(world.outcome_within(Duration::from_secs(4), event));
    assert_eq!(name, "UpdateFailed");
    assert!(
        message.contains(&format!("{UPDATE} failed with ThrottlingException")),
        "{message}"
    );
    assert!(!message.contains("timed out"), "{message}");
}

#[test]
fn without_time_no_call_is_made() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");

    let (name, _) = error(world.outcome_within(Duration::from_millis(500), event));
    assert_eq!(name, "OutOfTime");
    assert!(world.calls().is_empty());
}
