//! The decision table, row by row and column by column.

use aws_local::faults::Fault;
use serde_json::json;

use crate::world::{CRM, World, arn, connector, outcomes};

fn expect(world: &World, event: impl ToString, expected: [(&str, &str); 5]) {
    let answer = world.answer(event);
    let expected = expected.map(|(label, outcome)| (label.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes(&answer), expected);
}

#[test]
fn a_published_version_refreshes_unqualified_registrations_and_moves_pinned_ones() {
    let world = World::new();
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));

    expect(
        &world,
        event,
        [
            ("beta", "skipped"),
            ("latest", "updated"),
            ("live", "skipped"),
            ("pinned", "updated"),
            ("plain", "updated"),
        ],
    );
    assert_eq!(world.held("plain"), ("".into(), "1.7".into()));
    assert_eq!(world.held("latest"), ("$LATEST".into(), "1.7".into()));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    assert_eq!(world.held("live"), ("live".into(), "1.6".into()));
    assert_eq!(world.held("beta"), ("beta".into(), "1.6".into()));
}

#[test]
fn a_change_of_latest_refreshes_unqualified_registrations_only() {
    let world = World::new();
    world.five_forms();
    let event = world.change_latest(CRM, "1.7");

    expect(
        &world,
        event,
        [
            ("beta", "skipped"),
            ("latest", "updated"),
            ("live", "skipped"),
            ("pinned", "skipped"),
            ("plain", "updated"),
        ],
    );
    assert_eq!(world.held("plain"), ("".into(), "1.7".into()));
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
}

#[test]
fn a_change_of_configuration_refreshes_unqualified_registrations() {
    let world = World::new();
    world.five_forms();
    world.call(
        "UpdateFunctionConfiguration",
        json!({ "FunctionName": CRM, "Description": "new" }),
    );
    let event = world.event();
    assert_eq!(
        event["detail"]["eventName"],
        "UpdateFunctionConfiguration20150331v2"
    );

    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(connector(&answer, "pinned")["outcome"], "skipped");
}

#[test]
fn a_moved_alias_refreshes_only_the_registrations_that_follow_it() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    let event = world.move_alias(CRM, "live", 7);

    expect(
        &world,
        event,
        [
            ("beta", "skipped"),
            ("latest", "skipped"),
            ("live", "updated"),
            ("pinned", "skipped"),
            ("plain", "skipped"),
        ],
    );
    assert_eq!(world.held("live"), ("live".into(), "1.7".into()));
    assert_eq!(world.held("beta"), ("beta".into(), "1.6".into()));
}

#[test]
fn a_recreated_alias_refreshes_its_registrations() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    world.call(
        "DeleteAlias",
        json!({ "FunctionName": CRM, "Name": "live" }),
    );
    let event = world.create_alias(CRM, "live", 7);

    let answer = world.answer(event);
    assert_eq!(connector(&answer, "live")["outcome"], "updated");
    assert_eq!(world.held("live").1, "1.7");
}

#[test]
fn an_alias_is_followed_when_its_shift_of_traffic_ends() {
    let world = World::new();
    world.five_forms();
    world.publish(CRM, "1.7");
    world.call(
        "UpdateAlias",
        json!({
            "FunctionName": CRM,
            "Name": "live",
            "RoutingConfig": { "AdditionalVersionWeights": { "7": 0.1 } },
        }),
    );
    let answer = world.answer(world.event());
    let live = connector(&answer, "live");
    assert_eq!(live["outcome"], "skipped");
    assert!(
        live["reason"]
            .as_str()
            .unwrap()
            .contains("splits its traffic")
    );
    assert_eq!(world.held("live").1, "1.6");

    world.call(
        "UpdateAlias",
        json!({
            "FunctionName": CRM,
            "Name": "live",
            "FunctionVersion": "7",
            "RoutingConfig": {},
        }),
    );
    let answer = world.answer(world.event());
    assert_eq!(connector(&answer, "live")["outcome"], "updated");
    assert_eq!(world.held("live").1, "1.7");
}

