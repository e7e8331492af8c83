//! Messages promise no retry, because a synchronous invocation gets none.

use std::thread;
use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::{LastUpdate, State};
use serde_json::json;

use crate::meanwhile::put_into;
use crate::world::{CRM, World, arn, error, outcomes};

/// What a message that promises a retry would say.
const PROMISES: [&str; 8] = [
    "try again",
    "tries again",
    "tried again",
    "retry",
    "retries",
    "retried",
    "next try",
    "two more",
];

fn promises_nothing(message: &str) {
    let message = message.to_lowercase();
    for promise in PROMISES {
        assert!(!message.contains(promise), "`{promise}` is in {message}");
    }
}

#[test]
fn no_error_of_a_sweep_by_hand_promises_a_retry() {
    let sweep = |world: &World| {
        let time = Duration::from_secs(4);
        let (_, message) = error(world.outcome_within(time, r#"{"sweep": {}}"#));
        promises_nothing(&message);
        // Nor does the registration's log line.
        world.log_of(1);
        let log = world.log();
        let reasons = log
            .lines()
            .filter(|line| line.contains(r#""level":"ERROR""#));
        reasons.for_each(promises_nothing);
    };
    thread::scope(|scope| {
        for (operation, code) in [
            ("UpdateConnectorRegistration", "AccessDeniedException"),
            ("UpdateConnectorRegistration", "ConflictException"),
            (
                "UpdateConnectorRegistration",
                "ConnectorAuthenticationException",
            ),
            ("UpdateConnectorRegistration", "ConnectorServerException"),
            ("UpdateConnectorRegistration", "InternalServerException"),
            ("UpdateConnectorRegistration", "ResourceNotFoundException"),
            (
                "UpdateConnectorRegistration",
                "ServiceQuotaExceededException",
            ),
            ("UpdateConnectorRegistration", "ThrottlingException"),
            ("UpdateConnectorRegistration", "ValidationException"),
            ("DescribeConnector", "ThrottlingException"),
            ("DescribeConnector", "AccessDeniedException"),
            ("ListConnectors", "ThrottlingException"),
            ("GetFunctionConfiguration", "TooManyRequestsException"),
            ("GetFunctionConfiguration", "ServiceException"),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                world.aws.fault(Fault::error(operation, code));
                sweep(&world);
            });
        }
        for state in [
            State::Pending,
            State::Failed("No address.".to_owned()),
            State::Other("Hibernating".to_owned()),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                let status = LastUpdate::Successful;
                put_into(&mut world.aws.state(), CRM, state, status);
                sweep(&world);
            });
        }
        for operation in ["UpdateConnectorRegistration", "ListConnectors"] {
            scope.spawn(move || {
                let world = World::one_registration();
                let slow = Kind::Slow(Duration::from_secs(30));
                world.aws.fault(Fault::of(operation, slow));
                sweep(&world);
            });
        }
    });
}

#[test]
fn no_reason_of_a_skip_promises_a_retry() {
    let world = World::new();
    world.five_forms();
    world.function("gone", 1);
    world.register("orphan", &arn("gone", None));
    world.call("DeleteFunction", json!({ "FunctionName": "gone" }));
    let late = world.publish(CRM, "1.7");
    let mut shifting = json!({ "FunctionName": CRM, "Name": "live" });
    shifting["RoutingConfig"] = json!({ "AdditionalVersionWeights": { "7": 0.5 } });
    world.call("UpdateAlias", shifting);
    let shifting = world.event();
    world.publish(CRM, "1.8");
    world.allow(CRM, Some("8"));
    let mut skipped = 0;
    for payload in [
        json!({ "sweep": {} }),
        json!({ "sweep": { "move": true } }),
        late,
        shifting,
    ] {
        let answer = world.answer(payload);
        skipped += outcomes(&answer)
            .iter()
            .filter(|(_, outcome)| outcome == "skipped")
            .count();
        promises_nothing(&answer.to_string());
    }
    // The orphan twice; the two aliases and `pinned`, which is newer; everything but `plain`.
    assert!(skipped >= 2 + 3 + 5, "{skipped}");
}
