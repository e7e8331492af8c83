//! Parses the CloudTrail record of a Lambda call.
//!
//! Records differ by version and by how the call was made. So only what is needed is read, and anything
//! else may be absent or malformed: such a record is still a deployment.

use serde_json::Value;

use crate::event::members::{excerpt, kind, lenient, optional, path, required};
use crate::event::trigger::{InvalidEvent, Trigger};
use crate::model::change::Change;
use crate::model::function_arn::{Function, FunctionArn, Qualifier};

/// The name of the call in an EventBridge event that holds a CloudTrail record.
pub(super) fn event_name(event: &Value) -> Result<&str, InvalidEvent> {
    match event.pointer("/detail") {
        Some(Value::Object(_)) => required(event, "/detail/eventName"),
        None | Some(Value::Null) => Err(InvalidEvent("the event has no `detail`".to_owned())),
        Some(other) => Err(InvalidEvent(format!(
            "`detail`: expected a CloudTrail record, found {}",
            kind(other)
        ))),
    }
}

/// Reads the event of a call with this name.
pub(super) fn read(event: &Value, event_name: &str) -> Result<Trigger, InvalidEvent> {
    let ignored = |reason| Ok(Trigger::Ignored(reason));

    let event_source = lenient(event, "/detail/eventSource");
    if let Some(other) = event_source.filter(|source| *source != "lambda.amazonaws.com") {
        return ignored(format!(
            "a call to `{}` is not a call to Lambda",
            excerpt(other)
        ));
    }
    let Some(call) = Call::named(event_name) else {
        return ignored(format!(
            "`{}` does not deploy a function",
            excerpt(event_name)
        ));
    };
    match event.pointer("/detail/errorCode") {
        None | Some(Value::Null) => {}
        Some(Value::String(code)) => {
            return ignored(format!("the call failed with {}", excerpt(code)));
        }
        Some(_) => return ignored("the call failed".to_owned()),
    }
    if event.pointer("/detail/requestParameters/dryRun") == Some(&Value::Bool(true)) {
        return ignored("the call was a dry run".to_owned());
    }

    let (function, change) = match call {
        Call::Alias => alias(event)?,
        call => {
            let (function, version) = function_and_version(event)?;
            let publishes = match (call, &version) {
                (Call::Version, _) => true,
                (Call::Configuration, _) => false,
                (_, Some(Qualifier::Version(_) | Qualifier::LatestPublished)) => true,
                // The response may lack the version that the request published.
                (_, Some(Qualifier::Latest | Qualifier::Alias(_)) | None) => {
                    event.pointer("/detail/requestParameters/publish") == Some(&Value::Bool(true))
                }
            };
            match publishes {
                true => (function, published(event, version)),
                false => (function, Change::LatestChanged),
            }
        }
    };
    Ok(Trigger::Deployment { function, change })
}

/// What a Lambda call deploys.
#[derive(Clone, Copy)]
enum Call {
    Version,
    Code,
    Configuration,
    Alias,
}

/// The Lambda calls that deploy.
const CALLS: [(&str, Call); 6] = [
    ("PublishVersion", Call::Version),
    ("UpdateFunctionCode", Call::Code),
    ("CreateFunction", Call::Code),
    ("UpdateFunctionConfiguration", Call::Configuration),
    ("CreateAlias", Call::Alias),
    ("UpdateAlias", Call::Alias),
];

impl Call {
    fn named(event_name: &str) -> Option<Self> {
        CALLS
            .into_iter()
            .find(|(name, _)| event_name.strip_prefix(name).is_some_and(is_api_version))
            .map(|(_, call)| call)
    }
}

