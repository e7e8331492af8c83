//! Connector functions in another account, whose events are forwarded to this one.

use serde_json::{Value, json};

use crate::world::{World, connector, package};

const OTHER: &str = "arn:aws:lambda:us-east-1:111122223333:function:crm";

/// A function of another account that this account's AppFlow is allowed to invoke, registered here.
fn another_account_s_function(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.call(
        "CreateFunction",
        json!({ "FunctionName": OTHER, "Code": { "ZipFile": package("1.0") }, "Publish": true }),
    );
    for qualifier in [None, Some("1")] {
        allow_appflow(&world, qualifier);
    }
    world.register("plain", OTHER);
    world.register("pinned", &format!("{OTHER}:1"));
    world
}

/// As the function's owner, allows this account's AppFlow to invoke it.
fn allow_appflow(world: &World, qualifier: Option<&str>) {
    world.call(
        "AddPermission",
        json!({
            "FunctionName": OTHER,
            "Qualifier": qualifier,
            "StatementId": "appflow",
            "Action": "lambda:InvokeFunction",
            "Principal": "appflow.amazonaws.com",
            "SourceAccount": "123456789012",
        }),
    );
}

fn deploy(world: &World) -> Value {
    world.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": OTHER, "ZipFile": package("2.0"), "Publish": true }),
    );
    let event = world.event();
    assert_eq!(event["account"], "111122223333");
    event
}

#[test]
fn a_forwarded_event_updates_the_registration_of_that_account_s_function() {
    let world = another_account_s_function(&[("CONNECTOR_LABELS", "plain")]);
    let answer = world.answer(deploy(&world));
    assert_eq!(answer["functionArn"], OTHER);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(world.held("plain").1, "2.0");
    // The updater is not authorized to read its state.
    world.log_with("not authorized to check whether the function is ready");
}

#[test]
fn a_function_of_the_same_name_in_this_account_is_not_updated() {
    let world = another_account_s_function(&[("CONNECTOR_LABELS", "plain,here")]);
    world.function("crm", 1);
    world.register("here", "arn:aws:lambda:us-east-1:123456789012:function:crm");
    let answer = world.answer(deploy(&world));
    assert_eq!(answer["connectors"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.held("here").1, "1.1");
}

#[test]
fn a_version_there_needs_a_permission_from_its_owner_and_the_error_has_the_command() {
    let world = another_account_s_function(&[("CONNECTOR_LABELS", "pinned")]);
    let event = deploy(&world);
    let (name, message) = world.error(&event);
    assert_eq!(name, "UpdateFailed");
    assert!(
        message.contains(&format!("--function-name {OTHER} --qualifier '2'"))
            && message.contains("--source-account 123456789012"),
        "{message}"
    );

    let granting =
        another_account_s_function(&[("CONNECTOR_LABELS", "pinned"), ("GRANT_INVOKE", "true")]);
    let (name, message) = granting.error(deploy(&granting));
    assert_eq!(name, "GrantFailed");
    for part in [
        "UpdateConnectorRegistration failed with AccessDeniedException",
        "AddPermission failed with AccessDeniedException",
        "aws lambda add-permission",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
}

#[test]
fn a_version_that_its_owner_lets_appflow_invoke_is_moved_to_though_the_grant_is_denied() {
    let settings = [("CONNECTOR_LABELS", "pinned"), ("GRANT_INVOKE", "true")];
    let world = another_account_s_function(&settings);
    let event = deploy(&world);
    allow_appflow(&world, Some("2"));
    let answer = world.answer(event);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "updated");
    assert_eq!(world.held("pinned"), ("2".into(), "2.0".into()));
    let lines = world.log_with("was not granted permission");
    let warned = |line: &Value| line["level"] == "WARN" && line["targetArn"] == pinned["targetArn"];
    assert!(lines.iter().any(warned), "{lines:?}");
}

#[test]
fn a_sweep_skips_a_pinned_registration_of_a_function_there_with_a_warning() {
    let world = another_account_s_function(&[]);
    deploy(&world);
    for payload in [
        json!({ "sweep": {} }),
        json!({ "sweep": { "move": true } }),
        json!({ "sweep": { "functions": [OTHER] } }),
    ] {
        let answer = world.answer(payload);
        let pinned = connector(&answer, "pinned");
        assert_eq!(pinned["outcome"], "skipped");
        assert_eq!(pinned["registeredArn"], format!("{OTHER}:1"));
        assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    }
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("pinned"), ("1".into(), "1.0".into()));
    let lines = world.log_with("whether a newer one exists is unknown");
    let warned = |line: &Value| line["level"] == "WARN" && line["functionArn"] == OTHER;
    assert!(lines.iter().any(warned), "{lines:?}");
}
