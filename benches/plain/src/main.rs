//! The updater's main job as one would write it first: all default features, `load_defaults`, no
//! profile, one call after another. A peer to be measured against, not to be deployed: it knows
//! nothing of late or doubled events, aliases, deadlines or partial failure.

use aws_config::BehaviorVersion;
use aws_sdk_appflow::types::{
    ConnectorProvisioningConfig, ConnectorType, LambdaConnectorProvisioningConfig,
};
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let appflow = aws_sdk_appflow::Client::new(&config);
    let lambda = aws_sdk_lambda::Client::new(&config);
    run(service_fn(|event: LambdaEvent<Value>| {
        handle(&appflow, &lambda, event.payload)
    }))
    .await
}

async fn handle(
    appflow: &aws_sdk_appflow::Client,
    lambda: &aws_sdk_lambda::Client,
    event: Value,
) -> Result<Value, Error> {
    // A sweep has none, and is about every function.
    let deployed = event["detail"]["responseElements"]["functionArn"]
        .as_str()
        .map(function);
    let mut updated = 0;
    for label in labels(appflow).await? {
        let description = appflow
            .describe_connector()
            .connector_type(ConnectorType::Customconnector)
            .connector_label(&label)
            .send()
            .await?;
        let arn = description
            .connector_configuration
            .and_then(|configuration| configuration.connector_provisioning_config)
            .and_then(|provisioning| provisioning.lambda)
            .map(|lambda| lambda.lambda_arn)
            .ok_or("the connector has no function")?;
        if deployed.is_some_and(|deployed| deployed != function(&arn)) {
            continue;
        }
        wait_until_ready(lambda, &arn).await?;
        appflow
            .update_connector_registration()
            .connector_label(label)
            .connector_provisioning_config(
                ConnectorProvisioningConfig::builder()
                    .lambda(
                        LambdaConnectorProvisioningConfig::builder()
                            .lambda_arn(arn)
                            .build()?,
                    )
                    .build(),
            )
            .send()
            .await?;
        updated += 1;
    }
    Ok(json!({ "updated": updated }))
}

/// A function's ARN without its qualifier.
fn function(arn: &str) -> &str {
    let end = arn.match_indices(':').nth(6).map(|(end, _)| end);
    end.map_or(arn, |end| &arn[..end])
}

async fn labels(appflow: &aws_sdk_appflow::Client) -> Result<Vec<String>, Error> {
    let mut pages = appflow
        .list_connectors()
        .into_paginator()
        .page_size(100)
        .send();
    let mut labels = Vec::new();
    while let Some(page) = pages.next().await {
        for connector in page?.connectors.unwrap_or_default() {
            // Recorded responses do not spell it as the API model does.
            let provisioning = connector.connector_provisioning_type.as_ref();
            if provisioning.is_some_and(|kind| kind.as_str().eq_ignore_ascii_case("lambda")) {
                labels.extend(connector.connector_label);
            }
        }
    }
    Ok(labels)
}

async fn wait_until_ready(lambda: &aws_sdk_lambda::Client, arn: &str) -> Result<(), Error> {
    loop {
        let function = lambda
            .get_function_configuration()
            .function_name(arn)
            .send()
            .await?;
        if function.state == Some(State::Active)
            && function.last_update_status != Some(LastUpdateStatus::InProgress)
        {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
