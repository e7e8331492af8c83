//! Parses an invocation's payload into what happened.
//!
//! There are five kinds of payload: a CloudTrail record of a Lambda call in an EventBridge envelope, a
//! function state event of Lambda's own, a Scheduled Event, CloudFormation's event about the updater's
//! own stack, and `{"sweep": {…}}` by hand. Any other EventBridge event is ignored, with a reason. A
//! payload that claims to be one of the five and is malformed is an error.

mod cloudtrail;
mod function_state;
mod members;
mod stack;
mod sweep;
pub mod trigger;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

pub use crate::event::cloudtrail::call_names;
use crate::event::members::{excerpt, kind, lenient, required};
use crate::event::trigger::{InvalidEvent, Sweep, Trigger};

/// What the updater was invoked with.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// CloudTrail's `eventID`, which is the same in every delivery of the event, or else the envelope's
    /// `id`; `None` for a sweep by hand. This and `name` are cut if they are too long for a log line.
    pub id: Option<String>,
    /// CloudTrail's `eventName`, such as `PublishVersion20150331`, the detail type, or `sweep`.
    pub name: String,
    /// When the call was made, or the sweep was due, if the event says so.
    pub time: Option<DateTime>,
    /// What to do.
    pub trigger: Trigger,
}

/// Reads an invocation's payload.
///
/// # Errors
/// When the payload is not JSON, not an object, or claims to be one of the supported kinds and lacks
/// what that kind needs.
pub fn read(payload: &str) -> Result<Event, InvalidEvent> {
    let event: Value = serde_json::from_str(payload)
        .map_err(|error| InvalidEvent(format!("the payload is not JSON: {error}")))?;
    let Some(members) = event.as_object() else {
        return Err(InvalidEvent(format!(
            "the payload is {}; expected an object",
            kind(&event)
        )));
    };
    if members.contains_key("sweep") && !members.contains_key("source") {
        return Ok(Event {
            id: None,
            name: "sweep".to_owned(),
            time: None,
            trigger: Trigger::Sweep(sweep::by_hand(payload)?),
        });
    }

    let source = required(&event, "/source")?;
    let detail_type = required(&event, "/detail-type")?;
    let (mut id, mut time) = (lenient(&event, "/id"), time(&event, "/time"));
    let mut name = detail_type;
    let trigger = match (source, detail_type) {
        ("aws.lambda", "AWS API Call via CloudTrail") => {
            id = lenient(&event, "/detail/eventID").or(id);
            time = self::time(&event, "/detail/eventTime").or(time);
            name = cloudtrail::event_name(&event)?;
            cloudtrail::read(&event, name)?
        }
        ("aws.lambda", other) if other.ends_with("Durable Execution Status Change") => {
            Trigger::Ignored("an execution of a durable function does not deploy it".to_owned())
        }
        ("aws.lambda", other) if !other.ends_with("via CloudTrail") => function_state::read(&event),
        ("aws.cloudformation", "CloudFormation Stack Status Change") => {
            name = "sweep";
            stack::read(&event)?
        }
        // `aws.events` for a scheduled rule, `aws.scheduler` for EventBridge Scheduler.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => {
            name = "sweep";
            Trigger::Sweep(Sweep::default())
        }
        _ => Trigger::Ignored(format!(
            "an event of source `{}` and detail type `{}` is neither a Lambda call that CloudTrail \
             recorded nor an event of Lambda's own",
            excerpt(source),
            excerpt(detail_type)
        )),
    };
    Ok(Event {
        id: id.map(excerpt),
        name: excerpt(name),
        time,
        trigger,
    })
}

/// A time, which is only reported: `None` if it is missing or malformed.
fn time(event: &Value, pointer: &str) -> Option<DateTime> {
    DateTime::from_str(lenient(event, pointer)?, Format::DateTime).ok()
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
                "status-details": { "status": "UPDATE_COMPLETE" },
            },
        })
    }

    /// What a payload is read as, in a word.
    fn word(payload: &Value) -> &'static str {
        match read(&payload.to_string()) {
            Err(_) => "error",
            Ok(event) => match &event.trigger {
                Trigger::Deployment { .. } if event.name.contains(' ') => "state",
                Trigger::Deployment { .. } => "call",
                Trigger::Sweep(_) if event.id.is_some() => "schedule",
                Trigger::Sweep(_) => "by hand",
                Trigger::Ignored(reason) if reason.contains("is neither") => "another's",
                Trigger::Ignored(_) => "ignored",
            },
        }
    }

    #[test]
    fn an_event_is_known_by_its_source_and_detail_type() {
        for (source, detail_type, expected) in [
            ("aws.lambda", "AWS API Call via CloudTrail", "call"),
            ("aws.lambda", "Lambda Function State Change", "state"),
            ("aws.lambda", "Scheduled Event", "state"),
            ("aws.lambda", "Durable Execution Status Change", "ignored"),
            (
                "aws.lambda",
                "Lambda Durable Execution Status Change",
                "ignored",
            ),
            (
                "aws.cloudformation",
                "CloudFormation Stack Status Change",
                "schedule",
            ),
            (
                "aws.cloudformation",
                "CloudFormation Resource Status Change",
                "another's",
            ),
            (
                "acme.crm",
                "CloudFormation Stack Status Change",
                "another's",
            ),
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
