//! The local AppFlow: what it accepts, what it reads from the function, and what a client token does.

use std::time::Duration;

use aws_local::lambda::Settling;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::world::{
    ARN, allow, deploy, held, in_memory, register, registration, update, with_function,
};

#[test]
fn every_constraint_of_the_api_page_is_enforced() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let longest = "a".repeat(256);
    for label in ["", "a", "-a", "a b", "a/b", "aé", &"a".repeat(257)] {
        let error = update(&aws, label, ARN).expect_err(label);
        assert_eq!(error.code, "ValidationException", "{label}");
        assert_eq!(
            register(&aws, label, ARN).expect_err(label).code,
            "ValidationException"
        );
    }
    register(&aws, &longest, ARN).expect("the longest label");

    let with = |name: &str, value: Value| {
        let mut input = json!({ "connectorLabel": "acme" });
        input[name] = value;
        aws.call("UpdateConnectorRegistration", input)
    };
    for description in ["a:b", "a,b", "(a)", "\"a\"", "{a}", "é", &"a".repeat(1025)] {
        let error = with("description", json!(description)).expect_err(description);
        assert_eq!(error.code, "ValidationException", "{description}");
    }
    for description in ["", "a b\t\n/!@#+=.-_Z9", &"a".repeat(1024)] {
        with("description", json!(description)).expect(description);
    }
    for token in ["", "a\n", "é", &"t".repeat(257)] {
        let error = with("clientToken", json!(token)).expect_err(token);
        assert_eq!(error.code, "ValidationException", "{token}");
    }
    for token in [" ", "~", &"t".repeat(256)] {
        with("clientToken", json!(token)).expect(token);
    }
    for arn in [
        "",
        "crm",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:crm",
        "arn:aws:lambda:us-east-1:account:function:crm",
        &format!("{ARN}{}", "a".repeat(512)),
    ] {
        let error = update(&aws, "acme", arn).expect_err(arn);
        assert_eq!(error.code, "ValidationException", "{arn}");
    }
    for (name, value) in [
        ("connectorLabel", json!(5)),
        ("description", json!(["a"])),
        ("clientToken", json!(true)),
        ("connectorProvisioningConfig", json!("a")),
        ("connectorProvisioningConfig", json!({ "lambda": [] })),
        (
            "connectorProvisioningConfig",
            json!({ "lambda": { "lambdaArn": 5 } }),
        ),
    ] {
        let error = with(name, value).expect_err(name);
        assert_eq!(error.code, "SerializationException", "{name}");
    }
    let no_arn = with("connectorProvisioningConfig", json!({ "lambda": {} }));
    assert_eq!(no_arn.expect_err("no ARN").code, "ValidationException");
    let no_label = aws.call("UpdateConnectorRegistration", json!({}));
    assert_eq!(no_label.expect_err("no label").code, "ValidationException");
    let unknown = update(&aws, "unknown", ARN).expect_err("unknown");
    assert_eq!(
        (unknown.code.as_str(), unknown.status),
        ("ResourceNotFoundException", 404)
    );
    let again = register(&aws, "acme", ARN).expect_err("again");
    assert_eq!(
        (again.code.as_str(), again.status),
        ("ConflictException", 409)
    );

    for (input, code) in [
        (json!({ "maxResults": 0 }), "ValidationException"),
        (json!({ "maxResults": 101 }), "ValidationException"),
        (json!({ "maxResults": "5" }), "SerializationException"),
        (json!({ "nextToken": "not a token" }), "ValidationException"),
        (json!({ "nextToken": "%%%" }), "ValidationException"),
    ] {
        let error = aws
            .call("ListConnectors", input.clone())
            .expect_err("a bad page");
        assert_eq!(error.code, code, "{input}");
    }
    for input in [
        json!({}),
        json!({ "connectorType": "Unheard" }),
        json!({ "connectorType": "CustomConnector" }),
    ] {
        let error = aws
            .call("DescribeConnector", input.clone())
            .expect_err("no connector");
        assert_eq!(error.code, "ValidationException", "{input}");
    }
}

#[test]
fn the_account_s_quota_is_enforced() {
    let aws = with_function();
    let mut registered = 0;
    let refused = loop {
        match register(&aws, &format!("connector-{registered}"), ARN) {
            Ok(_) => registered += 1,
            Err(error) => break error,
        }
        assert!(registered <= 2000, "no end of connectors");
    };
    assert_eq!(registered, 2000);
    assert_eq!(
        (refused.code.as_str(), refused.status),
        ("ServiceQuotaExceededException", 402)
    );
}

#[test]
fn a_client_token_makes_a_call_idempotent_for_eight_hours() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let mut input = json!({ "connectorLabel": "acme", "clientToken": "once" });
    aws.call("UpdateConnectorRegistration", input.clone())
        .expect("first");
    deploy(&aws, "2.0", false);
    aws.call("UpdateConnectorRegistration", input.clone())
        .expect("repeated");
    assert_eq!(held(&aws, "acme"), "1.0");

    input["description"] = json!("other");
    let error = aws.call("UpdateConnectorRegistration", input.clone());
    assert_eq!(
        error.expect_err("other parameters").code,
        "ConflictException"
    );
    aws.state()
        .appflow
        .pass(Duration::from_secs(8 * 60 * 60 - 60));
    aws.call("UpdateConnectorRegistration", input.clone())
        .expect_err("still there");
    aws.state().appflow.pass(Duration::from_secs(61));
    aws.call("UpdateConnectorRegistration", input)
        .expect("forgotten");
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[test]
fn a_call_that_failed_leaves_its_token_unused() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let gone = format!("{ARN}:9");
    let mut input = registration("acme", &gone);
    input["clientToken"] = json!("again");
    aws.call("UpdateConnectorRegistration", input)
        .expect_err("no version 9");
    let mut input = registration("acme", ARN);
    input["clientToken"] = json!("again");
    aws.call("UpdateConnectorRegistration", input)
        .expect("the same token");
}

