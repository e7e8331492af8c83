//! What any AWS client meets here: the SDK's own for AppFlow and Lambda, and requests that no SDK
//! would let through.

use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::answer::ApiError;
use aws_local::faults::{Fault, Kind};
use aws_local::lambda::{LastUpdate, Reference, Settling, State};
use aws_sdk_appflow::error::ProvideErrorMetadata;
use aws_sdk_appflow::operation::RequestId;
use aws_sdk_appflow::types::{
    ConnectorProvisioningConfig, ConnectorProvisioningType, ConnectorType,
    LambdaConnectorProvisioningConfig,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, FunctionCode, LastUpdateStatus, Runtime, State as SdkState,
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

fn config(aws: &AwsLocal) -> aws_config::SdkConfig {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(
            aws_config::defaults(aws_config::BehaviorVersion::latest())
                .http_client(
                    aws_smithy_http_client::Builder::new()
                        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
                        .build_https(),
                )
                .endpoint_url(aws.endpoint())
                .region("us-east-1")
                .test_credentials()
                .load(),
        )
}

fn appflow(aws: &AwsLocal) -> aws_sdk_appflow::Client {
    aws_sdk_appflow::Client::new(&config(aws))
}

fn lambda(aws: &AwsLocal) -> aws_sdk_lambda::Client {
    aws_sdk_lambda::Client::new(&config(aws))
}

fn provisioning(arn: &str) -> ConnectorProvisioningConfig {
    let lambda = LambdaConnectorProvisioningConfig::builder().lambda_arn(arn);
    ConnectorProvisioningConfig::builder()
        .lambda(lambda.build().expect("an ARN"))
        .build()
}

/// A function `crm` that AppFlow may invoke.
fn with_function() -> AwsLocal {
    let aws = AwsLocal::start(0).expect("a free port");
    aws.call(
        "CreateFunction",
        json!({ "FunctionName": "crm", "Code": { "ZipFile": package("1.0") } }),
    )
    .expect("a function");
    allow(&aws, None).expect("a permission");
    aws
}

fn allow(aws: &AwsLocal, qualifier: Option<&str>) -> Result<Value, ApiError> {
    aws.call(
        "AddPermission",
        json!({
            "FunctionName": "crm",
            "Qualifier": qualifier,
            "StatementId": "appflow",
            "Action": "lambda:InvokeFunction",
            "Principal": "appflow.amazonaws.com",
            "SourceAccount": "123456789012",
            "SourceArn": "arn:aws:appflow:us-east-1:123456789012:*",
        }),
    )
}

fn package(version: &str) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.encode(json!({ "connectorVersion": version }).to_string())
}

fn deploy(aws: &AwsLocal, version: &str, publish: bool) {
    aws.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": "crm", "ZipFile": package(version), "Publish": publish }),
    )
    .expect("an update");
}

fn register(aws: &AwsLocal, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call("RegisterConnector", registration(label, arn))
}

fn registration(label: &str, arn: &str) -> Value {
    json!({
        "connectorLabel": label,
        "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
    })
}

fn update(aws: &AwsLocal, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call(
        "UpdateConnectorRegistration",
        json!({
            "connectorLabel": label,
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
        }),
    )
}

fn held(aws: &AwsLocal, label: &str) -> Value {
    let world = aws.state();
    let registration = world.appflow.registration(label).expect("a registration");
    registration.configuration["connectorVersion"].clone()
}

