//! The response, the log lines, and the line of metrics.

use serde_json::json;

use crate::world::{CRM, World, arn, sample_events};

#[test]
fn the_response_is_the_documented_one() {
    let world = World::new();
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    let answer = world.answer(&event);
    let skipped = |label: &str, alias: &str| {
        json!({
            "connectorLabel": label,
            "outcome": "skipped",
            "registeredArn": arn(CRM, Some(alias)),
            "reason": format!("registered with alias {alias}: it is updated when the alias moves"),
        })
    };
    let updated = |label: &str, registered: Option<&str>, target: Option<&str>| {
        json!({
            "connectorLabel": label,
            "outcome": "updated",
            "registeredArn": arn(CRM, registered),
            "targetArn": arn(CRM, target),
            "previousConnectorVersion": "1.6",
            "connectorVersion": "1.7",
            "changed": ["connectorVersion"],
        })
    };
    assert_eq!(
        answer,
        json!({
            "eventId": event["detail"]["eventID"],
            "eventName": "UpdateFunctionCode20150331v2",
            "functionArn": arn(CRM, None),
            "dryRun": false,
            "connectors": [
                skipped("beta", "beta"),
                updated("latest", Some("$LATEST"), Some("$LATEST")),
                skipped("live", "live"),
                updated("pinned", Some("6"), Some("7")),
                updated("plain", None, None),
            ],
        })
    );
}

#[test]
fn every_decision_is_one_line_with_what_lambda_and_an_operator_look_for() {
    let world = World::new();
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    world.answer(&event);
    let lines = world.log_of(1);
    for label in ["plain", "latest", "pinned", "live", "beta"] {
        let decisions: Vec<_> = lines
            .iter()
            .filter(|line| line["connectorLabel"] == label)
            .collect();
        let [line] = decisions.as_slice() else {
            panic!("one line for {label}, not {decisions:?}");
        };
        assert_eq!(line["level"], "INFO");
        let timestamp = line["timestamp"].as_str().expect("a timestamp");
        assert!(
            timestamp.ends_with('Z') && timestamp.contains('T'),
            "{timestamp}"
        );
        assert!(
            line["message"]
                .as_str()
                .unwrap()
                .starts_with("registration ")
        );
        assert_eq!(line["eventId"], event["detail"]["eventID"]);
        assert_eq!(line["functionArn"], arn(CRM, None));
        assert!(line["requestId"].as_str().is_some_and(|id| !id.is_empty()));
        assert_eq!(line["requestId"], line["span"]["requestId"]);
    }
}

#[test]
fn a_failed_registration_is_an_error_line_with_its_reason() {
    let world = World::with(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    world.aws.fault(aws_local::faults::Fault::error(
        "UpdateConnectorRegistration",
        "ValidationException",
    ));
    world.error(world.publish(CRM, "2.0"));
    let lines = world.log_of(1);
    let line = lines
        .iter()
        .find(|line| line["connectorLabel"] == "plain")
        .expect("a line");
    assert_eq!(line["level"], "ERROR");
    assert!(
        line["reason"]
            .as_str()
            .unwrap()
            .contains("ValidationException")
    );
    // The span with the request id is there at every level.
    assert_eq!(line["requestId"], line["span"]["requestId"]);

    let lines = world.log_with("UpdateFailed: 1 of 1 registrations failed");
    let whole = lines
        .iter()
        .find(|whole| {
            whole["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("UpdateFailed"))
        })
        .expect("the invocation's error");
    assert_eq!(whole["level"], "ERROR");
    assert_eq!(whole["span"]["requestId"], line["requestId"]);
}

#[test]
fn lambda_s_text_format_gives_lines_for_people() {
    let world = World::with(&[("AWS_LAMBDA_LOG_FORMAT", "Text")]);
    world.answer(&sample_events()["dry-run"]);
    let line = world
        .log_with("event ignored")
        .pop()
        .expect("a line about it");
    let line = line.as_str().expect("not JSON");
    assert!(line.contains(" INFO "), "{line}");
    assert!(!line.contains('\u{1b}'), "no colors: {line}");
}

#[test]
fn the_default_log_holds_neither_the_event_nor_a_credential() {
    let world = World::with(&[("AWS_SESSION_TOKEN", "token-for-the-test")]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let mut event = world.publish(CRM, "2.0");
    event["detail"]["userIdentity"]["userName"] = json!("somebody-in-particular");
    world.answer(event);
    world.log_of(1);
    let log = world.log();
    for secret in [
        "somebody-in-particular",
        "192.0.2.10",
        "aws-local",
        "token-for-the-test",
    ] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
}

#[test]
fn an_id_and_a_name_of_a_megabyte_are_cut_in_the_log() {
    let world = World::one_registration();
    let long = "x".repeat(1 << 20);
    let mut deployed = world.publish(CRM, "2.0");
    deployed["id"] = json!(long);
    deployed["detail"]["eventID"] = json!(long);
    let mut ignored = deployed.clone();
    ignored["detail"]["eventName"] = json!(long);
    world.answer(deployed);
    world.answer(ignored);
    world.log_of(2);
    for line in world.updater.lines() {
        assert!(line.len() < 4096, "{} characters", line.len());
    }
    assert!(world.log().contains(&"x".repeat(100)), "{}", world.log());
}

#[test]
fn each_invocation_writes_one_line_of_metrics_whatever_becomes_of_it() {
    let world = World::with(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")]);
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    // Not allowed: the pinned registration fails.
    world.error(&event);
    world.answer(json!({ "sweep": { "dryRun": true, "labels": ["plain", "live"] } }));
    world.answer(&sample_events()["failed-call"]);
    world.error("not JSON");

    let lines = world.metrics(4);
    let counts: Vec<_> = lines
        .iter()
        .map(|line| {
            ["Updated", "Skipped", "Failed", "Planned"]
                .map(|name| line[format!("Registrations{name}")].as_u64().unwrap())
        })
        .collect();
    assert_eq!(counts, [[2, 2, 1, 0], [0, 0, 0, 2], [0; 4], [0; 4]]);
    for line in &lines {
        assert_eq!(line["FunctionName"], "connector-updater");
        assert_eq!(
            line["level"], "ERROR",
            "a level that the filter lets through"
        );
    }
    let time = lines[0]["DeploymentToUpdate"].as_f64().expect("a time");
    // The event came two minutes late.
    assert!((120_000.0..240_000.0).contains(&time), "{time}");
    assert!(lines[1].get("DeploymentToUpdate").is_none());
}
