//! Lambda's own events.

use std::time::Duration;

use aws_local::Aws;
use aws_local::lambda::{LastUpdate, Reference, Settling, State};
use serde_json::{Value, json};

use crate::world::{ARN, deploy, in_memory, package, register, update};

fn switched_on() -> Aws {
    let aws = in_memory();
    aws.take_events();
    aws.state().state_events = true;
    aws
}

/// The state events so far: the qualifier, with its colon, and the state.
fn told(aws: &Aws) -> Vec<(String, String)> {
    aws.take_events()
        .iter()
        .filter(|event| event["detail-type"] != "AWS API Call via CloudTrail")
        .map(|event| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let arn = text(&event["resources"][0]);
            assert_eq!(event["detail"]["functionArn"], arn);
            let version = arn.strip_prefix(ARN).expect("the function").to_owned();
            (version, text(&event["detail"]["state"]))
        })
        .collect()
}

fn active(version: &str) -> (String, String) {
    (version.to_owned(), "Active".to_owned())
}

fn put_into(aws: &Aws, state: State, last_update: LastUpdate) {
    let reference = Reference::parse("crm").expect("a name");
    aws.state()
        .lambda
        .put_into(&reference, state, last_update)
        .expect("a function");
}

#[test]
fn there_are_none_unless_they_are_switched_on() {
    let aws = in_memory();
    deploy(&aws, "2.0", true);
    assert_eq!(told(&aws), []);
    aws.state().state_events = true;
    assert_eq!(told(&aws), [], "earlier changes cause no events");
    deploy(&aws, "3.0", true);
    assert_eq!(told(&aws), [active(":$LATEST"), active(":2")]);
    assert_eq!(told(&aws), []);
}

#[test]
fn an_event_comes_after_the_record_of_the_call_and_looks_like_eventbridge_s() {
    let aws = switched_on();
    // The event is there while the world is locked, as in a hook.
    let events = {
        let mut world = aws.state();
        let input = json!({ "FunctionName": "crm", "ZipFile": package("2.0") });
        world.call("UpdateFunctionCode", &input).expect("deployed");
        world.events.clone()
    };
    let [record, event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(record["detail-type"], "AWS API Call via CloudTrail");
    for member in ["version", "source", "account", "region"] {
        assert_eq!(event[member], record[member], "{member}");
    }
    assert_ne!(event["id"], record["id"]);
    assert!(event["time"].is_string());
    let detail_type = event["detail-type"].as_str().expect("a detail-type");
    assert!(!detail_type.ends_with("via CloudTrail"), "{detail_type}");
}

#[test]
fn an_event_comes_once_a_read_finds_the_version_ready() {
    let aws = switched_on();
    aws.state().lambda.settle(Settling::AfterLooks(2));
    deploy(&aws, "2.0", true);
    assert_eq!(told(&aws), []);
    let look = || {
        let look = json!({ "FunctionName": "crm", "Qualifier": "1" });
        aws.call("GetFunctionConfiguration", look).expect("a look");
    };
    look();
    assert_eq!(told(&aws), []);
    look();
    assert_eq!(told(&aws), [active(":1")]);
}

#[tokio::test(start_paused = true)]
async fn an_event_comes_by_tokio_s_clock_without_any_read() {
    let aws = switched_on();
    let second = Duration::from_secs(1);
    aws.state().lambda.settle(Settling::After(second));
    deploy(&aws, "2.0", false);
    tokio::time::sleep(second / 2).await;
    assert_eq!(told(&aws), []);
    tokio::time::sleep(second).await;
    assert_eq!(told(&aws), [active(":$LATEST")]);
}

#[test]
fn there_is_an_event_for_a_failure_and_for_waking() {
    let aws = switched_on();
    register(&aws, "acme", ARN).expect("registered");
    let failed = || (":$LATEST".to_owned(), "Failed".to_owned());
    let reason = || "No address.".to_owned();
    put_into(&aws, State::Failed(reason()), LastUpdate::Successful);
    assert_eq!(told(&aws), [failed()]);
    put_into(&aws, State::Active, LastUpdate::Failed(reason()));
    assert_eq!(told(&aws), [failed()]);
    put_into(&aws, State::Inactive, LastUpdate::Successful);
    assert_eq!(told(&aws), []);
    update(&aws, "acme", ARN).expect_err("woken");
    assert_eq!(told(&aws), []);
    let look = json!({ "FunctionName": "crm" });
    aws.call("GetFunctionConfiguration", look).expect("a look");
    assert_eq!(told(&aws), [active(":$LATEST")]);
}

#[test]
fn there_is_no_event_for_what_is_deleted_before_it_is_ready() {
    let aws = switched_on();
    aws.state().lambda.settle(Settling::Never);
    deploy(&aws, "2.0", false);
    aws.call("DeleteFunction", json!({ "FunctionName": "crm" }))
        .expect("deleted");
    assert_eq!(told(&aws), []);
}

#[test]
fn the_event_of_latest_published_names_it() {
    let aws = Aws::new();
    aws.state().state_events = true;
    aws.call(
        "CreateFunction",
        json!({
            "FunctionName": "crm",
            "Code": { "ZipFile": package("1.0") },
            "CapacityProviderConfig": {},
            "Publish": true,
            "PublishTo": "LATEST_PUBLISHED",
        }),
    )
    .expect("a function");
    let latest = (":$LATEST".to_owned(), "ActiveNonInvocable".to_owned());
    assert_eq!(told(&aws), [latest, active(":$LATEST.PUBLISHED")]);
}

#[test]
fn state_events_are_delivered_like_all_events() {
    let aws = switched_on();
    aws.state().delivering = true;
    deploy(&aws, "2.0", false);
    let delivered: Vec<Value> = std::iter::from_fn(|| aws.state().runtime.take_next())
        .map(|invocation| serde_json::from_slice(&invocation.payload).expect("an event"))
        .collect();
    assert_eq!(delivered.len(), 2);
    assert_eq!(delivered, aws.take_events());
}