#[tokio::test]
async fn the_sdk_registers_lists_describes_updates_and_unregisters() {
    let aws = with_function();
    let client = tokio::task::spawn_blocking({
        let aws = aws.clone();
        move || appflow(&aws)
    })
    .await
    .expect("a client");
    let registered = client
        .register_connector()
        .connector_label("acme")
        .connector_provisioning_type(ConnectorProvisioningType::Lambda)
        .connector_provisioning_config(provisioning(ARN))
        .description("Acme")
        .send()
        .await
        .expect("registered");
    let connector_arn = "arn:aws:appflow:us-east-1:123456789012:connector/acme";
    assert_eq!(registered.connector_arn(), Some(connector_arn));

    deploy(&aws, "2.0", false);
    let updated = client
        .update_connector_registration()
        .connector_label("acme")
        .send()
        .await
        .expect("updated");
    assert_eq!(updated.connector_arn(), Some(connector_arn));

    let described = client
        .describe_connector()
        .connector_type(ConnectorType::Customconnector)
        .connector_label("acme")
        .send()
        .await
        .expect("described")
        .connector_configuration
        .expect("a configuration");
    assert_eq!(described.connector_version(), Some("2.0"));
    assert_eq!(described.connector_description(), Some("Acme"));
    assert_eq!(
        described.connector_type(),
        Some(&ConnectorType::Customconnector)
    );
    assert!(described.registered_at().is_some());
    let lambda = described
        .connector_provisioning_config
        .and_then(|config| config.lambda);
    assert_eq!(lambda.expect("a function").lambda_arn, ARN);

    // AppFlow's own connectors are listed too, and without a label.
    let pages: Vec<_> = client
        .list_connectors()
        .into_paginator()
        .page_size(3)
        .send()
        .collect::<Result<_, _>>()
        .await
        .expect("listed");
    assert_eq!(pages.len(), 3);
    let listed: Vec<_> = pages
        .into_iter()
        .flat_map(|page| page.connectors.unwrap_or_default())
        .collect();
    assert_eq!(listed.len(), 8);
    assert_eq!(
        listed
            .iter()
            .filter_map(|connector| connector.connector_label())
            .collect::<Vec<_>>(),
        ["acme"]
    );

    client
        .unregister_connector()
        .connector_label("acme")
        .send()
        .await
        .expect("unregistered");
    let gone = client
        .unregister_connector()
        .connector_label("acme")
        .send()
        .await
        .expect_err("twice");
    assert_eq!(gone.code(), Some("ResourceNotFoundException"));
    assert!(gone.request_id().is_some());
    assert_eq!(
        gone.raw_response().map(|raw| raw.status().as_u16()),
        Some(404)
    );
}

