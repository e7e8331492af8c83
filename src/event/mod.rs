//! JSON in, what happened out.
//!
//! Three things can reach this function: a CloudTrail record of a Lambda call in an EventBridge
//! envelope, EventBridge's own Scheduled Event, and `{"sweep": {…}}` by hand. CloudTrail records
//! vary with the age and the path of a call, so nothing is read that is not needed, and what is
//! read may be absent unless it is named here as an error. Anything else that EventBridge may
//! deliver is ignored with a reason; anything that is not what it says it is, is an error.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;
use serde_json::Value;

use crate::model::function_arn::{Function, FunctionArn, Qualifier};
use crate::model::registration::ConnectorLabel;
use crate::reconcile::decision::Change;

/// What an invocation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// A function was deployed.
    Deployment(Deployment),
    /// Registrations are to be converged without an event.
    Sweep(Sweep),
    /// Nothing is to be done.
    Ignored(Ignored),
}

/// A Lambda function was deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// CloudTrail's `eventID`: the same in every delivery of the event.
    pub event_id: String,
    /// CloudTrail's `eventName`, such as `PublishVersion20150331`.
    pub event_name: String,
    /// When the call was made, where the record tells.
    pub time: Option<DateTime>,
    /// The function that was deployed.
    pub function: Function,
    /// What changed.
    pub change: Change,
}

/// A sweep: every registration in scope is converged without an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// The Scheduled Event's id; `None` for a sweep by hand.
    pub event_id: Option<String>,
    /// When the Scheduled Event was due.
    pub time: Option<DateTime>,
    /// The registrations to sweep; `None` for all that the settings allow.
    pub labels: Option<Vec<ConnectorLabel>>,
    /// Whether the sweep is to write nothing.
    pub dry_run: bool,
}

/// An event that is not acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignored {
    /// CloudTrail's `eventID`, or else the envelope's id.
    pub event_id: Option<String>,
    /// CloudTrail's `eventName`, or else the envelope's detail type.
    pub event_name: Option<String>,
    /// Why nothing is done.
    pub reason: String,
}

/// An event that claims to be for this function and cannot be understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEvent(pub String);

/// Reads an invocation's payload.
///
/// # Errors
/// When the payload is not JSON, not an object, or claims to be one of the three things that this
/// function handles and lacks what is needed for it.
pub fn read(payload: &str) -> Result<Trigger, InvalidEvent> {
    let event: Value = serde_json::from_str(payload)
        .map_err(|error| InvalidEvent(format!("the payload is not JSON: {error}")))?;
    let Some(members) = event.as_object() else {
        return Err(InvalidEvent(format!(
            "the payload is {}, and an event is an object",
            kind(&event)
        )));
    };
    if members.contains_key("sweep") && !members.contains_key("source") {
        return sweep_by_hand(payload).map(Trigger::Sweep);
    }

    let source = required_text(&event, "/source")?;
    let detail_type = required_text(&event, "/detail-type")?;
    match (source, detail_type) {
        ("aws.lambda", "AWS API Call via CloudTrail") => cloudtrail(&event),
        // From a rule's schedule and from EventBridge Scheduler, in this order.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Trigger::Sweep(Sweep {
            event_id: text(&event, "/id")?.map(str::to_owned),
            time: time(&event, "/time")?,
            ..Sweep::default()
        })),
        _ => Ok(Trigger::Ignored(Ignored {
            event_id: text(&event, "/id")?.map(str::to_owned),
            event_name: Some(excerpt(detail_type)),
            reason: format!(
                "an event of source `{}` and detail type `{}` is not a Lambda call that CloudTrail \
                 recorded",
                excerpt(source),
                excerpt(detail_type)
            ),
        })),
    }
}

/// `{"sweep": {"labels": ["…"], "dryRun": true}}`, both members optional.
fn sweep_by_hand(payload: &str) -> Result<Sweep, InvalidEvent> {
    // Unknown members are refused: a sweep whose `dryRun` is misspelt must not write.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Payload {
        sweep: Parameters,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Parameters {
        labels: Option<Vec<String>>,
        dry_run: Option<bool>,
    }

    let Payload { sweep } = serde_json::from_str(payload).map_err(|error| {
        InvalidEvent(format!(
            "the sweep is not of the form {{\"sweep\": {{\"labels\": [\"…\"], \"dryRun\": true}}}}: \
             {error}"
        ))
    })?;
    let labels = sweep
        .labels
        .map(|labels| {
            if labels.is_empty() {
                return Err(InvalidEvent(
                    "the sweep's `labels` is empty: leave it out to sweep every registration"
                        .to_owned(),
                ));
            }
            let mut parsed = labels
                .iter()
                .map(|label| label.parse::<ConnectorLabel>())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| InvalidEvent(format!("in the sweep's `labels`, {error}")))?;
            parsed.sort();
            parsed.dedup();
            Ok(parsed)
        })
        .transpose()?;
    Ok(Sweep {
        labels,
        dry_run: sweep.dry_run.unwrap_or(false),
        ..Sweep::default()
    })
}

