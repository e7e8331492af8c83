//! Reads members of an event: required ones, optional ones, whose type must be right, and lenient ones,
//! which may be anything.

use serde_json::Value;

use crate::event::trigger::InvalidEvent;

/// The string at a JSON pointer; `None` for anything else.
pub(super) fn lenient<'a>(event: &'a Value, pointer: &str) -> Option<&'a str> {
    event.pointer(pointer).and_then(Value::as_str)
}

/// The string at a JSON pointer, for a member that must be a string if it is present. `null` counts as
/// absent: CloudTrail writes both.
///
/// # Errors
/// When the member, or one that contains it, has another type.
pub(super) fn optional<'a>(
    event: &'a Value,
    pointer: &str,
) -> Result<Option<&'a str>, InvalidEvent> {
    let wrong = |pointer, value, expected| {
        let (path, kind) = (path(pointer), kind(value));
        InvalidEvent(format!("`{path}`: expected {expected}, found {kind}"))
    };
    let mut value = event;
    let mut parsed = 0;
    for member in pointer.split('/').skip(1) {
        value = match value {
            Value::Object(members) => match members.get(member) {
                Some(value) => value,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            other => return Err(wrong(&pointer[..parsed], other, "an object")),
        };
        parsed += 1 + member.len();
    }
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(wrong(pointer, other, "a string")),
    }
}

/// The string at a JSON pointer, for a member that is required.
///
/// # Errors
/// When it is absent, or has another type.
pub(super) fn required<'a>(event: &'a Value, pointer: &str) -> Result<&'a str, InvalidEvent> {
    optional(event, pointer)?
        .ok_or_else(|| InvalidEvent(format!("the event has no `{}`", path(pointer))))
}

/// A JSON pointer as messages show it: `/detail/eventName` becomes `detail.eventName`.
pub(super) fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The start of an untrusted text, short enough to repeat in a response or a log line.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_odd_is_named_as_people_write_it() {
        let pointer = "/detail/request/name";
        for (event, told) in [
            (json!({ "detail": { "request": { "name": "crm" } } }), "crm"),
            (json!({ "detail": { "request": { "name": null } } }), ""),
            (json!({ "detail": { "request": {} } }), ""),
            (json!({ "detail": { "request": null } }), ""),
            (json!({}), ""),
            (
                json!({ "detail": { "request": { "name": 7 } } }),
                "`detail.request.name`: expected a string, found a number",
            ),
            (
                json!({ "detail": { "request": { "name": {} } } }),
                "`detail.request.name`: expected a string, found an object",
            ),
            (
                json!({ "detail": { "request": [1] } }),
                "`detail.request`: expected an object, found an array",
            ),
            (
                json!({ "detail": { "request": "x" } }),
                "`detail.request`: expected an object, found a string",
            ),
            (
                json!({ "detail": true }),
                "`detail`: expected an object, found a boolean",
            ),
        ] {
            let read = match optional(&event, pointer) {
                Ok(text) => text.unwrap_or_default().to_owned(),
                Err(InvalidEvent(message)) => message,
            };
            assert_eq!(read, told, "{event}");
        }
    }
}
