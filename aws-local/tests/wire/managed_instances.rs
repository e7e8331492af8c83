//! Functions on Lambda Managed Instances.

use aws_local::Aws;
use aws_local::answer::ApiError;
use aws_local::lambda::{LastUpdate, Reference, Settling, State};
use serde_json::{Value, json};

use crate::world::{ARN, allow, held, in_memory, package, register, update};

const PUBLISHED: &str = "$LATEST.PUBLISHED";

/// Function `crm` on Lambda Managed Instances, at connector version 1.0, which AppFlow may invoke.
fn managed(publish_to: Option<&str>) -> Aws {
    let aws = Aws::new();
    let mut input = json!({
        "FunctionName": "crm",
        "Code": { "ZipFile": package("1.0") },
        "CapacityProviderConfig": {
            "LambdaManagedInstancesCapacityProviderConfig": {
                "CapacityProviderArn":
                    "arn:aws:lambda:us-east-1:123456789012:capacity-provider:crm",
            },
        },
    });
    if let Some(publish_to) = publish_to {
        input["Publish"] = true.into();
        input["PublishTo"] = publish_to.into();
    }
    aws.call("CreateFunction", input).expect("a function");
    allow(&aws, None).expect("a permission");
    aws
}

fn update_code(aws: &Aws, version: &str, publish: bool) -> Result<Value, ApiError> {
    let input = json!({
        "FunctionName": "crm",
        "ZipFile": package(version),
        "Publish": publish,
        "PublishTo": "LATEST_PUBLISHED",
    });
    aws.call("UpdateFunctionCode", input)
}

fn publish(aws: &Aws) -> Result<Value, ApiError> {
    let input = json!({ "FunctionName": "crm", "PublishTo": "LATEST_PUBLISHED" });
    aws.call("PublishVersion", input)
}

fn look(aws: &Aws, qualifier: Option<&str>) -> Value {
    let input = json!({ "FunctionName": "crm", "Qualifier": qualifier });
    aws.call("GetFunctionConfiguration", input).expect("a look")
}

/// The connector version that AppFlow would read from an ARN now.
fn answers(aws: &Aws, arn: &str) -> Value {
    let world = aws.state();
    let configuration = world.lambda.configuration(arn);
    configuration.map_or(json!(null), |answer| answer["connectorVersion"].clone())
}

#[test]
fn an_unqualified_invocation_runs_latest_published() {
    let aws = managed(Some("LATEST_PUBLISHED"));
    register(&aws, "acme", ARN).expect("registered");
    update_code(&aws, "2.0", false).expect("not published");
    update(&aws, "acme", ARN).expect("updated");
    assert_eq!(
        (held(&aws, "acme"), answers(&aws, ARN)),
        (json!("1.0"), json!("1.0"))
    );
    for deployed in [publish(&aws), update_code(&aws, "3.0", true)] {
        let deployed = deployed.expect("published");
        assert_eq!(deployed["Version"], PUBLISHED);
        assert_eq!(deployed["FunctionArn"], format!("{ARN}:{PUBLISHED}"));
    }
    // The qualified ARN shares the permissions of the unqualified one.
    for arn in [ARN, &format!("{ARN}:{PUBLISHED}")] {
        assert_eq!(answers(&aws, arn), "3.0");
        update(&aws, "acme", arn).expect("updated");
        assert_eq!(held(&aws, "acme"), "3.0");
    }
}

#[test]
fn latest_is_ready_and_cannot_be_invoked() {
    let aws = managed(Some("LATEST_PUBLISHED"));
    aws.state().lambda.settle(Settling::AfterLooks(1));
    update_code(&aws, "2.0", false).expect("deployed");
    for status in ["InProgress", "Successful"] {
        let latest = look(&aws, None);
        assert_eq!(latest["State"], "ActiveNonInvocable");
        assert_eq!(latest["LastUpdateStatus"], status);
        assert_eq!(
            (&latest["Version"], &latest["FunctionArn"]),
            (&json!("$LATEST"), &json!(ARN))
        );
        assert!(latest["CapacityProviderConfig"].is_object());
    }
    assert_eq!(look(&aws, Some(PUBLISHED))["State"], "Active");
    let latest = format!("{ARN}:$LATEST");
    let refused = register(&aws, "acme", &latest).expect_err("not invocable");
    assert_eq!(refused.code, "ConnectorServerException");
    assert!(
        refused.message.contains("ActiveNonInvocable"),
        "{}",
        refused.message
    );
    assert_eq!(answers(&aws, &latest), json!(null));
}

#[test]
fn without_latest_published_an_unqualified_invocation_fails() {
    let aws = managed(None);
    let missing = register(&aws, "acme", ARN).expect_err("nothing published");
    assert_eq!(missing.code, "ResourceNotFoundException");
    assert_eq!(answers(&aws, ARN), json!(null));
    let look = json!({ "FunctionName": "crm", "Qualifier": PUBLISHED });
    let missing = aws
        .call("GetFunctionConfiguration", look)
        .expect_err("nothing published");
    assert_eq!(missing.code, "ResourceNotFoundException");
    publish(&aws).expect("published");
    register(&aws, "acme", ARN).expect("registered");
}