/// The CloudTrail record of a Lambda call.
fn cloudtrail(event: &Value) -> Result<Trigger, InvalidEvent> {
    match event.pointer("/detail") {
        Some(Value::Object(_)) => {}
        Some(other) if !other.is_null() => {
            return Err(InvalidEvent(format!(
                "`detail` is {}, and a CloudTrail record is an object",
                kind(other)
            )));
        }
        _ => return Err(InvalidEvent("the event has no `detail`".to_owned())),
    }
    let event_name = required_text(event, "/detail/eventName")?;
    let event_id = match text(event, "/detail/eventID")? {
        Some(id) => Some(id),
        None => text(event, "/id")?,
    };
    let ignored = |reason: String| {
        Ok(Trigger::Ignored(Ignored {
            event_id: event_id.map(excerpt),
            event_name: Some(excerpt(event_name)),
            reason,
        }))
    };

    let event_source = text(event, "/detail/eventSource")?;
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
    if let Some(code) = text(event, "/detail/errorCode")? {
        return ignored(format!("the call failed with {}", excerpt(code)));
    }
    if flag(event, "/detail/requestParameters/dryRun")? == Some(true) {
        return ignored("the call was a dry run".to_owned());
    }

    let Some(event_id) = event_id else {
        return Err(InvalidEvent(
            "the record has neither an `eventID` nor the envelope an `id`".to_owned(),
        ));
    };
    let (function, change) = match call {
        Call::Version => {
            let (function, version) = function_and_version(event)?;
            let version = version.and_then(|qualifier| match qualifier {
                Qualifier::Version(version) => Some(version),
                Qualifier::Latest | Qualifier::Alias(_) => None,
            });
            (function, Change::Published(version))
        }
        Call::Code => {
            let (function, version) = function_and_version(event)?;
            let change = match version {
                Some(Qualifier::Version(version)) => Change::Published(Some(version)),
                Some(Qualifier::Latest | Qualifier::Alias(_)) => Change::LatestChanged,
                // Without an answer, the request tells.
                None => match flag(event, "/detail/requestParameters/publish")? {
                    Some(true) => Change::Published(None),
                    Some(false) | None => Change::LatestChanged,
                },
            };
            (function, change)
        }
        Call::Configuration => (function_and_version(event)?.0, Change::LatestChanged),
        Call::Alias => alias(event)?,
    };
    let record_time = match time(event, "/detail/eventTime")? {
        Some(time) => Some(time),
        None => time(event, "/time")?,
    };
    Ok(Trigger::Deployment(Deployment {
        event_id: event_id.to_owned(),
        event_name: event_name.to_owned(),
        time: record_time,
        function,
        change,
    }))
}

/// The Lambda calls that deploy.
enum Call {
    Version,
    Code,
    Configuration,
    Alias,
}

impl Call {
    /// CloudTrail writes a Lambda call with the date of the API version that it belongs to.
    fn named(event_name: &str) -> Option<Self> {
        match event_name {
            "PublishVersion20150331" => Some(Self::Version),
            "UpdateFunctionCode20150331v2" | "CreateFunction20150331" => Some(Self::Code),
            "UpdateFunctionConfiguration20150331v2" => Some(Self::Configuration),
            "CreateAlias20150331" | "UpdateAlias20150331" => Some(Self::Alias),
            _ => None,
        }
    }
}

/// The function of a call, and the version that the call's answer describes. CloudTrail cuts
/// answers of more than 100 KB, so all of the answer may be missing.
fn function_and_version(event: &Value) -> Result<(Function, Option<Qualifier>), InvalidEvent> {
    let version = match text(event, "/detail/responseElements/version")? {
        Some(version) => Some(version.parse::<Qualifier>().map_err(|error| {
            InvalidEvent(format!("`detail.responseElements.version`: {error}"))
        })?),
        None => None,
    };
    let Some(arn) = arn(event, "/detail/responseElements/functionArn")? else {
        return Ok((requested_function(event)?, version));
    };
    match (arn.qualifier(), version) {
        // `$LATEST` is described under the unqualified ARN.
        (None, version) => Ok((arn.function().clone(), version.or(Some(Qualifier::Latest)))),
        (Some(qualifier), Some(version)) if *qualifier != version => Err(InvalidEvent(format!(
            "`detail.responseElements` has version {version} and the ARN of {qualifier}"
        ))),
        (Some(qualifier), _) => Ok((arn.function().clone(), Some(qualifier.clone()))),
    }
}

