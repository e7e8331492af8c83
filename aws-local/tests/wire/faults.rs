//! Faults.

use std::time::Duration;

use aws_local::faults::{Allowance, Fault, Faults, Kind};
use aws_local::{Aws, Dropped};
use aws_sdk_appflow::error::ProvideErrorMetadata;
use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::sdk::config;
use crate::world::{ARN, deploy, held, in_memory, register, registration, request, with_function};

const UPDATE: &str = "UpdateConnectorRegistration";
const SECOND: Duration = Duration::from_secs(1);

/// A registration with connector version 1.0, whose function has version 2.0 deployed.
fn outdated() -> Aws {
    let aws = in_memory();
    register(&aws, "acme", ARN).expect("registered");
    deploy(&aws, "2.0", false);
    aws
}

/// An update that runs while the test continues.
fn update_under_way(
    aws: &Aws,
    input: Value,
) -> tokio::task::JoinHandle<Result<Response<Bytes>, Dropped>> {
    let aws = aws.clone();
    tokio::spawn(async move { aws.respond(request(UPDATE, &input)).await })
}

/// The name of the error in a response; empty if it is not an error.
fn error_of(answer: &Response<Bytes>) -> &str {
    let name = answer.headers().get("x-amzn-errortype");
    name.map_or("", |name| name.to_str().expect("a name"))
}

#[tokio::test]
async fn a_fault_applies_to_its_calls_until_it_is_used_up_or_removed() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let client = tokio::task::spawn_blocking({
        let aws = aws.clone();
        move || {
            let config = aws_sdk_appflow::config::Builder::from(&config(&aws));
            let never = aws_sdk_appflow::config::retry::RetryConfig::disabled();
            aws_sdk_appflow::Client::from_conf(config.retry_config(never).build())
        }
    })
    .await
    .expect("a client");
    let list = || client.list_connectors().send();
    aws.fault(Fault::error("ListConnectors", "ThrottlingException").times(1));
    let error = list().await.expect_err("throttled");
    assert_eq!(error.code(), Some("ThrottlingException"));
    list().await.expect("once only");
    aws.fault(Fault::of("*", Kind::Dropped).times(1));
    assert!(
        list()
            .await
            .expect_err("dropped")
            .as_service_error()
            .is_none()
    );

    aws.fault(Fault::of("UpdateConnectorRegistration", Kind::AnswerLost).times(1));
    deploy(&aws, "2.0", false);
    client
        .update_connector_registration()
        .connector_label("acme")
        .send()
        .await
        .expect_err("lost");
    assert_eq!(held(&aws, "acme"), "2.0");

    let fault = json!({ "operation": "ListConnectors", "error": "InternalServerException" });
    aws.fault(Fault::from_json(&fault).expect("a fault"));
    assert_eq!(
        list().await.expect_err("broken").code(),
        Some("InternalServerException")
    );
    aws.state().faults.clear();
    list().await.expect("an answer again");
}

