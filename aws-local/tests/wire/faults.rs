//! Faults on demand.

use std::time::Duration;

use aws_local::faults::{Allowance, Fault, Faults, Kind};
use aws_sdk_appflow::error::ProvideErrorMetadata;
use serde_json::json;

use crate::sdk::config;
use crate::world::{ARN, deploy, held, register, with_function};

#[tokio::test]
async fn faults_come_on_demand() {
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
    list().await.expect("mended");
}

#[tokio::test(start_paused = true)]
async fn an_allowance_is_earned_in_the_time_that_a_test_drives() {
    let mut faults = Faults::default();
    let allowance = Allowance::per_second(2);
    faults.add(Fault::of("*", Kind::AboveRate(allowance)));
    let mut refused = || faults.meet("ListConnectors", &json!({})).is_some();
    assert_eq!([refused(), refused(), refused()], [false, false, true]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!([refused(), refused()], [false, true]);
}