/// Whether this is what CloudTrail may append to a call's name. By the Lambda developer guide,
/// `eventName` "might include date and version information": nothing, a date such as `20150331`, or a
/// date and a version such as `20150331v2`. Nothing else is accepted: `CreateFunctionUrlConfig` begins
/// like `CreateFunction`. A date begins with 2, because EventBridge's patterns cannot match any digit.
fn is_api_version(suffix: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, version) = match suffix.split_once('v') {
        Some((date, version)) => (date, Some(version)),
        None => (suffix, None),
    };
    suffix.is_empty()
        || date.len() == 8
            && date.starts_with('2')
            && is_number(date)
            && version.is_none_or(is_number)
}

/// The name of each call that deploys a function, as Lambda's API has it. EventBridge's rules must match
/// it alone and with a date and version, and no other call.
pub fn call_names() -> impl Iterator<Item = &'static str> {
    CALLS.into_iter().map(|(name, _)| name)
}

/// What a call published, by its response, or else by its request.
fn published(event: &Value, version: Option<Qualifier>) -> Change {
    let to = lenient(event, "/detail/requestParameters/publishTo");
    match version {
        Some(Qualifier::Version(version)) => Change::Published(Some(version)),
        Some(Qualifier::LatestPublished) => Change::LatestPublished,
        _ if to == Some("LATEST_PUBLISHED") => Change::LatestPublished,
        _ => Change::Published(None),
    }
}

/// The function of a call, and the version that the call's response describes. CloudTrail cuts
/// `responseElements` of more than 100 KB, so the response may be missing.
fn function_and_version(event: &Value) -> Result<(Function, Option<Qualifier>), InvalidEvent> {
    let version = lenient(event, "/detail/responseElements/version")
        .and_then(|version| version.parse::<Qualifier>().ok());
    let Some(arn) = arn(event, "/detail/responseElements/functionArn")? else {
        return Ok((requested_function(event)?, version));
    };
    match (arn.qualifier(), version) {
        // CreateFunction answers so even where it published version 1.
        (None, version) => Ok((arn.function().clone(), version)),
        (Some(qualifier), Some(version)) if *qualifier != version => Err(InvalidEvent(format!(
            "`detail.responseElements` has version {version}, but an ARN that ends in {qualifier}"
        ))),
        (Some(qualifier), _) => Ok((arn.function().clone(), Some(qualifier.clone()))),
    }
}

/// The function that a call's request names: by its ARN's parts, or as the caller did, who may give a
/// bare name, a partial ARN, or an ARN.
fn requested_function(event: &Value) -> Result<Function, InvalidEvent> {
    if let Some(function) = fully_qualified(event) {
        return Ok(function);
    }
    let Some(name) = optional(event, "/detail/requestParameters/functionName")? else {
        return Err(InvalidEvent(
            "the record names no function: neither `detail.responseElements.functionArn` nor \
             `detail.requestParameters.functionName`"
                .to_owned(),
        ));
    };
    let region = lenient(event, "/detail/awsRegion").or_else(|| lenient(event, "/region"));
    let account =
        lenient(event, "/detail/recipientAccountId").or_else(|| lenient(event, "/account"));
    Function::from_name(name, region, account).map_err(|error| {
        InvalidEvent(format!(
            "`detail.requestParameters.functionName` in Region {} and account {}: {error}",
            region.map_or_else(|| "(none)".to_owned(), excerpt),
            account.map_or_else(|| "(none)".to_owned(), excerpt)
        ))
    })
}

/// The function of `fullyQualifiedArn`, which requests that publish have; `None` if it lacks a part.
fn fully_qualified(event: &Value) -> Option<Function> {
    let part = |name: &str| {
        let pointer = format!("/detail/requestParameters/fullyQualifiedArn/{name}");
        lenient(event, &pointer)
    };
    let (region, account) = (part("arnPrefix/region")?, part("arnPrefix/account")?);
    Function::from_name(
        part("relativeId/functionName")?,
        Some(region),
        Some(account),
    )
    .ok()
}

