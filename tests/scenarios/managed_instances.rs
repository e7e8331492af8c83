//! Functions on Lambda Managed Instances, whose unqualified ARN runs `$LATEST.PUBLISHED`.

use aws_local::lambda::{LastUpdate, Settling, State};
use serde_json::{Value, json};

use crate::meanwhile::{call, put_into};
use crate::world::{CRM, World, arn, connector, package};

const LATEST_PUBLISHED: &str = "$LATEST.PUBLISHED";
const LOOK: &str = "GetFunctionConfiguration";
const SWEEP: &str = r#"{"sweep": {}}"#;

/// Function `crm` on Lambda Managed Instances at connector version 1.0, published as
/// `$LATEST.PUBLISHED` and as version 1, and registered as `plain`, `published`, `pinned` (1) and
/// `live` (an alias).
fn managed(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    let input = json!({
        "FunctionName": CRM,
        "Code": { "ZipFile": package("1.0") },
        "CapacityProviderConfig": {},
        "Publish": true,
        "PublishTo": "LATEST_PUBLISHED",
    });
    world.call("CreateFunction", input);
    world.allow(CRM, None);
    world.call("PublishVersion", json!({ "FunctionName": CRM }));
    world.allow(CRM, Some("1"));
    world.create_alias(CRM, "live", 1);
    for (label, qualifier) in [
        ("plain", None),
        ("published", Some(LATEST_PUBLISHED)),
        ("pinned", Some("1")),
        ("live", Some("live")),
    ] {
        world.register(label, &arn(CRM, qualifier));
    }
    world.aws.take_events();
    world
}

/// Publishes a connector version to `$LATEST.PUBLISHED`, and returns the event.
fn publish(world: &World, connector_version: &str) -> Value {
    let input = json!({
        "FunctionName": CRM,
        "ZipFile": package(connector_version),
        "Publish": true,
        "PublishTo": "LATEST_PUBLISHED",
    });
    world.call("UpdateFunctionCode", input);
    world.event()
}

/// Asserts the outcomes of the four registrations.
fn expect(answer: &Value, expected: [(&str, &str); 4]) {
    for (label, outcome) in expected {
        assert_eq!(connector(answer, label)["outcome"], outcome, "{label}");
    }
}

#[test]
fn publishing_to_latest_published_refreshes_what_runs_it_and_skips_the_others() {
    let world = managed(&[]);
    let answer = world.answer(publish(&world, "2.0"));
    expect(
        &answer,
        [
            ("plain", "updated"),
            ("published", "updated"),
            ("pinned", "skipped"),
            ("live", "skipped"),
        ],
    );
    assert_eq!(world.held("plain"), ("".into(), "2.0".into()));
    assert_eq!(
        world.held("published"),
        (LATEST_PUBLISHED.into(), "2.0".into())
    );
    assert_eq!(world.held("pinned").1, "1.0");
}

#[test]
fn without_the_response_that_cloudtrail_cut_the_request_is_read() {
    let world = managed(&[]);
    let mut event = publish(&world, "2.0");
    event["detail"]["responseElements"] = json!({ "omitted": true });
    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("published").1, "2.0");
    assert_eq!(world.held("pinned").0, "1");
}

#[test]
fn lambda_s_own_event_of_a_publication_refreshes_what_runs_it() {
    let world = managed(&[]);
    world.aws.state().state_events = true;
    // The event comes last, when it is ready.
    let event = publish(&world, "2.0");
    assert_eq!(
        event["resources"],
        json!([arn(CRM, Some(LATEST_PUBLISHED))])
    );
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(connector(&answer, "pinned")["outcome"], "skipped");
    assert_eq!(world.held("published").1, "2.0");
}

#[test]
fn an_unqualified_registration_waits_for_latest_published() {
    let world = managed(&[]);
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    world.answer(publish(&world, "2.0"));
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("published").1, "2.0");
}

#[test]
fn what_is_published_during_the_update_is_updated_too() {
    let world = managed(&[("CONNECTOR_LABELS", "plain")]);
    let event = publish(&world, "2.0");
    world
        .aws
        .once_after("UpdateConnectorRegistration", |world| {
            let input = json!({
                "FunctionName": CRM,
                "ZipFile": package("3.0"),
                "Publish": true,
                "PublishTo": "LATEST_PUBLISHED",
            });
            call(world, "UpdateFunctionCode", &input);
        });
    world.answer(event);
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn numbered_versions_and_aliases_work_as_usual() {
    let world = managed(&[("GRANT_INVOKE", "true")]);
    let event = world.publish(CRM, "2.0");
    assert_eq!(event["detail"]["responseElements"]["version"], "2");
    expect(
        &world.answer(event),
        [
            ("plain", "updated"),
            ("published", "skipped"),
            ("pinned", "updated"),
            ("live", "skipped"),
        ],
    );
    assert_eq!(world.held("pinned"), ("2".into(), "2.0".into()));
    assert_eq!(
        world.held("plain").1,
        "1.0",
        "an unqualified invocation runs $LATEST.PUBLISHED"
    );

    let moved = world.move_alias(CRM, "live", 2);
    let answer = world.answer(moved);
    assert_eq!(connector(&answer, "live")["outcome"], "updated");
    let reason = connector(&answer, "published")["reason"].as_str();
    assert!(reason.is_some_and(|reason| reason.contains(LATEST_PUBLISHED)));
    assert_eq!(world.held("live").1, "2.0");
}

#[test]
fn a_sweep_refreshes_every_form_that_is_not_behind() {
    let world = managed(&[("GRANT_INVOKE", "true")]);
    publish(&world, "2.0");
    world.publish(CRM, "3.0");
    let answer = world.answer(SWEEP);
    expect(
        &answer,
        [
            ("plain", "updated"),
            ("published", "updated"),
            ("pinned", "skipped"),
            ("live", "updated"),
        ],
    );
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("published").1, "2.0");
    assert_eq!(world.held("pinned"), ("1".into(), "1.0".into()));
}

#[test]
fn a_function_without_latest_published_is_not_found() {
    let world = managed(&[("CONNECTOR_LABELS", "plain")]);
    let event = publish(&world, "2.0");
    let delete = json!({ "FunctionName": CRM, "Qualifier": LATEST_PUBLISHED });
    world.call("DeleteFunction", delete);
    let (name, message) = world.error(event);
    assert_eq!(name, "FunctionNotFound");
    assert!(message.contains(LATEST_PUBLISHED), "{message}");
    let answer = world.answer(SWEEP);
    assert_eq!(connector(&answer, "plain")["outcome"], "skipped");
}

#[test]
fn a_registration_with_latest_cannot_be_invoked_and_fails_at_once() {
    let world = managed(&[]);
    // It was registered while the function was an ordinary one.
    let latest = arn(CRM, Some("$LATEST"));
    let mut aws = world.aws.state();
    put_into(&mut aws, CRM, State::Active, LastUpdate::Successful);
    drop(aws);
    world.register("latest", &latest);
    let mut aws = world.aws.state();
    put_into(
        &mut aws,
        CRM,
        State::ActiveNonInvocable,
        LastUpdate::Successful,
    );
    drop(aws);
    let (name, message) = world.error(json!({ "sweep": { "labels": ["latest"] } }));
    assert_eq!(name, "FunctionFailed");
    assert!(message.contains("ActiveNonInvocable"), "{message}");
    assert_eq!(world.calls()[LOOK], 1);
}
