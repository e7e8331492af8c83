//! A function `crm`, and what happens to it.

use aws_local::AwsLocal;
use aws_local::answer::ApiError;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

pub const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

/// A function `crm` that AppFlow may invoke.
pub fn with_function() -> AwsLocal {
    let aws = AwsLocal::start(0).expect("a free port");
    aws.call(
        "CreateFunction",
        json!({ "FunctionName": "crm", "Code": { "ZipFile": package("1.0") } }),
    )
    .expect("a function");
    allow(&aws, None).expect("a permission");
    aws
}

pub fn allow(aws: &AwsLocal, qualifier: Option<&str>) -> Result<Value, ApiError> {
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

pub fn package(version: &str) -> String {
    BASE64_STANDARD.encode(json!({ "connectorVersion": version }).to_string())
}

pub fn deploy(aws: &AwsLocal, version: &str, publish: bool) {
    aws.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": "crm", "ZipFile": package(version), "Publish": publish }),
    )
    .expect("an update");
}

pub fn register(aws: &AwsLocal, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call("RegisterConnector", registration(label, arn))
}

pub fn registration(label: &str, arn: &str) -> Value {
    json!({
        "connectorLabel": label,
        "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
    })
}

pub fn update(aws: &AwsLocal, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call(
        "UpdateConnectorRegistration",
        json!({
            "connectorLabel": label,
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
        }),
    )
}

pub fn held(aws: &AwsLocal, label: &str) -> Value {
    let world = aws.state();
    let registration = world.appflow.registration(label).expect("a registration");
    registration.configuration["connectorVersion"].clone()
}