/// The function that a call's request names: a bare name, a partial ARN or a whole one.
fn requested_function(event: &Value) -> Result<Function, InvalidEvent> {
    let Some(name) = text(event, "/detail/requestParameters/functionName")? else {
        return Err(InvalidEvent(
            "the record names no function: neither `detail.responseElements.functionArn` nor \
             `detail.requestParameters.functionName`"
                .to_owned(),
        ));
    };
    let region = match text(event, "/detail/awsRegion")? {
        Some(region) => Some(region),
        None => text(event, "/region")?,
    };
    let account = match text(event, "/detail/recipientAccountId")? {
        Some(account) => Some(account),
        None => text(event, "/account")?,
    };
    Function::from_name(name, region, account).map_err(|error| {
        InvalidEvent(format!(
            "`detail.requestParameters.functionName` in Region {} and account {}: {error}",
            region.map_or_else(|| "(none)".to_owned(), excerpt),
            account.map_or_else(|| "(none)".to_owned(), excerpt)
        ))
    })
}

/// The function and the movement of an alias.
fn alias(event: &Value) -> Result<(Function, Change), InvalidEvent> {
    let (function, alias) = match arn(event, "/detail/responseElements/aliasArn")? {
        Some(arn) => match arn.qualifier() {
            Some(Qualifier::Alias(alias)) => (arn.function().clone(), alias.clone()),
            _ => {
                return Err(InvalidEvent(
                    "`detail.responseElements.aliasArn` has no alias".to_owned(),
                ));
            }
        },
        None => {
            let name = required_text(event, "/detail/requestParameters/name")?;
            match name.parse() {
                Ok(Qualifier::Alias(alias)) => (requested_function(event)?, alias),
                _ => {
                    return Err(InvalidEvent(format!(
                        "`detail.requestParameters.name` is `{}`, which no alias can be called",
                        excerpt(name)
                    )));
                }
            }
        }
    };
    // The request of an UpdateAlias has only what is to change; the answer has it all.
    let record = match text(event, "/detail/responseElements/aliasArn")? {
        Some(_) => "/detail/responseElements",
        None => "/detail/requestParameters",
    };
    let version = text(event, &format!("{record}/functionVersion"))?
        .and_then(|version| version.parse().ok())
        .and_then(|qualifier| match qualifier {
            Qualifier::Version(version) => Some(version),
            Qualifier::Latest | Qualifier::Alias(_) => None,
        });
    let weights = format!("{record}/routingConfig/additionalVersionWeights");
    let shifting = match at(event, &weights)? {
        None => false,
        Some(Value::Object(weights)) => weights
            .values()
            .any(|weight| weight.as_f64().is_none_or(|weight| weight > 0.0)),
        Some(other) => return Err(wrong_kind(&weights, other, "an object")),
    };
    Ok((
        function,
        Change::AliasMoved {
            alias,
            version,
            shifting,
        },
    ))
}

fn arn(event: &Value, pointer: &str) -> Result<Option<FunctionArn>, InvalidEvent> {
    text(event, pointer)?
        .map(|text| {
            text.parse()
                .map_err(|error| InvalidEvent(format!("`{}`: {error}", path(pointer))))
        })
        .transpose()
}

fn time(event: &Value, pointer: &str) -> Result<Option<DateTime>, InvalidEvent> {
    text(event, pointer)?
        .map(|text| {
            DateTime::from_str(text, Format::DateTime).map_err(|_| {
                InvalidEvent(format!(
                    "`{}` is `{}`, which is not a time",
                    path(pointer),
                    excerpt(text)
                ))
            })
        })
        .transpose()
}

fn required_text<'a>(event: &'a Value, pointer: &str) -> Result<&'a str, InvalidEvent> {
    text(event, pointer)?
        .ok_or_else(|| InvalidEvent(format!("the event has no `{}`", path(pointer))))
}

/// The text at a JSON pointer. `null` and a missing member are the same: CloudTrail uses both.
fn text<'a>(event: &'a Value, pointer: &str) -> Result<Option<&'a str>, InvalidEvent> {
    match at(event, pointer)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_kind(pointer, other, "a string")),
    }
}

fn flag(event: &Value, pointer: &str) -> Result<Option<bool>, InvalidEvent> {
    match at(event, pointer)? {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(wrong_kind(pointer, other, "true or false")),
    }
}

/// The value at a JSON pointer; an error where something on the way is there and not an object.
fn at<'a>(event: &'a Value, pointer: &str) -> Result<Option<&'a Value>, InvalidEvent> {
    let mut value = event;
    let mut way = 0;
    for member in pointer.split('/').skip(1) {
        value = match value {
            Value::Object(members) => match members.get(member) {
                Some(value) => value,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            other => return Err(wrong_kind(&pointer[..way], other, "an object")),
        };
        way += 1 + member.len();
    }
    Ok(Some(value).filter(|value| !value.is_null()))
}

