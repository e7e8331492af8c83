//! Hooks right before and after a call.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::{Aws, Calls, World};
use serde_json::json;

use crate::world::{ARN, held, in_memory, package, register, request};

const UPDATE: &str = "UpdateConnectorRegistration";

/// Deploys a connector version from within a hook.
fn deploys(version: &'static str) -> impl FnOnce(&mut World) + Send + 'static {
    move |world| {
        let input = json!({ "FunctionName": "crm", "ZipFile": package(version) });
        world.call("UpdateFunctionCode", &input).expect("deployed");
    }
}

fn registered() -> Aws {
    let aws = in_memory();
    for label in ["acme", "other"] {
        register(&aws, label, ARN).expect("registered");
    }
    aws
}

async fn update(aws: &Aws, label: &str) {
    let input = json!({ "connectorLabel": label });
    aws.respond(request(UPDATE, &input))
        .await
        .expect("an answer");
}

#[tokio::test]
async fn a_hook_before_a_call_is_seen_by_the_call_and_one_after_it_is_not() {
    let aws = registered();
    aws.once_before(UPDATE, deploys("2.0"));
    aws.once_after(UPDATE, deploys("3.0"));
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "2.0");
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "3.0");
    // Each hook runs once.
    aws.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": "crm", "ZipFile": package("4.0") }),
    )
    .expect("deployed");
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "4.0");
}

#[tokio::test]
async fn a_hook_waits_for_one_of_its_calls_whose_work_no_fault_prevents() {
    let aws = registered();
    aws.once_before(Calls::of(UPDATE).concerning("acme"), deploys("2.0"));
    aws.fault(
        Fault::error(UPDATE, "ThrottlingException")
            .concerning("acme")
            .times(1),
    );
    aws.call(UPDATE, json!({ "connectorLabel": "acme" }))
        .expect("not through the port");
    update(&aws, "other").await;
    update(&aws, "acme").await;
    assert_eq!(
        (held(&aws, "acme"), held(&aws, "other")),
        (json!("1.0"), json!("1.0"))
    );
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[tokio::test]
async fn a_hook_that_a_hook_adds_is_for_the_next_call() {
    let aws = registered();
    aws.once_before(UPDATE, |world| {
        deploys("2.0")(world);
        world.once_before(UPDATE, deploys("3.0"));
    });
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "2.0");
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "3.0");
}

#[tokio::test(start_paused = true)]
async fn a_hook_after_a_call_that_is_stored_late_comes_between_reading_and_storing() {
    let aws = registered();
    aws.fault(Fault::of(UPDATE, Kind::StoredLate(Duration::from_secs(1))));
    aws.once_after(UPDATE, |world| {
        let has = |world: &World| {
            world
                .appflow
                .registration("acme")
                .cloned()
                .expect("registered")
        };
        assert_eq!(has(world).configuration["connectorVersion"], "1.0");
        deploys("3.0")(world);
    });
    aws.once_before(UPDATE, deploys("2.0"));
    update(&aws, "acme").await;
    assert_eq!(held(&aws, "acme"), "2.0");
    assert_eq!(aws.versions()[0].2, "3.0");
}
