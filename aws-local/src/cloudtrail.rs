//! The EventBridge event with CloudTrail's record of a Lambda call.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::clock;
use crate::lambda::Name;
use crate::place::{PARTITION, REGION};

/// The event of a successful call. `request` and `response` are the call's own, as Lambda spells them.
/// `number` makes the ids unique within a server.
pub fn event(
    name: &Name,
    event_name: &str,
    request: &Value,
    response: &Value,
    time: SystemTime,
    number: u64,
) -> Value {
    let time = clock::text(time, "%Y-%m-%dT%H:%M:%SZ");
    let account = &name.account;
    let mut response = camel_case(response);
    // In recorded events, a function's `responseElements` have its bare name. An alias's have no
    // function name, by the API reference.
    if let Some(members) = response.as_object_mut()
        && members.contains_key("functionArn")
    {
        members.insert("functionName".to_owned(), name.name.as_str().into());
    }
    let mut request = camel_case(request);
    if request["publish"] == true && event_name.starts_with("UpdateFunctionCode") {
        request["fullyQualifiedArn"] = json!({
            "arnPrefix": { "partition": PARTITION, "region": REGION, "account": account },
            "relativeId": { "functionName": name.name },
            "functionQualifier": {},
        });
    }
    // The weights that a call clears stand in both parts of its record.
    if let Some(weights) = request.pointer("/routingConfig/additionalVersionWeights")
        && response["routingConfig"].is_null()
    {
        response["routingConfig"] = json!({ "additionalVersionWeights": weights });
    }
    json!({
        "version": "0",
        "id": id(number, 1),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda",
        "account": account,
        "time": time,
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLEEXAMPLE:deploy",
                "arn": format!("arn:aws:sts::{account}:assumed-role/deploy/deploy"),
                "accountId": account,
            },
            "eventTime": time,
            "eventSource": "lambda.amazonaws.com",
            "eventName": event_name,
            "awsRegion": REGION,
            "sourceIPAddress": "192.0.2.10",
            "userAgent": "aws-cli/2",
            "requestParameters": request,
            "responseElements": response,
            "requestID": id(number, 2),
            "eventID": id(number, 3),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": account,
            "eventCategory": "Management",
        },
    })
}

/// An id in AWS's format.
pub fn id(number: u64, kind: u16) -> String {
    format!("{number:08x}-0000-4000-8000-{kind:012x}")
}

/// CloudTrail writes every member's name in camel case.
fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            // Records do not have the deployment package.
            .filter(|(name, _)| *name != "ZipFile")
            .map(|(name, value)| {
                let mut characters = name.chars();
                let first = characters.next().map(|first| first.to_ascii_lowercase());
                (
                    first.into_iter().chain(characters).collect(),
                    camel_case(value),
                )
            })
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(values) => values.iter().map(camel_case).collect(),
        other => other.clone(),
    }
}