#[test]
fn the_registered_version_itself_is_refreshed() {
    let world = World::new();
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    world.answer(&event);

    let answer = world.answer(&event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(pinned["registeredArn"], arn(CRM, Some("7")));
    assert_eq!(pinned["targetArn"], arn(CRM, Some("7")));
}

#[test]
fn a_late_event_of_an_older_version_never_moves_a_registration_back() {
    let world = World::new();
    world.five_forms();
    let seventh = world.publish(CRM, "1.7");
    let eighth = world.publish(CRM, "1.8");
    world.allow(CRM, Some("7"));
    world.allow(CRM, Some("8"));

    world.answer(eighth);
    let answer = world.answer(seventh);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    assert_eq!(
        pinned["reason"],
        "version 7 is older than the registered version 8"
    );
    assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
}

#[test]
fn versions_are_compared_as_numbers() {
    let world = World::new();
    world.function(CRM, 9);
    world.allow(CRM, Some("9"));
    world.register("pinned", &arn(CRM, Some("9")));
    let event = world.publish(CRM, "1.10");
    world.allow(CRM, Some("10"));

    world.answer(event);
    assert_eq!(world.held("pinned"), ("10".into(), "1.10".into()));
}

#[test]
fn publishing_nothing_new_changes_nothing() {
    let world = World::new();
    world.five_forms();
    world.call("PublishVersion", json!({ "FunctionName": CRM }));
    let event = world.event();
    assert_eq!(event["detail"]["responseElements"]["version"], "6");

    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["changed"], json!([]));
    assert_eq!(connector(&answer, "plain")["changed"], json!([]));
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
    assert_eq!(world.held("plain"), ("".into(), "1.6".into()));
}

#[test]
fn register_as_version_pins_unqualified_registrations_to_the_published_version() {
    let world = World::with(&[("REGISTER_AS", "version")]);
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));

    world.answer(event);
    assert_eq!(world.held("plain").0, "7");
    assert_eq!(world.held("latest").0, "7");
    assert_eq!(world.held("pinned").0, "7");
    assert_eq!(world.held("live").0, "live");
}

#[test]
fn without_the_response_that_cloudtrail_cut_lambda_is_asked_for_the_version() {
    let world = World::new();
    world.five_forms();
    let mut event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    event["detail"]["responseElements"] = json!({ "omitted": true, "originalSize": 131_072 });

    let answer = world.answer(event);
    assert_eq!(answer["functionArn"], arn(CRM, None));
    assert_eq!(world.held("plain").1, "1.7");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}

#[test]
fn an_event_of_an_unknown_version_fails_where_versions_may_not_be_listed() {
    let world = World::new();
    world.five_forms();
    let mut event = world.publish(CRM, "1.7");
    event["detail"]["responseElements"] = json!({ "omitted": true, "originalSize": 131_072 });
    let denied = Fault::error("ListVersionsByFunction", "AccessDeniedException");
    world.aws.fault(denied);
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionUnknown");
    for part in ["1 of 5", "pinned: ", "lambda:ListVersionsByFunction"] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(world.held("plain").1, "1.7");
}

#[test]
fn every_form_of_the_function_name_finds_the_registrations() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    for name in [
        CRM.to_owned(),
        format!("123456789012:function:{CRM}"),
        arn(CRM, None),
        arn(CRM, Some("2")),
    ] {
        let mut event = event.clone();
        event["detail"]["requestParameters"]["functionName"] = json!(name);
        event["detail"]["responseElements"] = json!(null);
        let answer = world.answer(event);
        assert_eq!(connector(&answer, "plain")["outcome"], "updated", "{name}");
    }
}

#[test]
fn a_function_of_the_same_name_elsewhere_is_another_function() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0").to_string();
    for other in [
        event.replace("123456789012", "111122223333"),
        event.replace("us-east-1", "eu-west-1"),
        event.replace("function:crm:", "function:crm2:"),
    ] {
        let answer = world.answer(other);
        assert_eq!(answer["connectors"], json!([]));
    }
    assert_eq!(world.held("plain").1, "1.1");
}
