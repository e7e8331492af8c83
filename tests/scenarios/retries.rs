//! AppFlow's errors, what passes by itself, and the time that there is.

use std::thread;
use std::time::{Duration, Instant};

use aws_local::faults::{Fault, Kind};
use aws_local::runtime_api::Outcome;

use crate::world::{CRM, World, arn, connector, error};

const UPDATE: &str = "UpdateConnectorRegistration";

#[test]
fn each_of_the_nine_errors_ends_named_with_its_request_id_and_what_to_do() {
    thread::scope(|scope| {
        for (code, calls, advice) in [
            (
                "AccessDeniedException",
                1,
                "updater's role allows appflow:UpdateConnectorRegistration",
            ),
            (
                "ConflictException",
                5,
                "Something else is changing the registration",
            ),
            ("ConnectorAuthenticationException", 1, "refused AppFlow"),
            (
                "ConnectorServerException",
                5,
                "did not answer AppFlow within 10 seconds",
            ),
            ("InternalServerException", 5, "a fault of its own"),
            ("ResourceNotFoundException", 1, "still exist"),
            ("ServiceQuotaExceededException", 1, "quota"),
            ("ThrottlingException", 5, "request rate is used up"),
            ("ValidationException", 1, "does not take the request"),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                world.aws.fault(Fault::error(UPDATE, code));
                // Too short to be patient with a service that throttles, long enough for its retries.
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
                assert_eq!(world.calls()[UPDATE], calls, "{code}");
                assert_eq!(world.held("plain").1, "1.1", "{code}");
            });
        }
    });
}

#[test]
fn what_passes_by_itself_is_retried_and_succeeds() {
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
fn a_connector_that_was_cold_is_waited_for_with_seconds_between_the_tries() {
    let world = World::one_registration();
    world
        .aws
        .fault(Fault::error(UPDATE, "ConnectorServerException").times(4));
    let event = world.publish(CRM, "2.0");
    let begun = Instant::now();
    world.answer(event);
    // Full jitter makes four pauses of up to 1, 2, 4 and 8 seconds. Those of the SDK for a server's
    // error would be done in three quarters of a second at the most.
    assert!(
        begun.elapsed() > Duration::from_millis(750),
        "{:?}",
        begun.elapsed()
    );
    let told = world.log_with("an error that may pass");
    assert!(
        told.iter()
            .any(|line| line["code"] == "ConnectorServerException")
    );
}

#[test]
fn a_bad_spell_does_not_use_up_the_retries_of_the_process() {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..30 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    // Each of these is tried five times in vain.
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
    let answer = world.answer(world.publish(CRM, "3.0"));
    assert_eq!(answer["connectors"].as_array().unwrap().len(), 30);
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
fn failures_of_several_kinds_have_a_name_of_their_own() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("first", &arn(CRM, None));
    world.register("second", &arn(CRM, None));
    let refused = Fault::error(UPDATE, "ValidationException");
    world.aws.fault(refused.concerning("first"));
    let hidden = Fault::error("DescribeConnector", "AccessDeniedException");
    world.aws.fault(hidden.concerning("second"));

    let (name, message) = world.error(world.publish(CRM, "2.0"));
    assert_eq!(name, "SeveralFailed");
    assert!(message.contains("first: UpdateFailed"), "{message}");
    assert!(message.contains("second: DescribeFailed"), "{message}");
}

#[test]
fn a_report_is_returned_before_the_time_is_up() {
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
            "slow: OutOfTime: time was up before {UPDATE} was done"
        )),
        "{message}"
    );
    assert!(message.contains("1 updated: fast"), "{message}");
    assert_eq!(world.held("fast").1, "2.0");
}

#[test]
fn a_list_that_does_not_end_is_reported_before_the_time_is_up() {
    let world = World::one_registration();
    let slow = Kind::Slow(Duration::from_secs(30));
    world.aws.fault(Fault::of("ListConnectors", slow));
    let event = world.publish(CRM, "2.0");

    let (name, message) = error(world.outcome_within(Duration::from_secs(2), event));
    assert_eq!(name, "OutOfTime");
    assert!(message.contains("ListConnectors"), "{message}");
}

#[test]
fn retries_end_with_the_time_that_there_is() {
    let world = World::one_registration();
    world.aws.fault(Fault::error(UPDATE, "ThrottlingException"));
    let event = world.publish(CRM, "2.0");

    // Either the retries are through by then, or the time is: an error comes in any case.
    let outcome = world.outcome_within(Duration::from_secs(2), event);
    assert!(matches!(outcome, Outcome::Error { .. }), "{outcome:?}");
}

#[test]
fn without_time_nothing_is_begun() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");

    let (name, _) = error(world.outcome_within(Duration::from_millis(500), event));
    assert_eq!(name, "OutOfTime");
    assert!(world.calls().is_empty());
}
