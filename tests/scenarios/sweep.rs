//! Every registration is converged without an event.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::Settling;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, error, outcomes, sample_events};

const SWEEP: &str = r#"{"sweep": {}}"#;
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// Events of these deployments are lost.
fn lose_events(world: &World) {
    world.publish(CRM, "1.7");
    world.publish(CRM, "1.8");
    world.move_alias(CRM, "live", 8);
}

#[test]
fn a_sweep_makes_up_for_lost_events() {
    for payload in [json!({ "sweep": {} }), sample_events()["schedule"].clone()] {
        let world = World::with(GRANTING);
        world.five_forms();
        lose_events(&world);
        let answer = world.answer(&payload);
        assert_eq!(answer["eventName"], "sweep");
        assert_eq!(answer["eventId"], payload["id"]);
        assert!(
            outcomes(&answer)
                .iter()
                .all(|(_, outcome)| outcome == "updated")
        );
        assert_eq!(world.held("plain"), ("".into(), "1.8".into()));
        assert_eq!(world.held("latest"), ("$LATEST".into(), "1.8".into()));
        assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
        assert_eq!(world.held("live"), ("live".into(), "1.8".into()));
        assert_eq!(world.held("beta"), ("beta".into(), "1.6".into()));
    }
}

#[test]
fn two_hundred_and_fifty_registrations_of_all_forms_are_swept_with_each_function_looked_up_once() {
    let world = World::with(GRANTING);
    let functions: Vec<String> = (0..5).map(|number| format!("function-{number}")).collect();
    for function in &functions {
        world.function(function, 1);
        world.allow(function, Some("1"));
        world.create_alias(function, "live", 1);
    }
    for number in 0..250 {
        let function = &functions[number % 5];
        let qualifier = [None, Some("1"), Some("live"), Some("$LATEST")][number / 5 % 4];
        world.register(&format!("connector-{number:03}"), &arn(function, qualifier));
    }
    for function in &functions {
        // More versions than a page of ListVersionsByFunction has.
        for version in 2..=60 {
            world.publish(function, &format!("1.{version}"));
        }
        world.move_alias(function, "live", 60);
    }

    let answer = world.answer(SWEEP);
    assert_eq!(outcomes(&answer).len(), 250);
    for (label, has, current) in world.aws.versions() {
        assert_eq!(has, "1.60", "{label}");
        assert_eq!(has, current, "{label}");
    }
    assert_eq!(world.held("connector-005").0, "60");
    let calls = world.calls();
    assert_eq!(calls["ListConnectors"], 3);
    assert_eq!(calls["DescribeConnector"], 250);
    assert_eq!(calls["UpdateConnectorRegistration"], 250);
    // Two pages for each function; a look at each of its four ARNs.
    assert_eq!(calls["ListVersionsByFunction"], 5 * 2);
    assert_eq!(calls["GetFunctionConfiguration"], 5 * 4);
}

#[test]
fn a_sweep_of_labels_leaves_the_others_alone() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    let answer = world.answer(json!({ "sweep": { "labels": ["plain", "pinned"] } }));
    assert_eq!(outcomes(&answer).len(), 2);
    assert_eq!(world.held("plain").1, "1.8");
    assert_eq!(world.held("pinned").0, "8");
    assert_eq!(world.held("live").1, "1.6");
    assert_eq!(world.calls().get("ListConnectors"), None);
}

#[test]
fn a_sweep_keeps_to_the_labels_of_the_settings() {
    let world = World::with(&[("CONNECTOR_LABELS", "plain,pinned")]);
    world.five_forms();
    lose_events(&world);
    world.allow(CRM, Some("8"));
    let answer = world.answer(SWEEP);
    assert_eq!(outcomes(&answer).len(), 2);
    assert_eq!(world.held("live").1, "1.6");
    world.calls();

    let (name, message) = world.error(json!({ "sweep": { "labels": ["plain", "live"] } }));
    assert_eq!(name, "InvalidEvent");
    assert!(
        message.contains("`live`, which is not in CONNECTOR_LABELS"),
        "{message}"
    );
    assert_eq!(world.calls(), [].into());
}

#[test]
fn a_misspelt_sweep_changes_nothing() {
    let world = World::new();
    world.five_forms();
    for payload in [
        r#"{"sweep": {"dryrun": true}}"#,
        r#"{"sweep": {"label": ["plain"]}}"#,
        r#"{"sweep": {"labels": []}}"#,
        r#"{"sweep": {}, "dryRun": true}"#,
        r#"{"sweep": true}"#,
    ] {
        let (name, _) = world.error(payload);
        assert_eq!(name, "InvalidEvent", "{payload}");
    }
    assert_eq!(world.calls(), [].into());
}

#[test]
fn a_sweep_with_dry_run_makes_no_write() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    let answer = world.answer(json!({ "sweep": { "dryRun": true } }));
    assert_eq!(answer["dryRun"], true);
    assert!(
        outcomes(&answer)
            .iter()
            .all(|(_, outcome)| outcome == "planned")
    );
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["registeredArn"], arn(CRM, Some("6")));
    assert_eq!(pinned["targetArn"], arn(CRM, Some("8")));
    no_write(&world);
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
}

