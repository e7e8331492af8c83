//! Which registrations are in scope, by labels, functions, and function names.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn, outcomes};

const SWEEP: &str = r#"{"sweep": {}}"#;

/// Functions `acme-crm`, `acme-erp` and `other`, each registered under its own name.
fn three(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    for name in ["acme-crm", "acme-erp", "other"] {
        world.function(name, 1);
        world.register(name, &arn(name, None));
    }
    world
}

/// The labels of an answer, all of which were updated.
fn updated(answer: &Value) -> Vec<String> {
    outcomes(answer)
        .into_iter()
        .map(|(label, outcome)| {
            assert_eq!(outcome, "updated", "{label}");
            label
        })
        .collect()
}

#[test]
fn an_event_of_a_function_without_the_prefix_is_ignored_without_a_call() {
    let world = three(&[("FUNCTION_NAME_PREFIX", "acme-")]);
    let event = world.publish("other", "2.0");
    let answer = world.answer(event);
    let ignored = answer["ignored"].as_str().unwrap_or_default();
    for part in ["`other`", "FUNCTION_NAME_PREFIX", "`acme-`"] {
        assert!(ignored.contains(part), "`{part}` is not in {answer}");
    }
    assert_eq!(world.calls(), [].into());

    let event = world.publish("acme-crm", "2.0");
    assert_eq!(updated(&world.answer(event)), ["acme-crm"]);
}

#[test]
fn a_sweep_leaves_out_functions_without_the_prefix() {
    let world = three(&[("FUNCTION_NAME_PREFIX", "acme-")]);
    let answer = world.answer(SWEEP);
    assert_eq!(updated(&answer), ["acme-crm", "acme-erp"]);
}

#[test]
fn a_sweep_of_a_function_without_the_prefix_is_an_error_without_a_call() {
    let world = three(&[("FUNCTION_NAME_PREFIX", "acme-")]);
    let (name, message) = world.error(json!({ "sweep": { "functions": ["other"] } }));
    assert_eq!(name, "InvalidEvent");
    assert!(
        message.contains("`other`") && message.contains("FUNCTION_NAME_PREFIX"),
        "{message}"
    );
    assert_eq!(world.calls(), [].into());
}

#[test]
fn labels_with_an_exclamation_mark_are_left_where_they_are() {
    let world = three(&[("CONNECTOR_LABELS", "!acme-crm,!other")]);
    for name in ["acme-crm", "acme-erp", "other"] {
        let event = world.publish(name, "2.0");
        let expected: &[&str] = if name == "acme-erp" { &[name] } else { &[] };
        assert_eq!(updated(&world.answer(event)), expected);
    }
    assert_eq!(updated(&world.answer(SWEEP)), ["acme-erp"]);
    assert_eq!(world.held("acme-crm").1, "1.1");
    assert_eq!(world.held("other").1, "1.1");
    // The others are not even described.
    let described = world.inputs("DescribeConnector");
    assert!(
        described
            .iter()
            .all(|input| input["connectorLabel"] == "acme-erp"),
        "{described:?}"
    );
}

#[test]
fn a_registration_that_is_held_back_stays_at_the_version_it_was_rolled_back_to() {
    let world = World::with(&[("CONNECTOR_LABELS", "!pinned"), ("GRANT_INVOKE", "true")]);
    world.five_forms();
    world.answer(world.publish(CRM, "1.7"));
    world.answer(json!({ "sweep": { "move": true } }));
    assert_eq!(world.held("pinned"), ("6".into(), "1.6".into()));
    assert_eq!(world.held("plain").1, "1.7");
}

#[test]
fn a_sweep_of_a_label_that_the_settings_leave_out_is_an_error_without_a_call() {
    for labels in ["acme-crm,acme-erp", "!other"] {
        let world = three(&[("CONNECTOR_LABELS", labels)]);
        assert_eq!(updated(&world.answer(SWEEP)), ["acme-crm", "acme-erp"]);
        world.calls();
        let payload = json!({ "sweep": { "labels": ["acme-crm", "other"] } });
        let (name, message) = world.error(payload);
        assert_eq!(name, "InvalidEvent");
        assert!(
            message.contains("`other`, which CONNECTOR_LABELS leaves out"),
            "{message}"
        );
        assert_eq!(world.calls(), [].into());
    }
}

#[test]
fn a_sweep_of_functions_by_name_or_arn_updates_their_registrations_only() {
    let world = three(&[]);
    world.register("acme-crm-too", &arn("acme-crm", None));
    for name in ["acme-crm", "acme-erp", "other"] {
        world.change_latest(name, "2.0");
    }
    for (functions, expected) in [
        (json!(["acme-crm"]), vec!["acme-crm", "acme-crm-too"]),
        (json!([arn("acme-erp", None)]), vec!["acme-erp"]),
        (json!([arn("acme-erp", Some("7"))]), vec!["acme-erp"]),
        (
            json!(["acme-crm", arn("acme-erp", None)]),
            vec!["acme-crm", "acme-crm-too", "acme-erp"],
        ),
        (
            json!([arn("other", None).replace("123456789012", "111122223333")]),
            vec![],
        ),
        (json!(["acme"]), vec![]),
    ] {
        let payload = json!({ "sweep": { "functions": functions } });
        assert_eq!(updated(&world.answer(&payload)), expected, "{payload}");
    }
    assert_eq!(world.held("acme-crm-too").1, "2.0");
    assert_eq!(world.held("acme-erp").1, "2.0");
    assert_eq!(world.held("other").1, "1.1");
}

#[test]
fn a_sweep_of_labels_and_functions_is_of_what_both_name() {
    let world = three(&[]);
    let payload = json!({
        "sweep": { "labels": ["acme-crm", "other"], "functions": ["acme-crm", "acme-erp"] },
    });
    assert_eq!(updated(&world.answer(payload)), ["acme-crm"]);
}

#[test]
fn a_deployment_pipeline_gets_its_new_version_registered_by_a_sweep_of_its_function() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.five_forms();
    // No trail: no event.
    world.publish(CRM, "1.7");
    world.answer(json!({ "sweep": { "functions": [CRM], "move": true } }));
    assert_eq!(world.held("plain").1, "1.7");
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}
