//! Malformed input is an error without any call, unless the malformed part is not needed.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, sample_events};

fn invalid(world: &World, payload: impl ToString, part: &str) {
    let (name, message) = world.error(payload);
    assert_eq!(name, "InvalidEvent", "{message}");
    assert!(message.contains(part), "`{part}` is not in {message}");
    assert!(message.len() < 4096, "{} characters", message.len());
    assert_eq!(world.calls(), [].into(), "radio silence, {message}");
}

#[test]
fn a_payload_that_is_no_event_is_refused_without_a_call() {
    let world = World::new();
    let nesting = "[".repeat(1 << 20);
    let objects = r#"{"a":"#.repeat(200_000);
    for (payload, part) in [
        ("", "not JSON"),
        ("not JSON", "not JSON"),
        ("\u{0}\u{1}", "not JSON"),
        (nesting.as_str(), "recursion limit"),
        (objects.as_str(), "recursion limit"),
        ("{\"source\": \"aws.lambda\"", "not JSON"),
        ("{} {}", "not JSON"),
        ("null", "the payload is null"),
        ("[]", "the payload is an array"),
        ("5", "the payload is a number"),
        ("\"text\"", "the payload is a string"),
        ("{}", "no `source`"),
        (r#"{"source": null}"#, "no `source`"),
        (r#"{"source": "aws.lambda"}"#, "no `detail-type`"),
        (
            r#"{"source": 5, "detail-type": "x"}"#,
            "`source`: expected a string, found a number",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail"}"#,
            "no `detail`",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": []}"#,
            "`detail`: expected a CloudTrail record, found an array",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": {}}"#,
            "no `detail.eventName`",
        ),
    ] {
        invalid(&world, payload, part);
    }
    // The updater still works.
    world.answer(&sample_events()["dry-run"]);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    let world = World::new();
    let outcome = world.aws.invoke(vec![b'{', 0xff, 0xfe, b'}']);
    let (name, _) = crate::world::error(outcome);
    assert_eq!(name, "InvalidEvent");
}

/// The event of a call whose request has nothing but the name that the caller gave the function.
fn without_parts_of_the_arn(mut event: Value) -> Value {
    let request = event["detail"]["requestParameters"].as_object_mut();
    request.expect("a request").remove("fullyQualifiedArn");
    event
}

#[test]
fn an_event_that_names_no_function_is_refused() {
    let world = World::new();
    world.function(CRM, 1);
    let published = world.publish(CRM, "2.0");
    let mut nameless = published.clone();
    nameless["detail"]["requestParameters"] = json!(null);
    nameless["detail"]["responseElements"] = json!(null);
    invalid(&world, &nameless, "names no function");

    let mut homeless = without_parts_of_the_arn(published.clone());
    homeless["detail"]["responseElements"] = json!(null);
    for (holder, name) in [("detail", "recipientAccountId"), ("", "account")] {
        let holder = if holder.is_empty() {
            &mut homeless
        } else {
            &mut homeless[holder]
        };
        holder.as_object_mut().unwrap().remove(name);
    }
    invalid(&world, &homeless, "account (none)");

    for other in [
        "arn:aws:lambda:us-east-1:123456789012:layer:shared-code:3",
        "arn:aws:s3:::bucket",
        "arn:aws:lambda:us-east-1:123456789012:function:crm:7:8",
        "crm",
        "",
    ] {
        let mut event = published.clone();
        event["detail"]["responseElements"]["functionArn"] = json!(other);
        invalid(&world, &event, "is not a Lambda function's ARN");
    }

    let mut contradiction = published.clone();
    contradiction["detail"]["responseElements"]["version"] = json!("9");
    invalid(
        &world,
        &contradiction,
        "has version 9, but an ARN that ends in 2",
    );
}

#[test]
fn an_alias_event_without_an_alias_is_refused() {
    let world = World::new();
    world.function(CRM, 1);
    let created = world.create_alias(CRM, "live", 1);
    let mut cut = created.clone();
    cut["detail"]["responseElements"] = json!(null);
    cut["detail"]["requestParameters"]["name"] = json!("7");
    invalid(&world, &cut, "`7` is not the name of an alias");
    cut["detail"]["requestParameters"]["name"] = json!(null);
    invalid(&world, &cut, "no `detail.requestParameters.name`");
    let mut unqualified = created;
    unqualified["detail"]["responseElements"]["aliasArn"] = json!(arn(CRM, None));
    invalid(&world, &unqualified, "has no alias");
}

#[test]
fn a_wrong_type_in_a_field_that_is_needed_is_refused_by_name() {
    let world = World::new();
    world.function(CRM, 1);
    let published = world.publish(CRM, "2.0");
    let moved = world.create_alias(CRM, "live", 1);
    let mut cut = without_parts_of_the_arn(published.clone());
    cut["detail"]["responseElements"] = json!(null);
    let mut cut_alias = moved.clone();
    cut_alias["detail"]["responseElements"] = json!(null);
    for (event, pointer) in [
        (&published, "/source"),
        (&published, "/detail-type"),
        (&published, "/detail"),
        (&published, "/detail/eventName"),
        (&published, "/detail/responseElements/functionArn"),
        (&moved, "/detail/responseElements/aliasArn"),
        // Without the response, which CloudTrail cut, the request is needed.
        (&cut, "/detail/requestParameters/functionName"),
        (&cut_alias, "/detail/requestParameters/name"),
    ] {
        for value in [json!(5), json!(true), json!([1]), json!({ "a": 1 })] {
            if pointer == "/detail" && value.is_object() {
                continue;
            }
            let mut event = event.clone();
            *event.pointer_mut(pointer).expect(pointer) = value;
            invalid(&world, &event, &pointer[1..].replace('/', "."));
        }
    }
}

#[test]
fn an_odd_field_that_is_not_needed_loses_no_deployment() {
    let odd = [
        json!(5),
        json!(true),
        json!([1]),
        json!({ "a": 1 }),
        json!("\u{1F980}"),
    ];
    let world = World::one_registration();
    world.create_alias(CRM, "live", 1);
    world.register("live", &arn(CRM, Some("live")));
    let published = world.publish(CRM, "2.0");
    let moved = world.move_alias(CRM, "live", 2);
    for (event, label, pointer) in [
        (&published, "plain", "/id"),
        (&published, "plain", "/time"),
        (&published, "plain", "/account"),
        (&published, "plain", "/region"),
        (&published, "plain", "/resources"),
        (&published, "plain", "/detail/eventID"),
        (&published, "plain", "/detail/eventTime"),
        (&published, "plain", "/detail/requestParameters"),
        (&published, "plain", "/detail/requestParameters/publish"),
        (&published, "plain", "/detail/responseElements/version"),
        (&moved, "live", "/detail/eventTime"),
        (&moved, "live", "/detail/requestParameters"),
        (&moved, "live", "/detail/responseElements/functionVersion"),
    ] {
        for value in &odd {
            let mut event = event.clone();
            *event.pointer_mut(pointer).expect(pointer) = value.clone();
            let answer = world.answer(event);
            let outcome = &connector(&answer, label)["outcome"];
            assert_eq!(outcome, "updated", "{pointer} is {value}");
        }
    }
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("live").1, "2.0");
}

#[test]
fn fields_that_are_not_read_may_be_anything_or_absent() {
    let world = World::one_registration();
    let mut event = world.publish(CRM, "2.0");
    for name in [
        "userIdentity",
        "userAgent",
        "managementEvent",
        "readOnly",
        "requestID",
    ] {
        event["detail"][name] = json!([{ "odd": name }]);
    }
    for name in [
        "eventVersion",
        "recipientAccountId",
        "eventTime",
        "eventSource",
        "awsRegion",
    ] {
        event["detail"].as_object_mut().unwrap().remove(name);
    }
    event["resources"] = json!("none");
    event["brand-new"] = json!({ "deep": [1, 2, 3] });

    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
}
