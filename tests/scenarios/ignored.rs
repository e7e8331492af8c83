//! Events that deploy nothing are ignored with a reason, and without any AWS call.

use serde_json::{Value, json};

use crate::world::{CRM, World, sample_events};

fn ignored(world: &World, event: &Value, reason: &str) {
    let answer = world.answer(event);
    let told = answer["ignored"].as_str().unwrap_or_default();
    assert!(told.contains(reason), "`{reason}` is not in {answer}");
    assert!(answer.get("connectors").is_none(), "{answer}");
    assert_eq!(world.calls(), [].into(), "radio silence, {event}");
}

#[test]
fn an_event_that_deploys_nothing_causes_no_call_at_all() {
    let world = World::one_registration();
    let published = world.publish(CRM, "2.0");
    let with = |pointer: &str, value: Value| {
        let mut event = published.clone();
        *event.pointer_mut(pointer).expect(pointer) = value;
        event
    };

    let mut failed = published.clone();
    failed["detail"]["errorCode"] = json!("ResourceConflictException");
    ignored(&world, &failed, "ResourceConflictException");
    failed["detail"]["responseElements"] = json!(null);
    failed["detail"]["requestParameters"] = json!(null);
    ignored(&world, &failed, "ResourceConflictException");

    for code in [json!(5), json!({}), json!("")] {
        failed["detail"]["errorCode"] = code;
        ignored(&world, &failed, "the call failed");
    }

    let mut dry = published.clone();
    dry["detail"]["requestParameters"]["dryRun"] = json!(true);
    ignored(&world, &dry, "dry run");

    for name in [
        "PublishLayerVersion20181031",
        "DeleteFunction20150331",
        "AddPermission20150331v2",
        "UpdateConnectorRegistration",
        "",
    ] {
        let event = with("/detail/eventName", json!(name));
        ignored(&world, &event, "does not deploy a function");
    }
    let other = with("/detail/eventSource", json!("appflow.amazonaws.com"));
    ignored(&world, &other, "not a call to Lambda");
    ignored(&world, &with("/source", json!("aws.s3")), "aws.s3");
    let insight = with("/detail-type", json!("AWS Insight via CloudTrail"));
    ignored(&world, &insight, "AWS Insight via CloudTrail");
    let foreign = json!({
        "source": "com.example",
        "detail-type": "Order",
        "detail": { "eventName": 5, "requestParameters": "text" },
    });
    ignored(&world, &foreign, "com.example");
    assert_eq!(world.held("plain").1, "1.1");
}

#[test]
fn an_ignored_event_is_still_known_by_its_id_and_name() {
    let world = World::new();
    let answer = world.answer(&sample_events()["failed-call"]);
    assert_eq!(answer["eventName"], "UpdateFunctionCode20150331v2");
    assert!(answer["eventId"].as_str().unwrap().starts_with("c2f9a1d4-"));
    let line = world
        .log_with("event ignored")
        .pop()
        .expect("a line about it");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["eventId"], answer["eventId"]);
    assert_eq!(line["reason"], answer["ignored"]);
}
