//! Which registrations an event concerns.

use aws_local::faults::Fault;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, outcomes};

#[test]
fn every_page_of_the_list_is_read() {
    let world = World::new();
    world.function(CRM, 1);
    world.function("other", 1);
    for number in 0..250 {
        let function = if number % 100 == 0 { CRM } else { "other" };
        world.register(&format!("connector-{number:03}"), &arn(function, None));
    }
    let event = world.publish(CRM, "2.0");

    let answer = world.answer(event);
    assert_eq!(outcomes(&answer).len(), 3);
    for number in 0..250 {
        let expected = if number % 100 == 0 { "2.0" } else { "1.1" };
        assert_eq!(world.held(&format!("connector-{number:03}")).1, expected);
    }
    // 250 registrations and AppFlow's own connectors fill three pages of 100. Each updated registration
    // is described again afterward.
    let calls = world.calls();
    assert_eq!(calls["ListConnectors"], 3);
    assert_eq!(calls["DescribeConnector"], 250 + 3);
    assert_eq!(calls["UpdateConnectorRegistration"], 3);
}

#[test]
fn two_labels_on_one_function_are_both_updated() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("first", &arn(CRM, None));
    world.register("second", &arn(CRM, None));
    let event = world.publish(CRM, "2.0");

    world.answer(event);
    assert_eq!(world.held("first").1, "2.0");
    assert_eq!(world.held("second").1, "2.0");
}

