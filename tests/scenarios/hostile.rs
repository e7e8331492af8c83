//! Input that no service sends: a clear error, and nothing else.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn, sample_events};

fn invalid(world: &World, payload: impl ToString, part: &str) {
    let (name, message) = world.error(payload);
    assert_eq!(name, "InvalidEvent", "{message}");
    assert!(message.contains(part), "`{part}` is not in {message}");
    assert!(message.len() < 4096, "{} characters", message.len());
    assert_eq!(world.calls(), [].into(), "radio silence, {message}");
}

#[test]
fn what_is_no_event_is_refused_without_a_call() {
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
            "`source` is a number",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail"}"#,
            "no `detail`",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": []}"#,
            "`detail` is an array",
        ),
        (
            r#"{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": {}}"#,
            "no `detail.eventName`",
        ),
    ] {
        invalid(&world, payload, part);
    }
    // It is still at work.
    world.answer(&sample_events()["dry-run"]);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let world = World::new();
    let outcome = world.aws.invoke(vec![b'{', 0xff, 0xfe, b'}']);
    let (name, _) = crate::world::error(outcome);
    assert_eq!(name, "InvalidEvent");
}

#[test]
fn an_event_whose_function_is_not_told_is_refused() {
    let world = World::new();
    world.function(CRM, 1);
    let published = world.publish(CRM, "2.0");
    let mut nameless = published.clone();
    nameless["detail"]["requestParameters"] = json!(null);
    nameless["detail"]["responseElements"] = json!(null);
    invalid(&world, &nameless, "names no function");

    let mut homeless = published.clone();
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
    invalid(&world, &contradiction, "has version 9 and the ARN of 2");
}

#[test]
fn an_alias_event_without_an_alias_is_refused() {
    let world = World::new();
    world.function(CRM, 1);
    let created = world.create_alias(CRM, "live", 1);
    let mut cut = created.clone();
    cut["detail"]["responseElements"] = json!(null);
    cut["detail"]["requestParameters"]["name"] = json!("7");
    invalid(&world, &cut, "no alias can be called");
    cut["detail"]["requestParameters"]["name"] = json!(null);
    invalid(&world, &cut, "no `detail.requestParameters.name`");
    let mut unqualified = created;
    unqualified["detail"]["responseElements"]["aliasArn"] = json!(arn(CRM, None));
    invalid(&world, &unqualified, "has no alias");
}

#[test]
fn a_wrong_type_in_any_field_that_is_read_is_refused_by_name() {
    let world = World::new();
    world.function(CRM, 1);
    let published = world.publish(CRM, "2.0");
    let moved = world.create_alias(CRM, "live", 1);
    let fields = [
        (&published, "/source"),
        (&published, "/detail-type"),
        (&published, "/detail"),
        (&published, "/detail/eventName"),
        (&published, "/detail/eventID"),
        (&published, "/detail/eventSource"),
        (&published, "/detail/eventTime"),
        (&published, "/detail/requestParameters"),
        (&published, "/detail/responseElements"),
        (&published, "/detail/responseElements/functionArn"),
        (&published, "/detail/responseElements/version"),
        (&moved, "/detail/responseElements/aliasArn"),
        (&moved, "/detail/responseElements/functionVersion"),
    ];
    for (event, pointer) in fields {
        for value in [
            json!(5),
            json!(true),
            json!([1]),
            json!({ "a": 1 }),
            json!("\u{1F980}"),
        ] {
            // An object is what three of them are, and text names a source or a call like any other.
            let fits = match &value {
                Value::Object(_) => matches!(
                    pointer,
                    "/detail/requestParameters" | "/detail/responseElements" | "/detail"
                ),
                Value::String(_) => matches!(
                    pointer,
                    "/source"
                        | "/detail-type"
                        | "/detail/eventName"
                        | "/detail/eventID"
                        | "/detail/eventSource"
                        | "/detail/responseElements/functionVersion"
                ),
                _ => false,
            };
            if fits {
                continue;
            }
            let mut event = event.clone();
            *event.pointer_mut(pointer).expect(pointer) = value;
            invalid(&world, &event, &pointer[1..].replace('/', "."));
        }
    }

    // What an error code, a flag or a route of traffic may be.
    for (event, name, value) in [
        (&published, "errorCode", json!(5)),
        (&published, "requestParameters", json!({ "dryRun": "yes" })),
        (
            &moved,
            "responseElements",
            json!({
                "aliasArn": arn(CRM, Some("live")),
                "routingConfig": "7",
            }),
        ),
        (
            &moved,
            "responseElements",
            json!({
                "aliasArn": arn(CRM, Some("live")),
                "routingConfig": { "additionalVersionWeights": [7] },
            }),
        ),
    ] {
        let mut event = event.clone();
        event["detail"][name] = value;
        invalid(&world, &event, name);
    }
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