#[test]
fn dry_run_as_a_setting_makes_no_write_for_events_and_sweeps() {
    let world = World::with(&[("DRY_RUN", "true"), ("GRANT_INVOKE", "true")]);
    world.five_forms();
    let answer = world.answer(world.publish(CRM, "1.7"));
    assert_eq!(answer["dryRun"], true);
    assert_eq!(connector(&answer, "plain")["outcome"], "planned");
    assert_eq!(connector(&answer, "pinned")["outcome"], "planned");
    assert_eq!(connector(&answer, "live")["outcome"], "skipped");
    // A sweep cannot ask for more than the settings allow.
    world.answer(json!({ "sweep": { "dryRun": false } }));
    no_write(&world);
}

fn no_write(world: &World) {
    let calls = world.calls();
    assert!(calls["DescribeConnector"] > 0);
    assert!(calls["GetFunctionConfiguration"] > 0);
    assert_eq!(calls.get("UpdateConnectorRegistration"), None);
    assert_eq!(calls.get("AddPermission"), None);
}

#[test]
fn a_sweep_that_is_cut_short_says_what_is_not_done() {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..60 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    world.change_latest(CRM, "2.0");
    // Sixteen at a time: two rounds are done in time, and the third would end after the deadline.
    let slow = Kind::Slow(Duration::from_millis(1900));
    world
        .aws
        .fault(Fault::of("UpdateConnectorRegistration", slow));
    let (name, message) = error(world.outcome_within(Duration::from_secs(5), SWEEP));
    assert_eq!(name, "OutOfTime");
    let not_done: usize = message.split(' ').next().unwrap().parse().unwrap();
    assert!((1..60).contains(&not_done), "{message}");
    assert!(
        message.contains(&format!("{not_done} of 60 registrations failed")),
        "{message}"
    );
    assert!(
        message.contains(&format!("{} updated", 60 - not_done)),
        "{message}"
    );
    let world_has = world.aws.versions();
    let done = world_has.iter().filter(|(_, has, _)| has == "2.0").count();
    assert!(done >= 60 - not_done);

    world.aws.state().faults.clear();
    world.answer(SWEEP);
    assert!(world.aws.versions().iter().all(|(_, has, _)| has == "2.0"));
}

#[test]
fn a_sweep_goes_on_past_what_cannot_be_read_and_fails_in_the_end() {
    let world = World::with(GRANTING);
    world.five_forms();
    lose_events(&world);
    world.aws.fault(Fault::error(
        "ListVersionsByFunction",
        "AccessDeniedException",
    ));
    let (name, message) = world.error(SWEEP);
    assert_eq!(name, "FunctionUnknown");
    assert!(
        message
            .contains("pinned: FunctionUnknown: ListVersionsByFunction failed with AccessDenied"),
        "{message}"
    );
    assert!(
        message.contains("lambda:ListVersionsByFunction"),
        "{message}"
    );
    assert_eq!(world.held("plain").1, "1.8");
    assert_eq!(world.held("live").1, "1.8");
    assert_eq!(world.held("pinned").0, "6");
}

#[test]
fn a_sweep_waits_for_what_is_being_deployed() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    world.publish(CRM, "1.7");
    world.answer(SWEEP);
    assert_eq!(world.held("plain").1, "1.7");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}

#[test]
fn a_sweep_never_goes_back_to_an_older_version_that_still_exists() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.publish(CRM, "1.7");
    world.answer(SWEEP);
    // The newest is deleted: the registration has nowhere else to go than back.
    world.call(
        "DeleteFunction",
        json!({ "FunctionName": CRM, "Qualifier": "7" }),
    );
    world.answer(SWEEP);
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
}

#[test]
fn a_pinned_registration_of_a_function_without_versions_is_a_failure() {
    let world = World::with(GRANTING);
    world.five_forms();
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.function(CRM, 0);
    let (_, message) = world.error(SWEEP);
    assert!(
        message.contains("pinned: FunctionNotFound") && message.contains("no published version"),
        "{message}"
    );
    assert_eq!(world.held("plain").1, "1.0");
}

#[test]
fn a_sweep_that_lambda_tries_again_repeats_its_tokens() {
    let world = World::one_registration();
    let mut tokens = Vec::new();
    for request_id in ["first", "first", "second"] {
        world.aws.invoke_with(aws_local::runtime_api::Invocation {
            payload: SWEEP.into(),
            request_id: request_id.to_owned(),
            timeout: Duration::from_secs(30),
        });
        let inputs = world.inputs("UpdateConnectorRegistration");
        tokens.push(
            inputs
                .iter()
                .map(|input| input["clientToken"].clone())
                .collect::<Vec<Value>>(),
        );
    }
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
}

#[test]
fn register_as_is_what_a_sweep_converges_to() {
    let world = World::with(&[("REGISTER_AS", "version"), ("GRANT_INVOKE", "true")]);
    world.five_forms();
    lose_events(&world);
    world.answer(SWEEP);
    assert_eq!(world.held("plain").0, "8");
    assert_eq!(world.held("latest").0, "8");
    assert_eq!(world.held("live").0, "live");

    let world = World::with(&[("REGISTER_AS", "unqualified")]);
    world.five_forms();
    lose_events(&world);
    world.answer(SWEEP);
    assert_eq!(world.held("pinned"), ("".into(), "1.8".into()));
}
