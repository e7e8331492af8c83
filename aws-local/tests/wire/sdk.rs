//! The SDK's clients against the local services.

use aws_local::AwsLocal;
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
use serde_json::json;

use crate::world::{ARN, deploy, with_function};

pub fn config(aws: &AwsLocal) -> aws_config::SdkConfig {
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
    // As recorded, which is not as in the API model.
    let connector_type = described.connector_type().map(ConnectorType::as_str);
    assert_eq!(connector_type, Some("CUSTOMCONNECTOR"));
    assert_eq!(described.connector_arn(), None);
    assert_eq!(described.registered_by(), Some("CUSTOM"));
    assert!(described.registered_at().is_some());
    let lambda = described
        .connector_provisioning_config
        .and_then(|config| config.lambda);
    assert_eq!(lambda.expect("a function").lambda_arn, ARN);

    // AppFlow's own connectors are listed too, without labels.
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
