//! What an update changed, in the response, the log, and the metrics.

use std::time::{Duration, Instant};

use aws_local::faults::{Fault, Kind};
use serde_json::{Value, json};

use crate::meanwhile::change_latest;
use crate::world::{CRM, World, arn, connector, package_of};

const UPDATE: &str = "UpdateConnectorRegistration";
const SWEEP: &str = r#"{"sweep": {}}"#;

/// The registration's log line in the only invocation.
fn line(world: &World, label: &str) -> Value {
    let lines = world.log_of(1);
    let told = |line: &&Value| line["connectorLabel"] == label && line["outcome"] == "updated";
    let line = lines.iter().find(told);
    line.expect("a line").clone()
}

#[test]
fn an_update_tells_both_connector_versions_and_what_changed() {
    let world = World::one_registration();
    let connector_code = json!({
        "connectorName": "Acme CRM",
        "connectorOwner": "Acme",
        "connectorVersion": "2.0",
        "supportedOperators": ["PROJECTION"],
        "authenticationConfig": { "isBasicAuthSupported": true },
    });
    world.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": CRM, "ZipFile": package_of(&connector_code) }),
    );
    let answer = world.answer(world.event());
    let plain = connector(&answer, "plain");
    assert_eq!(plain["previousConnectorVersion"], "1.1");
    assert_eq!(plain["connectorVersion"], "2.0");
    assert_eq!(
        plain["changed"],
        json!([
            "authenticationConfig",
            "connectorVersion",
            "supportedOperators"
        ])
    );
    let line = line(&world, "plain");
    assert_eq!(line["previousConnectorVersion"], "1.1");
    assert_eq!(line["connectorVersion"], "2.0");
    assert_eq!(
        line["changed"],
        "authenticationConfig,connectorVersion,supportedOperators"
    );
}

#[test]
fn the_order_in_which_appflow_returns_lists_is_no_change() {
    let world = World::one_registration();
    let connector_code = json!({
        "connectorName": "Acme CRM",
        "connectorOwner": "Acme",
        "connectorVersion": "2.0",
        "supportedOperators": ["PROJECTION", "EQUAL_TO", "CONTAINS"],
        "supportedApiVersions": ["v1", "v2", "v3"],
        "authenticationConfig": {
            "oAuth2Defaults": { "oauthScopes": ["read", "write"], "tokenUrls": ["a", "b", "c"] },
        },
        "connectorRuntimeSettings": [
            { "key": "instance", "connectorSuppliedValueOptions": ["eu", "us", "ap"] },
            { "key": "page", "connectorSuppliedValueOptions": ["1", "2"] },
            { "key": "zone", "connectorSuppliedValueOptions": [] },
        ],
    });
    let input = json!({ "FunctionName": CRM, "ZipFile": package_of(&connector_code) });
    world.call("UpdateFunctionCode", input);
    world.answer(world.event());
    world.aws.state().appflow.shuffle_lists();
    for _ in 0..3 {
        let answer = world.answer(SWEEP);
        assert_eq!(connector(&answer, "plain")["changed"], json!([]));
    }
    for line in &world.metrics(4)[1..] {
        assert_eq!(line["StaleRegistrations"], 0, "{line}");
    }
}

#[test]
fn an_update_that_changes_nothing_says_so() {
    let world = World::with(&[("UPDATE_DESCRIPTION", "another description")]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    world.call("PublishVersion", json!({ "FunctionName": CRM }));
    let answer = world.answer(world.event());
    let plain = connector(&answer, "plain");
    assert_eq!(plain["previousConnectorVersion"], "1.1");
    assert_eq!(plain["connectorVersion"], "1.1");
    assert_eq!(plain["changed"], json!([]));
    assert_eq!(line(&world, "plain")["changed"], "");
    assert_eq!(world.metrics(1)[0]["RegistrationsChanged"], 0);
}

#[test]
fn a_move_to_a_version_with_the_same_configuration_changes_nothing() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.five_forms();
    let same_again = json!({ "FunctionName": CRM, "Description": "another" });
    world.call("PublishVersion", same_again);
    let answer = world.answer(world.event());
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["targetArn"], arn(CRM, Some("7")));
    assert_eq!(pinned["changed"], json!([]));
}