#[tokio::test]
async fn the_sdk_deploys_functions_and_reads_them() {
    let aws = AwsLocal::start(0).expect("a free port");
    let client = tokio::task::spawn_blocking({
        let aws = aws.clone();
        move || lambda(&aws)
    })
    .await
    .expect("a client");
    let code = FunctionCode::builder().zip_file(Blob::new(r#"{"connectorVersion": "1.0"}"#));
    client
        .create_function()
        .function_name("crm")
        .role("arn:aws:iam::123456789012:role/crm")
        .runtime(Runtime::Providedal2023)
        .code(code.build())
        .send()
        .await
        .expect("created");
    for number in 1..=120 {
        let published = client
            .update_function_code()
            .function_name(ARN)
            .zip_file(Blob::new(format!(
                r#"{{"connectorVersion": "1.{number}"}}"#
            )))
            .publish(true)
            .send()
            .await
            .expect("published");
        assert_eq!(published.version(), Some(number.to_string().as_str()));
    }
    let versions: Vec<_> = client
        .list_versions_by_function()
        .function_name("crm")
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .expect("listed");
    assert_eq!(versions.len(), 121);

    client
        .create_alias()
        .function_name("crm")
        .name("live")
        .function_version("7")
        .send()
        .await
        .expect("an alias");
    let configuration = client
        .get_function_configuration()
        .function_name(ARN)
        .qualifier("live")
        .send()
        .await
        .expect("the alias's version");
    assert_eq!(configuration.version(), Some("7"));
    assert_eq!(
        configuration.function_arn(),
        Some(format!("{ARN}:live").as_str())
    );
    assert_eq!(configuration.state(), Some(&SdkState::Active));
    assert_eq!(
        configuration.last_update_status(),
        Some(&LastUpdateStatus::Successful)
    );

    client
        .update_alias()
        .function_name("crm")
        .name("live")
        .routing_config(
            AliasRoutingConfiguration::builder()
                .additional_version_weights("8", 0.25)
                .build(),
        )
        .send()
        .await
        .expect("shifting");
    let event = aws.take_events().pop().expect("its event");
    assert_eq!(
        event["detail"]["responseElements"]["routingConfig"]["additionalVersionWeights"],
        json!({ "8": 0.25 })
    );
    let missing = client
        .get_function_configuration()
        .function_name("crm")
        .qualifier("999")
        .send()
        .await
        .expect_err("no such version");
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));

    client
        .add_permission()
        .function_name("crm")
        .qualifier("7")
        .statement_id("appflow")
        .action("lambda:InvokeFunction")
        .principal("appflow.amazonaws.com")
        .send()
        .await
        .expect("a statement");
    let policy = client
        .get_policy()
        .function_name("crm")
        .qualifier("7")
        .send()
        .await
        .expect("a policy");
    assert!(
        policy
            .policy()
            .is_some_and(|policy| policy.contains(&format!("{ARN}:7")))
    );
    client
        .get_policy()
        .function_name("crm")
        .send()
        .await
        .expect_err("the function has none");

    client
        .delete_function()
        .function_name("crm")
        .send()
        .await
        .expect("deleted");
    client
        .delete_function()
        .function_name("crm")
        .send()
        .await
        .expect_err("twice");
}

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
fn the_account_s_quota_is_kept() {
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
fn a_client_token_makes_a_call_happen_once_for_eight_hours() {
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
fn a_call_that_failed_leaves_its_token_free() {
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
fn a_permission_for_another_account_lets_nobody_in() {
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
fn whatever_is_deployed_has_a_later_last_modified_than_everything_before() {
    let aws = with_function();
    let look = |input: Value| {
        let configuration = aws.call("GetFunctionConfiguration", input).expect("a look");
        let time = configuration["LastModified"].as_str().expect("a time");
        time.to_owned()
    };
    let latest = || look(json!({ "FunctionName": "crm" }));
    let mut times = vec![latest()];
    for number in 0..50 {
        deploy(&aws, &format!("2.{number}"), false);
        times.push(latest());
        let described = json!({ "FunctionName": "crm", "Description": number.to_string() });
        aws.call("UpdateFunctionConfiguration", described)
            .expect("an update");
        times.push(latest());
        let published = aws
            .call("PublishVersion", json!({ "FunctionName": "crm" }))
            .expect("a version");
        let version = json!({ "FunctionName": "crm", "Qualifier": published["Version"] });
        times.push(look(version));
    }
    aws.call("DeleteFunction", json!({ "FunctionName": "crm" }))
        .expect("deleted");
    let code = json!({ "FunctionName": "crm", "Code": { "ZipFile": package("1.0") } });
    aws.call("CreateFunction", code).expect("recreated");
    times.push(latest());
    // All are written alike, so that their order as texts is that of the times.
    assert!(
        times.is_sorted_by(|earlier, later| earlier < later),
        "{times:?}"
    );
    let [date, rest] = times[0].split('T').collect::<Vec<_>>()[..] else {
        panic!("{}", times[0]);
    };
    assert_eq!(
        (date.len(), rest.len()),
        ("2026-01-31".len(), "12:00:00.123+0000".len())
    );
    assert!(
        rest.ends_with("+0000") && rest.as_bytes()[8] == b'.',
        "{rest}"
    );
}

#[test]
fn an_inactive_function_is_woken_by_the_invocation_that_fails() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let reference = Reference::parse("crm").expect("a name");
    aws.state()
        .lambda
        .put_into(&reference, State::Inactive, LastUpdate::Successful)
        .expect("a function");
    assert_eq!(
        update(&aws, "acme", ARN).expect_err("woken").code,
        "ConnectorServerException"
    );
    let look = json!({ "FunctionName": "crm" });
    assert_eq!(
        aws.call("GetFunctionConfiguration", look).expect("a look")["State"],
        "Pending"
    );
    update(&aws, "acme", ARN).expect("awake");
}

#[tokio::test]
async fn faults_come_on_demand() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let client = tokio::task::spawn_blocking({
        let aws = aws.clone();
        move || {
            let config = aws_sdk_appflow::config::Builder::from(&config(&aws));
            let never = aws_sdk_appflow::config::retry::RetryConfig::disabled();
            aws_sdk_appflow::Client::from_conf(config.retry_config(never).build())
        }
    })
    .await
    .expect("a client");
    let list = || client.list_connectors().send();
    aws.fault(Fault::error("ListConnectors", "ThrottlingException").times(1));
    let error = list().await.expect_err("throttled");
    assert_eq!(error.code(), Some("ThrottlingException"));
    list().await.expect("once only");
    aws.fault(Fault::of("*", Kind::Dropped).times(1));
    assert!(
        list()
            .await
            .expect_err("dropped")
            .as_service_error()
            .is_none()
    );

    aws.fault(Fault::of("UpdateConnectorRegistration", Kind::AnswerLost).times(1));
    deploy(&aws, "2.0", false);
    client
        .update_connector_registration()
        .connector_label("acme")
        .send()
        .await
        .expect_err("lost");
    assert_eq!(held(&aws, "acme"), "2.0");

    let fault = json!({ "operation": "ListConnectors", "error": "InternalServerException" });
    aws.fault(Fault::from_json(&fault).expect("a fault"));
    assert_eq!(
        list().await.expect_err("broken").code(),
        Some("InternalServerException")
    );
    aws.state().faults.clear();
    list().await.expect("mended");
}