/// The function of an alias that was created or updated, and what changed.
fn alias(event: &Value) -> Result<(Function, Change), InvalidEvent> {
    let (function, alias, record) = match arn(event, "/detail/responseElements/aliasArn")? {
        Some(arn) => {
            let Some(Qualifier::Alias(alias)) = arn.qualifier().cloned() else {
                let message = "`detail.responseElements.aliasArn` has no alias";
                return Err(InvalidEvent(message.to_owned()));
            };
            (arn.function().clone(), alias, "/detail/responseElements")
        }
        // An UpdateAlias request has only what changes; the response has the whole alias.
        None => {
            let name = required(event, "/detail/requestParameters/name")?;
            let Ok(Qualifier::Alias(alias)) = name.parse() else {
                let name = excerpt(name);
                return Err(InvalidEvent(format!(
                    "`detail.requestParameters.name`: `{name}` is not the name of an alias"
                )));
            };
            (
                requested_function(event)?,
                alias,
                "/detail/requestParameters",
            )
        }
    };
    let split = weights(event, record).any(|(_, weight)| {
        weight
            .as_f64()
            .is_none_or(|weight| weight > 0.0 && weight < 1.0)
    });
    let asked = weights(event, "/detail/requestParameters")
        .find(|(_, weight)| weight.as_f64() == Some(1.0))
        .map(|(version, _)| version.clone());
    let request = event.pointer("/detail/requestParameters");
    let request = request.and_then(Value::as_object);
    let change = Change::AliasMoved {
        alias,
        split,
        asked,
        points: request.is_none_or(|request| request.contains_key("functionVersion")),
    };
    Ok((function, change))
}

