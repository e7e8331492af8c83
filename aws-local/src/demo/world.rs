//! The demo's AWS: one connector's function, registered in three forms.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::AwsLocal;
use crate::answer::ApiError;
use crate::place;

/// The connector's function; the sample events are about it.
pub const FUNCTION: &str = "acme-crm-connector";
/// The alias that one registration follows.
pub const ALIAS: &str = "live";
/// The version that AppFlow has read the connector's configuration from.
const REGISTERED: u32 = 6;

/// How old changes are when the updater hears of them: older than the minute in which old code may still be
/// served, so that nothing is waited for.
const HEARD_AFTER: Duration = Duration::from_secs(120);

/// Publishes six versions of the function, and registers it without a qualifier, with an alias, and
/// with version 6.
pub fn register(aws: &AwsLocal) -> Result<(), ApiError> {
    aws.state().lambda.date_changes_back(HEARD_AFTER);
    let package = package(1);
    aws.call(
        "CreateFunction",
        json!({ "FunctionName": FUNCTION, "Code": { "ZipFile": package }, "Publish": true }),
    )?;
    for number in 2..=REGISTERED {
        deploy(aws, number)?;
    }
    aws.call(
        "CreateAlias",
        json!({ "FunctionName": FUNCTION, "Name": ALIAS, "FunctionVersion": "6" }),
    )?;
    let forms = [
        ("acme-crm", None),
        ("acme-crm-live", Some(ALIAS)),
        ("acme-crm-pinned", Some("6")),
    ];
    for (label, qualifier) in forms {
        aws.call(
            "AddPermission",
            json!({
                "FunctionName": FUNCTION,
                "Qualifier": qualifier,
                "StatementId": "appflow",
                "Action": "lambda:InvokeFunction",
                "Principal": "appflow.amazonaws.com",
                "SourceAccount": place::ACCOUNT,
            }),
        )?;
        let arn = place::function_arn(FUNCTION);
        let arn = qualifier.map_or(arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
        aws.call(
            "RegisterConnector",
            json!({
                "connectorLabel": label,
                "connectorProvisioningType": "LAMBDA",
                "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
                "description": "Acme CRM",
            }),
        )?;
    }
    // The updater does not get the events of the setup.
    aws.take_events();
    Ok(())
}

/// Deploys the next version: `UpdateFunctionCode` with `publish`.
pub fn publish_next(aws: &AwsLocal) -> Result<(), ApiError> {
    deploy(aws, REGISTERED + 1).map(drop)
}

/// Points the alias at the next version.
pub fn move_alias(aws: &AwsLocal) -> Result<(), ApiError> {
    let version = (REGISTERED + 1).to_string();
    aws.call(
        "UpdateAlias",
        json!({ "FunctionName": FUNCTION, "Name": ALIAS, "FunctionVersion": version }),
    )
    .map(drop)
}

/// Registers the function, publishes the next version, and moves the alias. The updater does not get
/// these events: the sample events take their place.
pub fn past(aws: &AwsLocal) -> Result<(), ApiError> {
    register(aws)?;
    publish_next(aws)?;
    move_alias(aws)?;
    aws.take_events();
    Ok(())
}

fn deploy(aws: &AwsLocal, number: u32) -> Result<Value, ApiError> {
    aws.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": FUNCTION, "ZipFile": package(number), "Publish": true }),
    )
}

/// The package of version *n* is a connector of version 1.*n*.
fn package(number: u32) -> String {
    let connector = json!({
        "connectorName": "Acme CRM",
        "connectorOwner": "Acme",
        "connectorVersion": format!("1.{number}"),
        "connectorModes": ["SOURCE"],
        "canUseAsSource": true,
        "authenticationConfig": { "isApiKeyAuthSupported": true },
        "supportedApiVersions": ["v1"],
        "supportedOperators": ["PROJECTION", "EQUAL_TO"],
    });
    BASE64_STANDARD.encode(connector.to_string())
}