#[test]
fn latest_published_is_pending_and_then_updated_in_place() {
    let aws = managed(None);
    aws.state().lambda.settle(Settling::AfterLooks(1));
    publish(&aws).expect("published");
    assert_eq!(
        register(&aws, "acme", ARN).expect_err("pending").code,
        "ConnectorServerException"
    );
    assert_eq!(look(&aws, Some(PUBLISHED))["State"], "Pending");
    register(&aws, "acme", ARN).expect("active");

    // When it is published again, the old code runs until the new one is ready.
    update_code(&aws, "2.0", true).expect("published");
    look(&aws, None);
    assert_eq!(look(&aws, None)["LastUpdateStatus"], "Successful");
    let busy = update_code(&aws, "3.0", true).expect_err("mid-update");
    assert_eq!(busy.code, "ResourceConflictException");
    update(&aws, "acme", ARN).expect("too early, and no error");
    assert_eq!(held(&aws, "acme"), "1.0");
    let published = look(&aws, Some(PUBLISHED));
    assert_eq!(
        (&published["State"], &published["LastUpdateStatus"]),
        (&json!("Active"), &json!("InProgress"))
    );
    update(&aws, "acme", ARN).expect("in time");
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[test]
fn latest_published_can_fail_while_latest_does_not() {
    let aws = managed(Some("LATEST_PUBLISHED"));
    let reference = Reference::parse(&format!("{ARN}:{PUBLISHED}")).expect("an ARN");
    aws.state()
        .lambda
        .put_into(
            &reference,
            State::Failed("No instances.".to_owned()),
            LastUpdate::Successful,
        )
        .expect("a version");
    assert_eq!(look(&aws, Some(PUBLISHED))["State"], "Failed");
    assert_eq!(look(&aws, None)["State"], "ActiveNonInvocable");
    register(&aws, "acme", ARN).expect_err("failed");
}

#[test]
fn numbered_versions_and_aliases_work_as_usual() {
    let aws = managed(Some("LATEST_PUBLISHED"));
    update_code(&aws, "2.0", false).expect("deployed");
    let version = aws.call("PublishVersion", json!({ "FunctionName": "crm" }));
    assert_eq!(version.expect("a version")["Version"], "1");
    let alias = json!({ "FunctionName": "crm", "Name": "live", "FunctionVersion": "1" });
    aws.call("CreateAlias", alias).expect("an alias");
    for qualifier in ["1", "live"] {
        allow(&aws, Some(qualifier)).expect("a permission");
        let label = format!("acme-{qualifier}");
        register(&aws, &label, &format!("{ARN}:{qualifier}")).expect("registered");
        assert_eq!(held(&aws, &label), "2.0");
        assert_eq!(look(&aws, Some(qualifier))["State"], "Active");
    }
    let list = json!({ "FunctionName": "crm" });
    let listed = aws.call("ListVersionsByFunction", list).expect("listed");
    let versions = listed["Versions"].as_array().expect("versions").iter();
    let versions: Vec<_> = versions.map(|version| version["Version"].clone()).collect();
    assert_eq!(versions, ["$LATEST", PUBLISHED, "1"]);

    let delete = json!({ "FunctionName": "crm", "Qualifier": PUBLISHED });
    aws.call("DeleteFunction", delete.clone()).expect("deleted");
    aws.call("DeleteFunction", delete).expect_err("twice");
    assert_eq!(answers(&aws, &format!("{ARN}:live")), "2.0");
}

#[test]
fn the_event_names_latest_published() {
    let aws = managed(None);
    aws.take_events();
    update_code(&aws, "2.0", true).expect("published");
    let event = aws.take_events().pop().expect("an event");
    assert_eq!(
        event["detail"]["requestParameters"]["publishTo"],
        "LATEST_PUBLISHED"
    );
    let response = &event["detail"]["responseElements"];
    assert_eq!(response["version"], PUBLISHED);
    assert_eq!(response["functionArn"], format!("{ARN}:{PUBLISHED}"));
}

#[test]
fn an_ordinary_function_has_no_latest_published() {
    let aws = in_memory();
    for refused in [publish(&aws), update_code(&aws, "2.0", true)] {
        assert_eq!(
            refused.expect_err("refused").code,
            "InvalidParameterValueException"
        );
    }
    register(&aws, "acme", ARN).expect("registered");
    assert_eq!(
        held(&aws, "acme"),
        "1.0",
        "a refused update changes nothing"
    );
    let unknown = json!({ "FunctionName": "crm", "PublishTo": "ELSEWHERE" });
    let unknown = aws.call("PublishVersion", unknown).expect_err("unknown");
    assert_eq!(unknown.code, "ValidationException");
}