/// The weights of an alias's additional versions, in the request or the response of a call.
fn weights<'a>(event: &'a Value, part: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let weights = format!("{part}/routingConfig/additionalVersionWeights");
    event
        .pointer(&weights)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn arn(event: &Value, pointer: &str) -> Result<Option<FunctionArn>, InvalidEvent> {
    optional(event, pointer)?
        .map(|text| {
            text.parse()
                .map_err(|error| InvalidEvent(format!("`{}`: {error}", path(pointer))))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::trigger::Sweep;
    use crate::event::{Event, read};
    use crate::model::function_arn::Version;
    use proptest::prelude::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn record(event_name: &str, request: Value, response: Value) -> Value {
        json!({
            "source": "aws.lambda",
            "detail-type": "AWS API Call via CloudTrail",
            "account": "123456789012",
            "region": "us-east-1",
            "id": "envelope",
            "detail": {
                "eventName": event_name,
                "eventID": "record",
                "requestParameters": request,
                "responseElements": response,
            },
        })
    }

    fn trigger(event: &Value) -> Trigger {
        read(&event.to_string()).expect("a valid event").trigger
    }

    fn change(event: &Value) -> Change {
        match trigger(event) {
            Trigger::Deployment { function, change } => {
                assert_eq!(function, Function::from_name(ARN, None, None).unwrap());
                change
            }
            other => panic!("{event}: {other:?}"),
        }
    }

    fn version(number: u64) -> Option<Version> {
        Version::new(number)
    }

    #[test]
    fn what_changed_is_told_by_the_answer_and_else_by_the_request() {
        let published = |number| Change::Published(version(number));
        let qualified = json!({ "functionArn": format!("{ARN}:7"), "version": "7" });
        let unqualified = json!({ "functionArn": ARN, "version": "$LATEST" });
        let named = json!({ "functionName": "crm" });
        let publishing = json!({ "functionName": "crm", "publish": true });
        let not_publishing = json!({ "functionName": "crm", "publish": false });
        let code = "UpdateFunctionCode20150331v2";
        let create = "CreateFunction20150331";
        let configuration = "UpdateFunctionConfiguration20150331v2";
        let publish = "PublishVersion20150331";
        for (event_name, request, response, expected) in [
            (publish, &named, &qualified, published(7)),
            (publish, &named, &json!(null), published(0)),
            (publish, &named, &json!({ "version": "7" }), published(7)),
            (
                publish,
                &json!(null),
                &json!({ "functionArn": format!("{ARN}:7") }),
                published(7),
            ),
            (code, &publishing, &qualified, published(7)),
            (code, &json!(null), &qualified, published(7)),
            (code, &publishing, &json!(null), published(0)),
            (code, &publishing, &json!({ "omitted": true }), published(0)),
            (code, &not_publishing, &json!(null), Change::LatestChanged),
            (code, &not_publishing, &unqualified, Change::LatestChanged),
            (code, &named, &unqualified, Change::LatestChanged),
            (
                code,
                &named,
                &json!({ "functionArn": ARN }),
                Change::LatestChanged,
            ),
            (
                code,
                &publishing,
                &json!({ "functionArn": ARN }),
                published(0),
            ),
            (code, &publishing, &unqualified, published(0)),
            (create, &publishing, &qualified, published(7)),
            (
                create,
                &publishing,
                &json!({ "functionArn": ARN, "version": "1" }),
                published(1),
            ),
            (create, &not_publishing, &unqualified, Change::LatestChanged),
            (configuration, &named, &unqualified, Change::LatestChanged),
            (configuration, &named, &json!(null), Change::LatestChanged),
        ] {
            let event = record(event_name, request.clone(), response.clone());
            assert_eq!(change(&event), expected, "{event}");
        }
    }

    #[test]
    fn where_an_alias_moved_is_told_by_the_answer_and_else_by_the_request() {
        let alias_arn = format!("{ARN}:live");
        let weights = json!({ "additionalVersionWeights": { "8": 0.1 } });
        let no_weight = json!({ "additionalVersionWeights": { "8": 0.0 } });
        let odd_weight = json!({ "additionalVersionWeights": { "8": "some" } });
        let whole = json!({ "additionalVersionWeights": { "8": 1.0 } });
        let all_to_8 = json!({ "functionName": ARN, "name": "live", "routingConfig": whole });
        let request = json!({ "functionName": "crm", "name": "live", "routingConfig": weights });
        let plain = json!({ "functionName": "crm", "name": "live" });
        let none = json!({ "additionalVersionWeights": {} });
        let to_none = json!({ "functionName": ARN, "name": "live", "routingConfig": none });
        let asked = |version: &str| Some(version.to_owned());
        for (request, response, split, asked) in [
            (&request, json!({ "aliasArn": alias_arn }), false, None),
            (&request, json!(null), true, None),
            (&plain, json!(null), false, None),
            (&to_none, json!(null), false, None),
            (
                &to_none,
                json!({ "aliasArn": alias_arn, "routingConfig": none }),
                false,
                None,
            ),
            (&all_to_8, json!(null), false, asked("8")),
            (
                &all_to_8,
                json!({ "aliasArn": alias_arn }),
                false,
                asked("8"),
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": whole }),
                false,
                None,
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": weights }),
                true,
                None,
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": no_weight }),
                false,
                None,
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": odd_weight }),
                true,
                None,
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": { "additionalVersionWeights": {} } }),
                false,
                None,
            ),
            (
                &plain,
                json!({ "aliasArn": alias_arn, "routingConfig": 7 }),
                false,
                None,
            ),
        ] {
            let event = record("UpdateAlias20150331", request.clone(), response);
            let expected = Change::AliasMoved {
                alias: "live".to_owned(),
                split,
                asked,
                points: false,
            };
            assert_eq!(change(&event), expected, "{event}");
        }
    }

    #[test]
    fn an_alias_is_pointed_at_a_version_by_a_request_that_has_one_or_is_missing() {
        for (request, expected) in [
            (json!(null), true),
            (json!({ "name": "live", "functionVersion": "7" }), true),
            (json!({ "name": "live", "description": "x" }), false),
        ] {
            let response = json!({ "aliasArn": format!("{ARN}:live"), "functionVersion": "7" });
            let event = record("UpdateAlias20150331", request, response);
            let Change::AliasMoved { points, .. } = change(&event) else {
                panic!("{event}");
            };
            assert_eq!(points, expected, "{event}");
        }
    }

    #[test]
    fn an_event_is_known_by_cloudtrail_s_id_and_else_by_the_envelope_s() {
        let id = |event: &Value| match read(&event.to_string()) {
            Ok(event) => event.id,
            other => panic!("{other:?}"),
        };
        let response = json!({ "functionArn": format!("{ARN}:7") });
        let mut event = record("PublishVersion20150331", json!(null), response);
        assert_eq!(id(&event).as_deref(), Some("record"));
        for odd in [json!(null), json!(5), json!({ "a": 1 })] {
            event["detail"]["eventID"] = odd;
            assert_eq!(id(&event).as_deref(), Some("envelope"));
        }
        event["id"] = json!(null);
        assert_eq!(id(&event), None);
    }

    #[test]
    fn what_is_not_needed_may_be_odd_and_the_deployment_is_not_lost() {
        let request = json!({ "functionName": "crm", "publish": "yes", "dryRun": "no" });
        let response = json!({ "functionArn": format!("{ARN}:7"), "version": ["7"] });
        let mut event = record("UpdateFunctionCode20150331v2", request, response);
        event["time"] = json!("soon");
        for (member, odd) in [
            ("eventTime", json!("yesterday")),
            ("eventTime", json!(5)),
            ("eventTime", json!({})),
            ("eventSource", json!(5)),
            ("eventID", json!([])),
            ("awsRegion", json!(5)),
            ("recipientAccountId", json!(true)),
            ("requestParameters", json!("text")),
            ("requestParameters", json!([1])),
            ("errorCode", json!(null)),
        ] {
            let mut event = event.clone();
            event["detail"][member] = odd;
            assert_eq!(change(&event), Change::Published(version(7)), "{event}");
        }
    }

    #[test]
    fn latest_published_is_told_by_the_answer_and_else_by_the_request() {
        let arn = format!("{ARN}:$LATEST.PUBLISHED");
        let to = json!({ "functionName": "crm", "publish": true, "publishTo": "LATEST_PUBLISHED" });
        let code = "UpdateFunctionCode20150331v2";
        let publish = "PublishVersion20150331";
        let create = "CreateFunction20150331";
        for (event_name, request, response) in [
            (
                code,
                &to,
                json!({ "functionArn": arn, "version": "$LATEST.PUBLISHED" }),
            ),
            (
                code,
                &to,
                json!({ "functionArn": ARN, "version": "$LATEST.PUBLISHED" }),
            ),
            (code, &json!(null), json!({ "functionArn": arn })),
            (code, &to, json!(null)),
            (create, &to, json!({ "omitted": true })),
            (publish, &to, json!(null)),
            (publish, &to, json!({ "functionArn": ARN })),
            (publish, &json!(null), json!({ "functionArn": arn })),
        ] {
            let event = record(event_name, request.clone(), response);
            assert_eq!(change(&event), Change::LatestPublished, "{event}");
        }
        let not_publishing =
            json!({ "functionName": "crm", "publish": false, "publishTo": "LATEST_PUBLISHED" });
        let event = record(code, not_publishing, json!(null));
        assert_eq!(change(&event), Change::LatestChanged);
    }

    #[test]
    fn a_call_is_known_alone_and_with_any_date_and_version_and_nothing_else_is() {
        let alias = json!({ "aliasArn": format!("{ARN}:live") });
        let function = json!({ "functionArn": ARN });
        for (name, call) in CALLS {
            let answer = match call {
                Call::Alias => &alias,
                _ => &function,
            };
            let reads_as = |event_name: &str| {
                let event = record(event_name, json!(null), answer.clone());
                trigger(&event)
            };
            for event_name in ["", "20150331", "20150331v2", "20990101v10"] {
                let event_name = format!("{name}{event_name}");
                let trigger = reads_as(&event_name);
                assert!(
                    matches!(trigger, Trigger::Deployment { .. }),
                    "{event_name}: {trigger:?}"
                );
            }
            for event_name in [
                format!("{name}2015033120150331"),
                format!("{name}20150331v"),
                format!("{name}20150331vx"),
                format!("{name}20150331v2v3"),
                format!("{name}20150331 "),
                format!("{name}2015"),
                format!("{name}v2"),
                format!("{name}10150331"),
                format!("{name}2015033x"),
                format!("{name}UrlConfig"),
                format!("{name}UrlConfig20211031"),
                format!("{name}SigningConfig20200422"),
                format!("{name} "),
                format!("Un{name}"),
                name.to_lowercase(),
            ] {
                let trigger = reads_as(&event_name);
                assert!(
                    matches!(trigger, Trigger::Ignored(_)),
                    "{event_name}: {trigger:?}"
                );
            }
        }
    }

    #[test]
    fn the_rules_are_told_the_name_of_each_call() {
        let names: Vec<&str> = call_names().collect();
        assert_eq!(
            names,
            [
                "PublishVersion",
                "UpdateFunctionCode",
                "CreateFunction",
                "UpdateFunctionConfiguration",
                "CreateAlias",
                "UpdateAlias",
            ]
        );
    }

    #[test]
    fn a_failed_call_is_ignored_whatever_its_error_code_is() {
        for code in [json!("AccessDenied"), json!(5), json!({})] {
            let mut event = record("PublishVersion20150331", json!(null), json!(null));
            event["detail"]["errorCode"] = code;
            let read = trigger(&event);
            assert!(
                matches!(&read, Trigger::Ignored(reason) if reason.contains("failed")),
                "{read:?}"
            );
        }
    }

    #[test]
    fn a_detail_that_is_no_record_is_an_error_that_says_what_it_is() {
        let none = "the event has no `detail`";
        let mut event = record("PublishVersion20150331", json!(null), json!(null));
        for (detail, message) in [
            (json!(null), none),
            (
                json!("x"),
                "`detail`: expected a CloudTrail record, found a string",
            ),
            (
                json!([1]),
                "`detail`: expected a CloudTrail record, found an array",
            ),
        ] {
            event["detail"] = detail;
            let InvalidEvent(told) = read(&event.to_string()).unwrap_err();
            assert_eq!(told, message);
        }
        event.as_object_mut().unwrap().remove("detail");
        assert_eq!(read(&event.to_string()), Err(InvalidEvent(none.to_owned())));
    }

    #[test]
    fn only_a_call_to_lambda_that_was_made_is_a_deployment() {
        let response = json!({ "functionArn": format!("{ARN}:7") });
        let made = record("PublishVersion20150331", json!({}), response);
        for (pointer, value, reason) in [
            ("eventSource", json!("lambda.amazonaws.com"), None),
            (
                "eventSource",
                json!("s3.amazonaws.com"),
                Some("a call to `s3.amazonaws.com` is not a call to Lambda"),
            ),
            (
                "eventName",
                json!("Invoke"),
                Some("`Invoke` does not deploy a function"),
            ),
            ("requestParameters", json!({ "dryRun": false }), None),
            (
                "requestParameters",
                json!({ "dryRun": true }),
                Some("the call was a dry run"),
            ),
        ] {
            let mut event = made.clone();
            event["detail"][pointer] = value;
            match trigger(&event) {
                Trigger::Deployment { .. } => assert_eq!(reason, None, "{event}"),
                Trigger::Ignored(told) => assert_eq!(Some(told.as_str()), reason, "{event}"),
                other => panic!("{event}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_names_two_versions_is_an_error() {
        let response = json!({ "functionArn": format!("{ARN}:7"), "version": "8" });
        let event = record("PublishVersion20150331", json!(null), response);
        let InvalidEvent(told) = read(&event.to_string()).unwrap_err();
        assert!(
            told.contains("version 8, but an ARN that ends in 7"),
            "{told}"
        );
    }

    #[test]
    fn a_function_without_an_arn_in_the_answer_is_the_one_that_the_request_names_in_full() {
        let parts = json!({
            "arnPrefix": { "partition": "aws", "region": "us-east-1", "account": "123456789012" },
            "relativeId": { "functionName": "crm" },
            "functionQualifier": {},
        });
        let read = |request: Value| {
            let mut event = record("UpdateFunctionCode20150331v2", request, json!(null));
            // The bus's account, which is not the function's where the event was forwarded.
            event["account"] = json!("111122223333");
            change(&event)
        };
        let whole = json!({ "publish": true, "fullyQualifiedArn": parts });
        assert_eq!(read(whole), Change::Published(None));
        let both = json!({ "functionName": "crm", "publish": true, "fullyQualifiedArn": parts });
        assert_eq!(read(both), Change::Published(None));
        for odd in [
            json!(null),
            json!("text"),
            json!({}),
            json!({ "relativeId": { "functionName": "other" } }),
            json!({
                "arnPrefix": { "region": "us-east-1", "account": 5 },
                "relativeId": { "functionName": "other" },
            }),
        ] {
            let request = json!({ "functionName": ARN, "publish": true, "fullyQualifiedArn": odd });
            assert_eq!(read(request), Change::Published(None), "{odd}");
        }
    }

    #[test]
    fn a_schedule_is_a_sweep_whatever_else_it_holds() {
        for source in ["aws.events", "aws.scheduler"] {
            for (time, told) in [
                (json!("2026-03-02T03:00:00Z"), true),
                (json!("then"), false),
                (json!(5), false),
            ] {
                let event = json!({
                    "source": source,
                    "detail-type": "Scheduled Event",
                    "id": "due",
                    "time": time,
                    "detail": {},
                });
                let event = read(&event.to_string()).expect("a valid event");
                assert_eq!(event.trigger, Trigger::Sweep(Sweep::default()));
                assert_eq!(
                    (event.id.as_deref(), event.time.is_some()),
                    (Some("due"), told)
                );
            }
        }
    }

    fn json_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            "(aws\\.lambda|live|7|\\$LATEST|arn:aws:lambda:us-east-1:123456789012:function:f(:7)?)"
                .prop_map(Value::from),
        ];
        let names = "(source|detail|eventName|requestParameters|functionArn|sweep|labels|name)";
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..6).prop_map(|members| members
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(payload in "\\PC{0,200}") {
            let _ = read(&payload);
        }

        #[test]
        fn no_json_is_a_panic_or_an_endless_error(event in json_values()) {
            if let Err(error) = read(&event.to_string()) {
                prop_assert!(error.to_string().len() < 4096);
            }
        }

        // Whatever is odd in one field of a real event, another function is never the result.
        #[test]
        fn an_odd_field_never_points_at_another_function(
            odd in json_values(),
            field in prop::sample::select(vec![
                "/detail/requestParameters", "/detail/requestParameters/functionName",
                "/detail/requestParameters/publish", "/detail/responseElements/version",
                "/detail/eventID", "/detail", "/account", "/region",
            ]),
        ) {
            let request = json!({ "functionName": "crm", "publish": true });
            let response = json!({ "functionArn": format!("{ARN}:7"), "version": "7" });
            let mut event = record("UpdateFunctionCode20150331v2", request, response);
            *event.pointer_mut(field).unwrap() = odd;
            if let Ok(Event { trigger: Trigger::Deployment { function, change }, .. }) = read(&event.to_string())
                && field != "/detail"
            {
                prop_assert_eq!(function.name(), "crm");
                prop_assert_eq!(change, Change::Published(version(7)));
            }
        }
    }
}
