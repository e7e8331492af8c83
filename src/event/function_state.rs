//! Parses Lambda's own function state events.
//!
//! Lambda sends one to the default bus each time a version of a function changes state. Their exact
//! detail types and members are unverified, so only what every such event must have is read: the
//! function's ARN, which has the version in it, and the state.

use serde_json::Value;

use crate::event::members::excerpt;
use crate::event::trigger::Trigger;
use crate::model::change::Change;
use crate::model::function_arn::{FunctionArn, Qualifier};

/// Reads an event that Lambda itself sent, and not CloudTrail.
pub(super) fn read(event: &Value) -> Trigger {
    let Some(arn) = function_arn(event) else {
        return Trigger::Ignored("the event names no Lambda function".to_owned());
    };
    let state = event.get("detail").and_then(Value::as_object);
    let state = state.and_then(|detail| {
        detail
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("state"))
            .and_then(|(_, state)| state.as_str())
    });
    let change = match (state, arn.qualifier()) {
        (Some("Active"), Some(Qualifier::Version(version))) => Change::Published(Some(*version)),
        (Some("Active"), Some(Qualifier::LatestPublished)) => Change::LatestPublished,
        (Some("Active"), Some(Qualifier::Latest) | None) => Change::LatestChanged,
        (Some("Active"), Some(Qualifier::Alias(_))) => {
            let reason = format!("{arn} is an alias, and only versions have states");
            return Trigger::Ignored(reason);
        }
        (Some(other), _) => {
            let state = excerpt(other);
            let reason = format!("the state of {arn} is {state}; expected Active");
            return Trigger::Ignored(reason);
        }
        (None, _) => return Trigger::Ignored(format!("the event has no state of {arn}")),
    };
    let function = arn.function().clone();
    Trigger::Deployment { function, change }
}

/// The first Lambda function ARN in `resources`, or else the first one in `detail`, at any depth.
fn function_arn(event: &Value) -> Option<FunctionArn> {
    fn first(value: &Value) -> Option<FunctionArn> {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Array(values) => values.iter().find_map(first),
            Value::Object(members) => members.values().find_map(first),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    let resources = event.get("resources").and_then(Value::as_array);
    resources
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find_map(|text| text.parse().ok())
        .or_else(|| event.get("detail").and_then(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function_arn::Version;
    use serde_json::json;

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn event(resources: Value, detail: Value) -> Value {
        json!({
            "source": "aws.lambda",
            "detail-type": "Lambda says something",
            "id": "envelope",
            "time": "2026-03-02T03:00:00Z",
            "resources": resources,
            "detail": detail,
        })
    }

    fn change(event: &Value) -> Result<Change, String> {
        match read(event) {
            Trigger::Deployment { function, change } => {
                assert_eq!(function.name(), "crm");
                Ok(change)
            }
            Trigger::Ignored(reason) => Err(reason),
            Trigger::Sweep(_) => panic!("{event}"),
        }
    }

    #[test]
    fn the_version_in_the_arn_tells_what_changed() {
        let seven = Change::Published(Version::new(7));
        let active = json!({ "state": "Active" });
        for (qualifier, expected) in [
            (":7", seven.clone()),
            ("", Change::LatestChanged),
            (":$LATEST", Change::LatestChanged),
            (":$LATEST.PUBLISHED", Change::LatestPublished),
        ] {
            let arn = format!("{ARN}{qualifier}");
            let in_resources = event(json!(["arn:aws:s3:::bucket", 5, arn]), active.clone());
            assert_eq!(change(&in_resources), Ok(expected.clone()), "{qualifier}");
            let deep = json!({ "State": "Active", "deep": [{ "a": 1, "z": ["x", arn] }] });
            assert_eq!(
                change(&event(json!(null), deep)),
                Ok(expected),
                "{qualifier}"
            );
        }
        // The first in the order of the event, not of the alphabet.
        let two = json!({ "state": "Active", "z": format!("{ARN}:7"), "a": format!("{ARN}:8") });
        assert_eq!(change(&event(json!([]), two)), Ok(seven.clone()));
        // Resources come first.
        let other = json!({ "STATE": "Active", "functionArn": format!("{ARN}:8") });
        let both = event(json!([format!("{ARN}:7")]), other);
        assert_eq!(change(&both), Ok(seven));
    }

    #[test]
    fn what_is_not_active_or_names_no_function_is_ignored_with_the_reason() {
        let resources = json!([format!("{ARN}:7")]);
        for (resources, detail, reason) in [
            (&resources, json!({ "state": "Pending" }), "is Pending"),
            (&resources, json!({ "state": "active" }), "is active"),
            (&resources, json!({ "state": 5 }), "has no state"),
            (&resources, json!({}), "has no state"),
            (&resources, json!(null), "has no state"),
            (&resources, json!("Active"), "has no state"),
            (
                &resources,
                json!({ "deep": { "state": "Active" } }),
                "has no state",
            ),
            (&json!([]), json!({ "state": "Active" }), "names no Lambda"),
            (&json!("x"), json!({ "state": "Active" }), "names no Lambda"),
            (
                &json!([format!("{ARN}:live")]),
                json!({ "state": "Active" }),
                "is an alias",
            ),
        ] {
            let told = change(&event(resources.clone(), detail.clone())).unwrap_err();
            assert!(told.contains(reason), "{detail}: {told}");
        }
    }
}
