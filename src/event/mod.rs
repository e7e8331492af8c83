//! Parses an invocation's payload into what happened.
//!
//! There are four kinds of payload: a CloudTrail record of a Lambda call in an EventBridge envelope, a
//! function state event of Lambda's own, a Scheduled Event, and `{"sweep": {…}}` by hand. Any other
//! EventBridge event is ignored, with a reason. A payload that claims to be one of the four and is
//! malformed is an error.

mod cloudtrail;
mod function_state;
mod members;
pub mod sweep;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

pub use crate::event::cloudtrail::event_names;
use crate::event::members::{excerpt, kind, required, text};
use crate::event::sweep::Sweep;
use crate::model::change::Change;
use crate::model::function_arn::Function;

/// Why the updater was invoked.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// A function was deployed.
    Deployment(Deployment),
    /// Registrations are to be updated without a deployment's event.
    Sweep(Sweep),
    /// There is nothing to do.
    Ignored(Ignored),
}

/// A Lambda function was deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// CloudTrail's `eventID`, which is the same in every delivery of the event, or else the
    /// envelope's `id`.
    pub event_id: Option<String>,
    /// CloudTrail's `eventName`, such as `PublishVersion20150331`, or the detail type.
    pub event_name: String,
    /// When the call was made, if the event says so.
    pub time: Option<DateTime>,
    /// The function that was deployed.
    pub function: Function,
    /// What changed.
    pub change: Change,
}

/// An event that is not acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignored {
    /// CloudTrail's `eventID`, or else the envelope's id.
    pub event_id: Option<String>,
    /// CloudTrail's `eventName`, or else the detail type.
    pub event_name: Option<String>,
    /// Why nothing is done.
    pub reason: String,
}

/// A payload that claims to be one of the supported kinds, and is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEvent(pub String);

/// Reads an invocation's payload.
///
/// # Errors
/// When the payload is not JSON, not an object, or claims to be one of the supported kinds and lacks
/// what that kind needs.
pub fn read(payload: &str) -> Result<Trigger, InvalidEvent> {
    let event: Value = serde_json::from_str(payload)
        .map_err(|error| InvalidEvent(format!("the payload is not JSON: {error}")))?;
    let Some(members) = event.as_object() else {
        return Err(InvalidEvent(format!(
            "the payload is {}; expected an object",
            kind(&event)
        )));
    };
    if members.contains_key("sweep") && !members.contains_key("source") {
        return sweep::by_hand(payload).map(Trigger::Sweep);
    }

    let source = required(&event, "/source")?;
    let detail_type = required(&event, "/detail-type")?;
    match (source, detail_type) {
        ("aws.lambda", "AWS API Call via CloudTrail") => cloudtrail::read(&event),
        ("aws.lambda", other) if !other.ends_with("via CloudTrail") => {
            Ok(function_state::read(&event, other))
        }
        // `aws.events` for a scheduled rule, `aws.scheduler` for EventBridge Scheduler.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Trigger::Sweep(Sweep {
            event_id: text(&event, "/id").map(str::to_owned),
            time: time(&event, "/time"),
            ..Sweep::default()
        })),
        _ => Ok(Trigger::Ignored(Ignored {
            event_id: text(&event, "/id").map(excerpt),
            event_name: Some(excerpt(detail_type)),
            reason: format!(
                "an event of source `{}` and detail type `{}` is neither a Lambda call that \
                 CloudTrail recorded nor an event of Lambda's own",
                excerpt(source),
                excerpt(detail_type)
            ),
        })),
    }
}

/// A time, which is only reported: `None` if it is missing or malformed.
fn time(event: &Value, pointer: &str) -> Option<DateTime> {
    DateTime::from_str(text(event, pointer)?, Format::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm:7";

    fn event(source: &str, detail_type: &str) -> Value {
        json!({
            "source": source,
            "detail-type": detail_type,
            "id": "envelope",
            "time": "2026-03-02T03:00:00Z",
            "resources": [ARN],
            "detail": {
                "eventName": "PublishVersion20150331",
                "responseElements": { "functionArn": ARN },
                "state": "Active",
            },
        })
    }

    /// What a payload is read as, in a word.
    fn word(payload: &Value) -> &'static str {
        match read(&payload.to_string()) {
            Ok(Trigger::Deployment(deployment)) if deployment.event_name.contains(' ') => "state",
            Ok(Trigger::Deployment(_)) => "call",
            Ok(Trigger::Sweep(sweep)) if sweep.event_id.is_some() => "schedule",
            Ok(Trigger::Sweep(_)) => "by hand",
            Ok(Trigger::Ignored(ignored)) if ignored.reason.contains("is neither") => "another's",
            Ok(Trigger::Ignored(_)) => "ignored",
            Err(_) => "error",
        }
    }

    #[test]
    fn an_event_is_known_by_its_source_and_detail_type() {
        for (source, detail_type, expected) in [
            ("aws.lambda", "AWS API Call via CloudTrail", "call"),
            ("aws.lambda", "Lambda Function State Change", "state"),
            ("aws.lambda", "Scheduled Event", "state"),
            (
                "aws.lambda",
                "AWS Console Sign In via CloudTrail",
                "another's",
            ),
            (
                "aws.lambda",
                "AWS Service Event via CloudTrail",
                "another's",
            ),
            ("aws.s3", "AWS API Call via CloudTrail", "another's"),
            ("aws.s3", "Lambda Function State Change", "another's"),
            ("aws.events", "Scheduled Event", "schedule"),
            ("aws.scheduler", "Scheduled Event", "schedule"),
            ("aws.events", "Some Event", "another's"),
            ("acme.crm", "Scheduled Event", "another's"),
        ] {
            let event = event(source, detail_type);
            assert_eq!(word(&event), expected, "{source}, {detail_type}");
        }
    }

    #[test]
    fn a_sweep_by_hand_is_what_has_a_sweep_and_no_source() {
        let mut event = event("aws.lambda", "AWS API Call via CloudTrail");
        event["sweep"] = json!({});
        assert_eq!(word(&event), "call");
        assert_eq!(word(&json!({ "sweep": {} })), "by hand");
        for (payload, message) in [
            (json!({}), "the event has no `source`"),
            (json!({ "sweeps": {} }), "the event has no `source`"),
            (
                json!({ "source": "aws.lambda" }),
                "the event has no `detail-type`",
            ),
            (json!([]), "the payload is an array; expected an object"),
        ] {
            let InvalidEvent(told) = read(&payload.to_string()).unwrap_err();
            assert_eq!(told, message, "{payload}");
        }
    }
}
