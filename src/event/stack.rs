//! Parses CloudFormation's event about the updater's own stack, which starts a sweep. Which stack an event
//! is about is not checked: the rule matches those of its own stack only.

use serde_json::Value;

use crate::event::members::{excerpt, required};
use crate::event::trigger::{InvalidEvent, Sweep, Trigger};

/// Reads a `CloudFormation Stack Status Change`.
///
/// # Errors
/// When it has no status.
pub(super) fn read(event: &Value) -> Result<Trigger, InvalidEvent> {
    let is_first = match required(event, "/detail/status-details/status")? {
        "CREATE_COMPLETE" => true,
        "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" => false,
        other => {
            return Ok(Trigger::Ignored(format!(
                "the stack's status is {}; expected CREATE_COMPLETE, UPDATE_COMPLETE, or \
                 UPDATE_ROLLBACK_COMPLETE",
                excerpt(other)
            )));
        }
    };
    Ok(Trigger::Sweep(Sweep {
        is_first,
        ..Sweep::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(status: &str) -> Value {
        json!({ "detail": { "stack-id": "id", "status-details": { "status": status } } })
    }

    #[test]
    fn a_stack_that_was_deployed_is_swept_and_a_new_one_for_the_first_time() {
        for (status, is_first) in [
            ("CREATE_COMPLETE", true),
            ("UPDATE_COMPLETE", false),
            ("UPDATE_ROLLBACK_COMPLETE", false),
        ] {
            let expected = Sweep {
                is_first,
                ..Sweep::default()
            };
            assert_eq!(
                read(&event(status)),
                Ok(Trigger::Sweep(expected)),
                "{status}"
            );
        }
    }

    #[test]
    fn any_other_status_is_ignored_and_none_is_an_error() {
        for status in [
            "CREATE_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_FAILED",
            "ROLLBACK_COMPLETE",
            "DELETE_COMPLETE",
            "create_complete",
        ] {
            let read = read(&event(status));
            let Ok(Trigger::Ignored(reason)) = &read else {
                panic!("{status}: {read:?}");
            };
            assert!(reason.contains(status), "{reason}");
        }
        for detail in [json!(null), json!({}), json!({ "status-details": "x" })] {
            assert!(read(&json!({ "detail": detail })).is_err(), "{detail}");
        }
    }
}
