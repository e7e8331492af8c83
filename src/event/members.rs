//! Members of an event: what is needed is named when it is missing or odd, what is not is passed over.

use serde_json::Value;

use crate::event::InvalidEvent;

/// The text at a JSON pointer that is not needed: `None` for anything else.
pub(super) fn text<'a>(event: &'a Value, pointer: &str) -> Option<&'a str> {
    event.pointer(pointer).and_then(Value::as_str)
}

/// The text at a JSON pointer that is needed if it is there. `null` and a missing member are the
/// same: CloudTrail uses both.
///
/// # Errors
/// Something else is there, or on the way to it.
pub(super) fn needed<'a>(event: &'a Value, pointer: &str) -> Result<Option<&'a str>, InvalidEvent> {
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
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(wrong_kind(pointer, other, "a string")),
    }
}

/// The text at a JSON pointer that has to be there.
///
/// # Errors
/// It is not.
pub(super) fn required<'a>(event: &'a Value, pointer: &str) -> Result<&'a str, InvalidEvent> {
    needed(event, pointer)?
        .ok_or_else(|| InvalidEvent(format!("the event has no `{}`", path(pointer))))
}

/// The error that names a member of another kind than it should have.
pub(super) fn wrong_kind(pointer: &str, value: &Value, expected: &str) -> InvalidEvent {
    InvalidEvent(format!(
        "`{}`: expected {expected}, found {}",
        path(pointer),
        kind(value)
    ))
}

/// `/detail/eventName` as people write it.
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

/// As much of an untrusted text as a response or a log line repeats.
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
            let read = match needed(&event, pointer) {
                Ok(text) => text.unwrap_or_default().to_owned(),
                Err(InvalidEvent(message)) => message,
            };
            assert_eq!(read, told, "{event}");
        }
    }
}
