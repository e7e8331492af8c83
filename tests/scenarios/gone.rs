//! Registrations whose function no longer exists, or whose ARN is invalid.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, package};

const SWEEP: &str = r#"{"sweep": {}}"#;

/// `plain`, and registrations in every form of a function that was deleted.
fn orphans() -> World {
    let world = World::one_registration();
    world.function("gone", 1);
    world.allow("gone", Some("1"));
    world.create_alias("gone", "live", 1);
    for (label, qualifier) in [
        ("gone-plain", None),
        ("gone-pinned", Some("1")),
        ("gone-live", Some("live")),
    ] {
        world.register(label, &arn("gone", qualifier));
    }
    world.call("DeleteFunction", json!({ "FunctionName": "gone" }));
    world
}

#[test]
fn a_sweep_skips_a_registration_whose_function_is_gone_with_a_warning() {
    let world = orphans();
    world.change_latest(CRM, "2.0");
    let answer = world.answer(SWEEP);
    assert_eq!(world.held("plain").1, "2.0");
    let lines = world.log_of(1);
    for label in ["gone-plain", "gone-pinned", "gone-live"] {
        let orphan = connector(&answer, label);
        assert_eq!(orphan["outcome"], "skipped");
        let reason = orphan["reason"].as_str().unwrap_or_default();
        assert!(
            reason.contains("the function, version, or alias no longer exists"),
            "{reason}"
        );
        assert!(reason.contains("Unregister the connector"), "{reason}");
        let line = lines.iter().find(|line| line["connectorLabel"] == label);
        let line = line.expect("a line");
        assert_eq!(line["level"], "WARN", "{label}");
        assert_eq!(line["reason"], reason);
    }
    let metrics = &world.metrics(1)[0];
    assert_eq!(metrics["OrphanedRegistrations"], 3);
    assert_eq!(metrics["RegistrationsFailed"], 0);
}

#[test]
fn a_sweep_skips_a_registration_whose_alias_is_gone() {
    let world = World::new();
    world.five_forms();
    let alias = json!({ "FunctionName": CRM, "Name": "beta" });
    world.call("DeleteAlias", alias);
    let answer = world.answer(SWEEP);
    assert_eq!(connector(&answer, "beta")["outcome"], "skipped");
    assert_eq!(connector(&answer, "live")["outcome"], "updated");
    assert_eq!(world.metrics(1)[0]["OrphanedRegistrations"], 1);
}

/// `crm` registered at version 6, then recreated without any version.
fn without_versions() -> World {
    let world = World::new();
    world.five_forms();
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.function(CRM, 0);
    world
}

#[test]
fn a_sweep_skips_a_pinned_registration_of_a_function_without_versions() {
    let world = without_versions();
    let answer = world.answer(SWEEP);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    let reason = pinned["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("has no published version"), "{reason}");
    assert_eq!(world.held("plain").1, "1.0");
    assert_eq!(world.metrics(1)[0]["OrphanedRegistrations"], 3);
}

#[test]
fn an_event_of_a_function_without_versions_is_an_error() {
    let world = without_versions();
    let published = json!({
        "source": "aws.lambda",
        "detail-type": "AWS API Call via CloudTrail",
        "region": "us-east-1",
        "account": "123456789012",
        "detail": {
            "eventName": "PublishVersion20150331",
            "requestParameters": { "functionName": CRM },
            "responseElements": { "omitted": true },
        },
    });
    let (name, message) = world.error(published);
    assert_eq!(name, "FunctionNotFound");
    assert!(
        message.contains("pinned: FunctionNotFound") && message.contains("no published version"),
        "{message}"
    );
}

/// A registration whose ARN AppFlow accepts, but is not a Lambda function's.
fn unreadable(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let odd = "odd name";
    world.call(
        "CreateFunction",
        json!({ "FunctionName": odd, "Code": { "ZipFile": package("1.0") } }),
    );
    world.allow(odd, None);
    world.register("odd", &arn(odd, None));
    world.aws.take_events();
    world
}

#[test]
fn an_invalid_arn_does_not_fail_other_functions_deployments() {
    for settings in [&[][..], &[("CONNECTOR_LABELS", "odd,plain")]] {
        let world = unreadable(settings);
        let answer = world.answer(world.publish(CRM, "2.0"));
        assert_eq!(answer["connectors"].as_array().map(Vec::len), Some(1));
        assert_eq!(world.held("plain").1, "2.0");
        let lines = world.log_with("odd name");
        let warned = |line: &Value| line["level"] == "WARN" && line["connectorLabel"] == "odd";
        assert!(lines.iter().any(warned), "{lines:?}");
    }
}

#[test]
fn an_invalid_arn_is_a_failure_of_every_sweep_that_may_be_about_it() {
    let fails = |world: &World, payload: &Value| {
        let (name, message) = world.error(payload);
        assert_eq!(name, "DescribeFailed");
        assert!(message.contains("odd: DescribeFailed"), "{message}");
        assert!(message.contains("odd name"), "{message}");
        assert_eq!(world.held("plain").1, "2.0");
    };
    let world = unreadable(&[]);
    world.publish(CRM, "2.0");
    fails(&world, &json!({ "sweep": {} }));
    fails(&world, &json!({ "sweep": { "labels": ["odd"] } }));
    fails(&world, &json!({ "sweep": { "functions": [CRM] } }));
}