#[test]
fn an_update_without_evidence_is_not_a_failure_and_the_log_says_why_there_is_none() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let denied = Fault::error("DescribeConnector", "AccessDeniedException");
    world
        .aws
        .once_after(UPDATE, |world| world.faults.add(denied));
    let answer = world.answer(event);
    assert_eq!(
        answer["connectors"],
        json!([{
            "connectorLabel": "plain",
            "outcome": "updated",
            "registeredArn": arn(CRM, None),
            "targetArn": arn(CRM, None),
        }])
    );
    let lines = world.log_with("what the update changed is unknown");
    let told = |line: &Value| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "WARN"
            && line["connectorLabel"] == "plain"
            && message.contains("AccessDeniedException")
    };
    assert!(lines.iter().any(told), "{lines:?}");
    assert_eq!(line(&world, "plain")["changed"], Value::Null);
    let metrics = &world.metrics(1)[0];
    assert_eq!(metrics["RegistrationsUpdated"], 1);
    assert_eq!(metrics["RegistrationsChanged"], 0);
}

#[test]
fn a_finished_update_waits_five_seconds_for_its_evidence_and_no_longer() {
    let world = World::one_registration();
    let event = world.publish(CRM, "2.0");
    let slow = Kind::Slow(Duration::from_secs(60));
    let silent = Fault::of("DescribeConnector", slow);
    world
        .aws
        .once_after(UPDATE, |world| world.faults.add(silent));
    let begun = Instant::now();
    let answer = world.begin(Duration::from_secs(60), event).answer();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let plain = connector(&answer, "plain");
    assert_eq!(plain["outcome"], "updated");
    assert!(plain.get("changed").is_none(), "{plain}");
    let lines = world.log_with("what the update changed is unknown");
    let told = |line: &Value| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "WARN" && message.contains("no answer within 5 seconds")
    };
    assert!(lines.iter().any(told), "{lines:?}");
}

#[test]
fn every_invocation_counts_what_it_changed_and_a_sweep_what_it_found() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.five_forms();
    world.function("gone", 1);
    world.register("orphan", &arn("gone", None));
    world.call("DeleteFunction", json!({ "FunctionName": "gone" }));
    // Changes `plain` and `latest`, and moves `pinned`.
    world.answer(world.publish(CRM, "1.7"));
    // Lost: `plain` and `latest` are stale, and `pinned` is behind.
    world.publish(CRM, "1.8");
    world.answer(SWEEP);
    // Nothing is stale any more; `pinned` is still behind.
    world.answer(SWEEP);
    world.answer(r#"{"sweep": {"move": true}}"#);

    let names = [
        "RegistrationsUpdated",
        "RegistrationsSkipped",
        "RegistrationsChanged",
        "StaleRegistrations",
        "RegistrationsBehind",
        "OrphanedRegistrations",
    ];
    let lines = world.metrics(4);
    let counts: Vec<[Option<u64>; 6]> = lines
        .iter()
        .map(|line| names.map(|name| line[name].as_u64()))
        .collect();
    assert_eq!(
        counts,
        [
            [Some(3), Some(2), Some(3), None, None, None],
            [4, 2, 2, 2, 1, 1].map(Some),
            [4, 2, 0, 0, 1, 1].map(Some),
            [5, 1, 1, 1, 0, 1].map(Some),
        ]
    );
    let defined = lines[1]["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
    for name in names {
        let unit = json!({ "Name": name, "Unit": "Count" });
        assert!(defined.unwrap().contains(&unit), "{name}");
    }
}

#[test]
fn what_was_changed_in_two_rounds_is_told_as_one() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, change_latest("1.1"));
    let answer = world.answer(event);
    let plain = connector(&answer, "plain");
    assert_eq!(plain["connectorVersion"], "1.1");
    assert_eq!(plain["changed"], json!([]), "as it was before");
}
