//! A version that a registration moves to has to let AppFlow in.

use aws_local::faults::Fault;
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
fn grant_invoke_lets_appflow_and_nobody_else_into_the_version() {
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
fn a_permission_that_is_there_already_is_no_error() {
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
fn only_versions_are_opened() {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.five_forms();
    world.answer(world.publish(CRM, "1.7"));
    world.answer(world.move_alias(CRM, "live", 7));
    let opened = world.inputs("AddPermission");
    let [opened] = opened.as_slice() else {
        panic!("one version, not {opened:?}");
    };
    assert_eq!(opened["Qualifier"], "7");
}

#[test]
fn without_it_the_error_has_the_command_that_mends_it() {
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

    // What the command does.
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
fn a_permission_that_cannot_be_given_is_an_error_with_the_command() {
    let world = pinned(&[("GRANT_INVOKE", "true")]);
    world
        .aws
        .fault(Fault::error("AddPermission", "AccessDeniedException"));
    let (name, message) = world.error(world.publish(CRM, "1.7"));
    assert_eq!(name, "GrantFailed");
    assert!(
        message.contains("AddPermission failed with AccessDeniedException"),
        "{message}"
    );
    assert!(
        message.contains("role allows lambda:AddPermission"),
        "{message}"
    );
    assert!(message.contains("aws lambda add-permission"), "{message}");
    assert_eq!(world.held("pinned").0, "6");
}
