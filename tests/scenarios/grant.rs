//! `GRANT_INVOKE` lets AppFlow invoke the version that a registration moves to.

use aws_local::answer::ApiError;
use aws_local::faults::{Fault, Kind};
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector};

fn pinned(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    world
}

fn statements(world: &World, qualifier: &str) -> Vec<Value> {
    let policy = world.call(
        "GetPolicy",
        json!({ "FunctionName": CRM, "Qualifier": qualifier }),
    );
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    policy["Statement"].as_array().cloned().unwrap()
}

#[test]
fn grant_invoke_allows_appflow_and_nobody_else_to_invoke_the_version() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    world.answer(world.publish(CRM, "1.7"));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    assert_eq!(
        statements(&world, "7"),
        [json!({
            "Sid": "connector-updater-appflow",
            "Effect": "Allow",
            "Principal": { "Service": "appflow.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
            "Resource": arn(CRM, Some("7")),
            "Condition": {
                "StringEquals": { "AWS:SourceAccount": "123456789012" },
                "ArnLike": { "AWS:SourceArn": "arn:aws:appflow:us-east-1:123456789012:*" },
            },
        })]
    );
}

#[test]
fn a_permission_that_exists_already_is_not_an_error() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    let event = world.publish(CRM, "1.7");
    let refused = Fault::error("UpdateConnectorRegistration", "ValidationException");
    world.aws.fault(refused.times(1));
    world.error(&event);
    world.answer(&event);
    assert_eq!(world.held("pinned").0, "7");
    assert_eq!(world.calls()["AddPermission"], 2);
    assert_eq!(statements(&world, "7").len(), 1);
}

#[test]
fn appflow_is_granted_permission_to_invoke_versions_alone() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.five_forms();
    world.answer(world.publish(CRM, "1.7"));
    world.answer(world.move_alias(CRM, "live", 7));
    let granted = world.inputs("AddPermission");
    let [granted] = granted.as_slice() else {
        panic!("one version, not {granted:?}");
    };
    assert_eq!(granted["Qualifier"], "7");
}

#[test]
fn without_grant_invoke_the_error_has_the_command_that_fixes_it() {
    let world = pinned(&[]);
    let event = world.publish(CRM, "1.7");
    let (name, message) = world.error(&event);
    assert_eq!(name, "UpdateFailed");
    assert_eq!(world.calls().get("AddPermission"), None);
    let command = "aws lambda add-permission --region us-east-1 \
        --function-name arn:aws:lambda:us-east-1:123456789012:function:crm --qualifier '7' \
        --statement-id connector-updater-appflow --action lambda:InvokeFunction \
        --principal appflow.amazonaws.com --source-account 123456789012 \
        --source-arn 'arn:aws:appflow:us-east-1:123456789012:*'";
    assert!(message.contains(command), "{message}");
    assert!(message.contains("GRANT_INVOKE=true"), "{message}");

    // The command has the effect that it promises.
    let words: Vec<&str> = command
        .split(' ')
        .map(|word| word.trim_matches('\''))
        .collect();
    let option = |name: &str| {
        let position = words.iter().position(|word| *word == name).expect(name);
        words[position + 1]
    };
    world.call(
        "AddPermission",
        json!({
            "FunctionName": option("--function-name"),
            "Qualifier": option("--qualifier"),
            "StatementId": option("--statement-id"),
            "Action": option("--action"),
            "Principal": option("--principal"),
            "SourceAccount": option("--source-account"),
            "SourceArn": option("--source-arn"),
        }),
    );
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
}

#[test]
fn the_command_is_for_qualified_arns_alone() {
    let world = World::one_registration();
    let refused = Fault::error("UpdateConnectorRegistration", "AccessDeniedException");
    world.aws.fault(refused);
    let (_, message) = world.error(world.publish(CRM, "2.0"));
    assert!(!message.contains("add-permission"), "{message}");
}

#[test]
fn a_grant_and_an_update_that_both_fail_are_both_told_with_the_command() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    world
        .aws
        .fault(Fault::error("AddPermission", "AccessDeniedException"));
    let (name, message) = world.error(world.publish(CRM, "1.7"));
    assert_eq!(name, "GrantFailed");
    for part in [
        "UpdateConnectorRegistration failed with AccessDeniedException",
        "AddPermission failed with AccessDeniedException",
        "role allows lambda:AddPermission",
        "aws lambda add-permission",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(world.held("pinned").0, "6");
}

#[test]
fn the_update_is_tried_though_the_grant_is_denied() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    let event = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    world
        .aws
        .fault(Fault::error("AddPermission", "AccessDeniedException"));
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
    assert_eq!(world.held("pinned").0, "7");
    world.log_with("was not granted permission");
}

#[test]
fn a_grant_is_tried_again_while_another_change_of_the_function_is_in_progress() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    let busy = "The operation cannot be performed at this time. An update is in progress for \
                resource: arn:aws:lambda:us-east-1:123456789012:function:crm";
    let busy = Kind::Error(ApiError::new("ResourceConflictException", busy));
    world.aws.fault(Fault::of("AddPermission", busy).times(2));
    let event = world.publish(CRM, "1.7");
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["outcome"], "updated");
    assert_eq!(world.calls()["AddPermission"], 3);
    assert_eq!(statements(&world, "7").len(), 1);
}
