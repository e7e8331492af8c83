//! Sweeps of many registrations, and their pace.

use std::sync::Arc;
use std::time::Duration;

use aws_local::lambda::Settling;
use aws_local::place::function_arn;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::conditions::Conditions;
use crate::invocations::Environments;
use crate::world::World;

pub const SWEEP: &str = r#"{"sweep": {}}"#;
/// Requests have latencies, but no faults.
pub const CALM: bool = true;

/// The packages of two connectors, the old one and the new one.
const OLD: &str = "eyJjb25uZWN0b3JWZXJzaW9uIjoiMS4wIn0=";
const NEW: &str = "eyJjb25uZWN0b3JWZXJzaW9uIjoiMi4wIn0=";

fn call(world: &World, operation: &str, input: serde_json::Value) {
    world.aws.call(operation, input).expect(operation);
}

/// A world in which no change is of the last minute.
pub fn calm_world() -> Arc<World> {
    let world = World::new(Conditions::new(1));
    let two_minutes = Duration::from_secs(120);
    world.aws.state().lambda.date_changes_back(two_minutes);
    world
}

/// A function with a registration without a qualifier, which has its old configuration once the function
/// is deployed.
pub fn register(world: &World, function: &str) {
    let input = json!({ "FunctionName": function, "Code": { "ZipFile": OLD } });
    call(world, "CreateFunction", input);
    call(
        world,
        "AddPermission",
        json!({
            "FunctionName": function,
            "StatementId": "appflow",
            "Action": "lambda:InvokeFunction",
            "Principal": "appflow.amazonaws.com",
        }),
    );
    call(
        world,
        "RegisterConnector",
        json!({
            "connectorLabel": function,
            "connectorProvisioningType": "LAMBDA",
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": function_arn(function) } },
        }),
    );
}

pub fn deploy(world: &World, function: &str) {
    let input = json!({ "FunctionName": function, "ZipFile": NEW });
    call(world, "UpdateFunctionCode", input);
}

/// How many registrations have the new configuration.
fn done(world: &World) -> usize {
    let versions = world.aws.versions();
    versions.iter().filter(|(_, has, _)| has == "2.0").count()
}

/// Asserts that any requests to Lambda are a burst of at most ten, and five a second.
fn are_paced(sent: &[Instant]) {
    for (first, begin) in sent.iter().enumerate() {
        for (last, end) in sent.iter().enumerate().skip(first + 10) {
            let least = Duration::from_millis(200) * (last - first - 9) as u32;
            let took = *end - *begin;
            assert!(took >= least, "{} requests in {took:?}", last - first + 1);
        }
    }
}

#[test]
fn a_sweep_of_a_thousand_functions_takes_ten_minutes_at_most_and_leaves_lambda_to_others() {
    clock::run(async {
        let world = calm_world();
        let updater = Environments::new(&world, false);
        for number in 0..1_000 {
            let function = format!("function-{number:03}");
            register(&world, &function);
            deploy(&world, &function);
        }
        let began = Instant::now();
        let swept = updater.invoke(SWEEP, SWEEP, "1", CALM).await;
        let took = began.elapsed();
        assert!(swept.is_ok(), "{:?}", swept.err());
        assert_eq!(done(&world), 1_000);
        assert!(took <= Duration::from_secs(10 * 60), "{took:?}");
        let sent = std::mem::take(&mut world.state().sent_to_lambda);
        // Each function is read once before its update, and once after it.
        assert_eq!(sent.len(), 2 * 1_000);
        are_paced(&sent);
    });
}

#[test]
fn a_sweep_updates_what_is_ready_while_forty_functions_never_are() {
    clock::run(async {
        let world = calm_world();
        let updater = Environments::new(&world, false);
        let functions: Vec<String> = (0..250)
            .map(|number| format!("function-{number:03}"))
            .collect();
        for function in &functions {
            register(&world, function);
        }
        for (number, function) in functions.iter().enumerate() {
            // Spread over all, so that the order of labels does not help.
            let settling = match number % 6 == 0 && number < 6 * 40 {
                true => Settling::Never,
                false => Settling::AtOnce,
            };
            world.aws.state().lambda.settle(settling);
            deploy(&world, function);
        }
        // Long before the sweep ends.
        let watched = Arc::clone(&world);
        let watch = tokio::task::spawn_local(async move {
            sleep(Duration::from_secs(3 * 60)).await;
            done(&watched)
        });
        let swept = updater.invoke(SWEEP, SWEEP, "1", CALM).await;
        assert_eq!(watch.await.ok(), Some(210));
        let error = swept.expect_err("forty are not ready");
        assert_eq!(error.name(), "FunctionNotReady");
        let message = error.to_string();
        for part in [
            "40 of 250 registrations failed",
            "function-006: FunctionNotReady: timed out while waiting for",
            "its LastUpdateStatus is InProgress",
            "210 updated",
        ] {
            assert!(message.contains(part), "`{part}` is not in {message}");
        }
        are_paced(&world.state().sent_to_lambda);
    });
}