#[tokio::test(start_paused = true)]
async fn an_allowance_refills_by_tokio_s_clock() {
    let mut faults = Faults::default();
    let allowance = Allowance::per_second(2);
    faults.add(Fault::of("*", Kind::AboveRate(allowance)));
    let mut refused = || faults.meet("ListConnectors", &json!({})).is_some();
    assert_eq!([refused(), refused(), refused()], [false, false, true]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!([refused(), refused()], [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_done_when_it_arrives_and_answered_later() {
    let aws = outdated();
    aws.fault(Fault::of(UPDATE, Kind::Slow(10 * SECOND)));
    let start = Instant::now();
    let update = update_under_way(&aws, json!({ "connectorLabel": "acme" }));
    sleep(SECOND).await;
    assert_eq!(held(&aws, "acme"), "2.0");
    update.await.expect("ended").expect("an answer");
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_late_is_what_the_function_returned_when_the_call_arrived() {
    let aws = outdated();
    aws.fault(Fault::of("*", Kind::StoredLate(10 * SECOND)));
    let start = Instant::now();
    let update = update_under_way(
        &aws,
        json!({ "connectorLabel": "acme", "description": "New" }),
    );
    sleep(SECOND).await;
    deploy(&aws, "3.0", false);
    sleep(8 * SECOND).await;
    assert_eq!(held(&aws, "acme"), "1.0");
    let answer = update.await.expect("ended").expect("an answer");
    assert_eq!((error_of(&answer), start.elapsed()), ("", 10 * SECOND));
    assert_eq!(held(&aws, "acme"), "2.0");

    // A call that does not read a function is not delayed.
    let list = aws.respond(request("ListConnectors", &json!({}))).await;
    assert_eq!(list.expect("an answer").status(), 200);
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_late_is_stored_although_the_client_has_gone() {
    let aws = outdated();
    aws.fault(Fault::of(UPDATE, Kind::StoredLate(10 * SECOND)));
    let update = update_under_way(&aws, json!({ "connectorLabel": "acme" }));
    sleep(SECOND).await;
    update.abort();
    sleep(10 * SECOND).await;
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_late_fails_if_the_registration_has_changed_too_much() {
    let aws = outdated();
    aws.fault(Fault::of("*", Kind::StoredLate(10 * SECOND)));
    let update = update_under_way(
        &aws,
        json!({ "connectorLabel": "acme", "clientToken": "t" }),
    );
    sleep(SECOND).await;
    aws.call("UnregisterConnector", json!({ "connectorLabel": "acme" }))
        .expect("unregistered");
    let answer = update.await.expect("ended").expect("an answer");
    assert_eq!(error_of(&answer), "ResourceNotFoundException");
    let error = aws.take_calls().pop().and_then(|call| call.error);
    assert_eq!(error.as_deref(), Some("ResourceNotFoundException"));

    let late = tokio::spawn({
        let (aws, input) = (aws.clone(), registration("acme", ARN));
        async move { aws.respond(request("RegisterConnector", &input)).await }
    });
    sleep(SECOND).await;
    register(&aws, "acme", ARN).expect("registered meanwhile");
    let answer = late.await.expect("ended").expect("an answer");
    assert_eq!(error_of(&answer), "ConflictException");
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_late_is_stored_although_the_response_is_lost_at_once() {
    let aws = outdated();
    aws.fault(Fault::of(UPDATE, Kind::AnswerLostStoredLate(10 * SECOND)));
    let start = Instant::now();
    let update = request(UPDATE, &json!({ "connectorLabel": "acme" }));
    assert_eq!(aws.respond(update).await.expect_err("lost"), Dropped);
    assert_eq!(start.elapsed(), Duration::ZERO);
    deploy(&aws, "3.0", false);
    sleep(9 * SECOND).await;
    assert_eq!(held(&aws, "acme"), "1.0");
    sleep(2 * SECOND).await;
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[tokio::test(start_paused = true)]
async fn a_client_token_is_in_conflict_until_its_call_is_stored_and_used_from_then_on() {
    let aws = outdated();
    aws.fault(Fault::of(UPDATE, Kind::StoredLate(10 * SECOND)).times(1));
    let input = json!({ "connectorLabel": "acme", "clientToken": "once" });
    let first = update_under_way(&aws, input.clone());
    sleep(SECOND).await;
    let again = || aws.respond(request(UPDATE, &input));
    assert_eq!(
        error_of(&again().await.expect("an answer")),
        "ConflictException"
    );
    first.await.expect("ended").expect("an answer");
    deploy(&aws, "3.0", false);
    assert_eq!(error_of(&again().await.expect("an answer")), "");
    assert_eq!(held(&aws, "acme"), "2.0", "done once");
}

#[test]
fn every_kind_of_fault_is_parsed_from_json() {
    for (json, kind) in [
        (json!({ "error": "AccessDeniedException" }), "Error"),
        (json!({ "dropped": true }), "Dropped"),
        (json!({ "answerLost": true }), "AnswerLost"),
        (json!({ "perSecond": 20 }), "AboveRate"),
        (json!({ "slowMs": 100 }), "Slow(100ms)"),
        (json!({ "storedLateMs": 100 }), "StoredLate(100ms)"),
        (
            json!({ "answerLostStoredLateMs": 100 }),
            "AnswerLostStoredLate(100ms)",
        ),
    ] {
        let mut json = json;
        json["operation"] = UPDATE.into();
        let fault = format!("{:?}", Fault::from_json(&json).expect("a fault"));
        assert!(fault.contains(&format!("kind: {kind}")), "{json}: {fault}");
    }
    for json in [
        json!({}),
        json!({ "operation": UPDATE }),
        json!({ "slowMs": 5 }),
    ] {
        assert!(Fault::from_json(&json).is_none(), "{json}");
    }
}