#[test]
fn responses_like_the_recorded_one_are_understood() {
    let world = World::one_registration();

    let event = world.publish(CRM, "2.0");

    world.answer(event);
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn labels_from_the_settings_are_described_and_nothing_is_listed() {
    let world = World::with(&[("CONNECTOR_LABELS", "second, third")]);
    world.function(CRM, 1);
    for label in ["first", "second", "third"] {
        world.register(label, &arn(CRM, None));
    }
    let event = world.publish(CRM, "2.0");

    world.answer(event);
    assert_eq!(world.held("first").1, "1.1");
    assert_eq!(world.held("second").1, "2.0");
    assert_eq!(world.held("third").1, "2.0");
    let calls = world.calls();
    assert_eq!(calls.get("ListConnectors"), None);
    assert_eq!(calls["DescribeConnector"], 2 * 2);
}

#[test]
fn a_label_from_the_settings_that_is_not_registered_fails_a_sweep_after_the_others() {
    let world = World::with(&[("CONNECTOR_LABELS", "known,typo")]);
    world.function(CRM, 1);
    world.register("known", &arn(CRM, None));
    world.publish(CRM, "2.0");

    let (name, message) = world.error(r#"{"sweep": {}}"#);
    assert_eq!(name, "DescribeFailed");
    assert!(
        message.contains("typo: DescribeFailed: AppFlow has no registration"),
        "{message}"
    );
    assert_eq!(world.held("known").1, "2.0");
}

/// Asserts that there is a warning about a connector that contains this text.
fn warned(world: &World, label: &str, text: &str) {
    let lines = world.log_with("cannot be checked for the deployed function");
    let warned = |line: &Value| {
        line["level"] == "WARN"
            && line["connectorLabel"] == label
            && line["message"]
                .as_str()
                .is_some_and(|message| message.contains(text))
    };
    assert!(lines.iter().any(warned), "{lines:?}");
}

#[test]
fn a_label_from_the_settings_that_is_not_registered_does_not_fail_a_deployment() {
    let world = World::with(&[("CONNECTOR_LABELS", "known,retired")]);
    world.function(CRM, 1);
    world.register("known", &arn(CRM, None));
    world.function("thumbnailer", 1);
    let answer = world.answer(world.publish("thumbnailer", "2.0"));
    assert_eq!(answer["connectors"], json!([]));
    warned(&world, "retired", "ResourceNotFoundException");
    let answer = world.answer(world.publish(CRM, "2.0"));
    assert_eq!(outcomes(&answer), [("known".into(), "updated".into())]);
    assert_eq!(world.held("known").1, "2.0");
}

#[test]
fn a_connector_that_may_not_be_described_does_not_fail_another_functions_deployment() {
    let world = World::new();
    world.function(CRM, 1);
    world.function("other", 1);
    world.register("plain", &arn(CRM, None));
    world.register("other", &arn("other", None));
    let denied = Fault::error("DescribeConnector", "AccessDeniedException");
    world.aws.fault(denied.concerning("other"));
    let answer = world.answer(world.publish(CRM, "2.0"));
    assert_eq!(outcomes(&answer), [("plain".into(), "updated".into())]);
    assert_eq!(world.held("plain").1, "2.0");
    warned(&world, "other", "AccessDeniedException");

    world.publish(CRM, "3.0");
    let (name, message) = world.error(r#"{"sweep": {}}"#);
    assert_eq!(name, "DescribeFailed");
    assert!(message.contains("other: DescribeFailed"), "{message}");
    assert!(message.contains("appflow:DescribeConnector"), "{message}");
    assert_eq!(world.held("plain").1, "3.0");
}

#[test]
fn connectors_that_aws_itself_provides_are_passed_over() {
    let world = World::one_registration();
    world.aws.state().appflow.list_aws_connectors();
    world.function("thumbnailer", 1);
    let only_plain = [("plain".to_owned(), "updated".to_owned())];
    let event = world.publish(CRM, "2.0");
    assert_eq!(outcomes(&world.answer(&event)), only_plain);
    world.publish(CRM, "3.0");
    assert_eq!(outcomes(&world.answer(r#"{"sweep": {}}"#)), only_plain);
    assert_eq!(world.held("plain").1, "3.0");
    let answer = world.answer(world.publish("thumbnailer", "2.0"));
    assert_eq!(answer["connectors"], json!([]));

    // However AppFlow answers for the one that it does not describe.
    for code in ["AccessDeniedException", "ValidationException"] {
        let refused = Fault::error("DescribeConnector", code);
        world.aws.fault(refused.concerning("HubSpot").times(1));
        assert_eq!(outcomes(&world.answer(r#"{"sweep": {}}"#)), only_plain);
    }
    for line in world.log_of(5) {
        assert!(line["level"] == "INFO", "{line}");
    }
}

#[test]
fn a_registration_that_was_unregistered_since_it_was_listed_is_no_failure() {
    let world = World::new();
    world.function(CRM, 1);
    world.register("gone", &arn(CRM, None));
    world.register("here", &arn(CRM, None));
    let fault = Fault::error("DescribeConnector", "ResourceNotFoundException");
    world.aws.fault(fault.concerning("gone"));
    let event = world.publish(CRM, "2.0");

    let answer = world.answer(event);
    assert_eq!(
        outcomes(&answer),
        [("here".to_owned(), "updated".to_owned())]
    );
}

#[test]
fn one_registration_that_cannot_be_described_does_not_stop_the_others() {
    let world = World::new();
    world.function(CRM, 1);
    for label in ["first", "second", "third"] {
        world.register(label, &arn(CRM, None));
    }
    let fault = Fault::error("DescribeConnector", "ValidationException");
    world.aws.fault(fault.concerning("second"));
    let event = world.publish(CRM, "2.0");

    let (name, message) = world.error(event);
    assert_eq!(name, "DescribeFailed");
    for part in [
        "1 of 3 registrations failed",
        "second: DescribeFailed: DescribeConnector failed with ValidationException",
        "request id ",
        "2 updated: first, third",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(world.held("first").1, "2.0");
    assert_eq!(world.held("third").1, "2.0");
}

#[test]
fn a_list_that_fails_is_an_error_that_names_what_to_do() {
    let world = World::new();
    world.function(CRM, 1);
    let fault = Fault::error("ListConnectors", "AccessDeniedException");
    world.aws.fault(fault);
    let event = world.publish(CRM, "2.0");

    let (name, message) = world.error(event);
    assert_eq!(name, "ListFailed");
    assert!(
        message.contains("ListConnectors failed with AccessDeniedException"),
        "{message}"
    );
    assert!(message.contains("appflow:ListConnectors"), "{message}");
    // AppFlow invokes no function to list connectors.
    assert!(!message.contains("resource policy"), "{message}");
}

#[test]
fn a_function_that_backs_no_connector_is_answered_with_no_connectors() {
    let world = World::new();
    world.function(CRM, 1);
    world.function("thumbnailer", 1);
    world.register("plain", &arn(CRM, None));
    let event = world.publish("thumbnailer", "2.0");

    let answer = world.answer(event);
    assert_eq!(answer["connectors"], json!([]));
    assert_eq!(answer["functionArn"], arn("thumbnailer", None));
    assert_eq!(world.calls().get("UpdateConnectorRegistration"), None);
}
