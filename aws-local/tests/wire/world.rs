//! A function `crm`, its deployments, and its registrations.

use aws_local::answer::ApiError;
use aws_local::{Aws, AwsLocal};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};

pub const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

/// A function `crm` that AppFlow may invoke, behind a port.
pub fn with_function() -> AwsLocal {
    let aws = AwsLocal::start(0).expect("a free port");
    create_function(&aws);
    aws
}

/// The same in memory.
pub fn in_memory() -> Aws {
    let aws = Aws::new();
    create_function(&aws);
    aws
}

fn create_function(aws: &Aws) {
    aws.call(
        "CreateFunction",
        json!({ "FunctionName": "crm", "Code": { "ZipFile": package("1.0") } }),
    )
    .expect("a function");
    allow(aws, None).expect("a permission");
}

pub fn allow(aws: &Aws, qualifier: Option<&str>) -> Result<Value, ApiError> {
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

pub fn deploy(aws: &Aws, version: &str, publish: bool) {
    aws.call(
        "UpdateFunctionCode",
        json!({ "FunctionName": "crm", "ZipFile": package(version), "Publish": publish }),
    )
    .expect("an update");
}

pub fn register(aws: &Aws, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call("RegisterConnector", registration(label, arn))
}

pub fn registration(label: &str, arn: &str) -> Value {
    json!({
        "connectorLabel": label,
        "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
    })
}

pub fn update(aws: &Aws, label: &str, arn: &str) -> Result<Value, ApiError> {
    aws.call(
        "UpdateConnectorRegistration",
        json!({
            "connectorLabel": label,
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
        }),
    )
}

pub fn held(aws: &Aws, label: &str) -> Value {
    let world = aws.state();
    let registration = world.appflow.registration(label).expect("a registration");
    registration.configuration["connectorVersion"].clone()
}

/// A call of AppFlow as a request.
pub fn request(operation: &str, input: &Value) -> Request<Bytes> {
    let path = operation
        .chars()
        .enumerate()
        .map(|(position, letter)| match letter {
            'A'..='Z' if position > 0 => format!("-{}", letter.to_ascii_lowercase()),
            letter => letter.to_ascii_lowercase().to_string(),
        })
        .collect::<String>();
    Request::post(format!("/{path}"))
        .body(input.to_string().into())
        .expect("a request")
}