fn wrong_kind(pointer: &str, value: &Value, expected: &str) -> InvalidEvent {
    InvalidEvent(format!(
        "`{}` is {}, and should be {expected}",
        path(pointer),
        kind(value)
    ))
}

/// `/detail/eventName` as people write it.
fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What of a stranger's text may stand in an answer or a log.
fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn change(event: &Value) -> Change {
        match read(&event.to_string()) {
            Ok(Trigger::Deployment(deployment)) => {
                assert_eq!(
                    deployment.function,
                    Function::from_name(ARN, None, None).unwrap()
                );
                deployment.change
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
            (create, &publishing, &qualified, published(7)),
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
        let no_weights = json!({ "additionalVersionWeights": {} });
        let request = json!({ "functionName": "crm", "name": "live", "functionVersion": "6" });
        for (request, response, number, shifting) in [
            (
                &request,
                json!({ "aliasArn": alias_arn, "functionVersion": "7" }),
                7,
                false,
            ),
            (&request, json!(null), 6, false),
            (
                &request,
                json!({ "aliasArn": alias_arn, "functionVersion": "7", "routingConfig": weights }),
                7,
                true,
            ),
            (
                &request,
                json!({ "aliasArn": alias_arn, "functionVersion": "7", "routingConfig": no_weights }),
                7,
                false,
            ),
            (
                &json!({ "functionName": "crm", "name": "live", "routingConfig": weights }),
                json!(null),
                0,
                true,
            ),
            (
                &request,
                json!({ "aliasArn": alias_arn, "functionVersion": "$LATEST" }),
                0,
                false,
            ),
        ] {
            let event = record("UpdateAlias20150331", request.clone(), response);
            let expected = Change::AliasMoved {
                alias: "live".to_owned(),
                version: version(number),
                shifting,
            };
            assert_eq!(change(&event), expected, "{event}");
        }
    }

    #[test]
    fn an_event_is_known_by_cloudtrail_s_id_and_else_by_the_envelope_s() {
        let id = |event: &Value| match read(&event.to_string()) {
            Ok(Trigger::Deployment(deployment)) => Some(deployment.event_id),
            _ => None,
        };
        let response = json!({ "functionArn": format!("{ARN}:7") });
        let mut event = record("PublishVersion20150331", json!(null), response);
        assert_eq!(id(&event).as_deref(), Some("record"));
        event["detail"]["eventID"] = json!(null);
        assert_eq!(id(&event).as_deref(), Some("envelope"));
        event["id"] = json!(null);
        assert_eq!(id(&event), None);
    }

    #[test]
    fn a_sweep_comes_from_a_schedule_or_by_hand() {
        for source in ["aws.events", "aws.scheduler"] {
            let event = json!({
                "source": source,
                "detail-type": "Scheduled Event",
                "id": "due",
                "time": "2026-03-02T03:00:00Z",
                "detail": {},
            });
            let Ok(Trigger::Sweep(sweep)) = read(&event.to_string()) else {
                panic!("{event}");
            };
            assert_eq!(sweep.event_id.as_deref(), Some("due"));
            assert_eq!((sweep.labels, sweep.dry_run), (None, false));
        }
        let label = |text: &str| text.parse::<ConnectorLabel>().unwrap();
        for (payload, labels, dry_run) in [
            (r#"{"sweep": {}}"#, None, false),
            (
                r#"{"sweep": {"labels": null, "dryRun": null}}"#,
                None,
                false,
            ),
            (r#"{"sweep": {"dryRun": true}}"#, None, true),
            (
                r#"{"sweep": {"labels": ["zeta", "alpha", "zeta"]}}"#,
                Some(vec![label("alpha"), label("zeta")]),
                false,
            ),
        ] {
            let expected = Sweep {
                labels,
                dry_run,
                ..Sweep::default()
            };
            assert_eq!(read(payload), Ok(Trigger::Sweep(expected)), "{payload}");
        }
        for payload in [
            r#"{"sweep": null}"#,
            r#"{"sweep": true}"#,
            r#"{"sweep": []}"#,
            r#"{"sweep": {"labels": []}}"#,
            r#"{"sweep": {"labels": "alpha"}}"#,
            r#"{"sweep": {"labels": ["a b"]}}"#,
            r#"{"sweep": {"labels": [5]}}"#,
            r#"{"sweep": {"dryrun": true}}"#,
            r#"{"sweep": {"dryRun": "true"}}"#,
            r#"{"sweep": {}, "dryRun": true}"#,
        ] {
            assert!(read(payload).is_err(), "{payload}");
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
            if let Ok(Trigger::Deployment(deployment)) = read(&event.to_string())
                && field != "/detail"
            {
                prop_assert_eq!(deployment.function.name(), "crm");
                prop_assert_eq!(deployment.change, Change::Published(version(7)));
            }
        }
    }
}