#[test]
fn the_configuration_is_read_as_the_function_is_at_that_moment() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    aws.state().lambda.settle(Settling::AfterLooks(1));
    deploy(&aws, "2.0", false);
    update(&aws, "acme", ARN).expect("too early, and no error");
    assert_eq!(held(&aws, "acme"), "1.0");
    let look = json!({ "FunctionName": "crm" });
    let configuration = aws
        .call("GetFunctionConfiguration", look.clone())
        .expect("a look");
    assert_eq!(configuration["LastUpdateStatus"], "InProgress");
    let configuration = aws.call("GetFunctionConfiguration", look).expect("a look");
    assert_eq!(configuration["LastUpdateStatus"], "Successful");
    update(&aws, "acme", ARN).expect("in time");
    assert_eq!(held(&aws, "acme"), "2.0");
}

#[test]
fn a_version_that_is_pending_missing_or_closed_to_appflow_is_refused() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    aws.state().lambda.settle(Settling::AfterLooks(1));
    deploy(&aws, "2.0", true);
    let first = format!("{ARN}:1");
    let refused = update(&aws, "acme", &first).expect_err("not allowed");
    assert_eq!(
        (refused.code.as_str(), refused.status),
        ("AccessDeniedException", 403)
    );
    allow(&aws, Some("1")).expect("a permission");
    let pending = update(&aws, "acme", &first).expect_err("pending");
    assert_eq!(pending.code, "ConnectorServerException");
    let look = json!({ "FunctionName": "crm", "Qualifier": "1" });
    let state = aws.call("GetFunctionConfiguration", look).expect("a look");
    assert_eq!(state["State"], "Pending");
    update(&aws, "acme", &first).expect("active");
    assert_eq!(held(&aws, "acme"), "2.0");
    let missing = update(&aws, "acme", &format!("{ARN}:2")).expect_err("missing");
    assert_eq!(missing.code, "ResourceNotFoundException");
}

#[test]
fn a_permission_for_another_account_or_region_does_not_count() {
    let aws = with_function();
    let remove = json!({ "FunctionName": "crm", "StatementId": "appflow" });
    aws.call("RemovePermission", remove).expect("removed");
    let add = |id: &str, account: Option<&str>, arn: Option<&str>| {
        aws.call(
            "AddPermission",
            json!({
                "FunctionName": "crm",
                "StatementId": id,
                "Action": "lambda:InvokeFunction",
                "Principal": "appflow.amazonaws.com",
                "SourceAccount": account,
                "SourceArn": arn,
            }),
        )
        .expect("a statement");
    };
    add("account", Some("111122223333"), None);
    add(
        "region",
        None,
        Some("arn:aws:appflow:eu-west-1:123456789012:*"),
    );
    assert_eq!(
        register(&aws, "acme", ARN).expect_err("closed").code,
        "AccessDeniedException"
    );
    add(
        "right",
        Some("123456789012"),
        Some("arn:aws:appflow:us-east-1:123456789012:*"),
    );
    register(&aws, "acme", ARN).expect("open");
}

#[test]
fn connectors_that_aws_provides_are_listed_and_only_some_can_be_described() {
    let aws = in_memory();
    aws.state().appflow.list_aws_connectors();
    let list = aws.call("ListConnectors", json!({ "maxResults": 100 }));
    let list = list.expect("a list");
    let mut labels = Vec::new();
    for listed in list["connectors"].as_array().expect("connectors") {
        if let Some(label) = listed["connectorLabel"].as_str() {
            assert_eq!(listed["connectorOwner"], "AWS");
            labels.push(label.to_owned());
        }
    }
    assert_eq!(labels, ["GitHub", "HubSpot"]);
    let describe = |label: &str| {
        let input = json!({ "connectorType": "CustomConnector", "connectorLabel": label });
        aws.call("DescribeConnector", input)
    };
    let described = describe("GitHub").expect("a description");
    let provisioning = &described["connectorConfiguration"]["connectorProvisioningConfig"];
    assert_eq!(*provisioning, json!(null));
    let error = describe("HubSpot").expect_err("no description");
    assert_eq!(error.code, "ResourceNotFoundException");
}

#[test]
fn a_description_can_have_its_lists_in_another_order_each_time() {
    let aws = in_memory();
    let connector = json!({ "connectorName": "Acme", "connectorModes": ["SOURCE", "DESTINATION"] });
    let code = json!({
        "FunctionName": "crm",
        "ZipFile": BASE64_STANDARD.encode(connector.to_string()),
    });
    aws.call("UpdateFunctionCode", code).expect("an update");
    register(&aws, "acme", ARN).expect("registered");
    aws.state().appflow.shuffle_lists();
    let described = || {
        let input = json!({ "connectorType": "CustomConnector", "connectorLabel": "acme" });
        let described = aws.call("DescribeConnector", input);
        described.expect("a description")["connectorConfiguration"].clone()
    };
    let (first, second) = (described(), described());
    assert_ne!(first["connectorModes"], second["connectorModes"]);
    // Without a description of its own, a connector has its name.
    assert_eq!(first["connectorDescription"], "Acme");
}
