//! The last log line of a sweep or an event, once AppFlow has said what there is: what that was, and what
//! became of it.

use tracing::field::display;

use crate::model::function_arn::FunctionArn;
use crate::report::counts::Counts;

/// What an invocation was about.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// The registrations of a function that was deployed.
    Deployed(&'a FunctionArn),
    /// Those of a sweep.
    Swept {
        /// Whether the sweep names functions.
        names_functions: bool,
        /// `FUNCTION_NAME_PREFIX`; empty for all functions.
        function_name_prefix: &'a str,
    },
}

/// How many connectors there were before their functions were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connectors {
    /// Those that AppFlow lists; `None` if none were listed, because their labels are named.
    pub listed: Option<usize>,
    /// Those of them whose labels are in scope.
    pub with_labels_in_scope: usize,
}

/// Writes the line.
pub(crate) fn log(
    connectors: Connectors,
    scope: Scope<'_>,
    counts: &Counts,
    dry_run: bool,
    request_id: &str,
    event_id: Option<&str>,
) {
    let function_arn = match scope {
        Scope::Deployed(arn) => Some(display(arn)),
        Scope::Swept { .. } => None,
    };
    macro_rules! line {
        ($level:ident, $reason:expr, $message:literal) => {
            tracing::$level!(
                requestId = request_id,
                eventId = event_id,
                functionArn = function_arn,
                listed = connectors.listed,
                inScope = counts.in_scope,
                updated = counts.updated,
                changed = counts.changed,
                skipped = counts.skipped,
                failed = counts.failed,
                planned = dry_run.then_some(counts.planned),
                reason = $reason,
                $message
            )
        };
    }
    match scope {
        _ if counts.in_scope > 0 => {
            line!(info, None::<String>, "all registrations in scope handled")
        }
        Scope::Deployed(_) => line!(
            info,
            None::<String>,
            "no registration in scope has this function"
        ),
        Scope::Swept {
            names_functions,
            function_name_prefix,
        } => line!(
            warn,
            Some(why_nothing(
                connectors,
                names_functions,
                function_name_prefix
            )),
            "no registration is in scope of the sweep"
        ),
    }
}

/// Why nothing is in scope of a sweep.
fn why_nothing(connectors: Connectors, names_functions: bool, prefix: &str) -> String {
    let with_labels = connectors.with_labels_in_scope;
    match connectors.listed {
        Some(0) => "AppFlow lists no custom connector in this account and Region".to_owned(),
        Some(listed) if with_labels == 0 => {
            format!("CONNECTOR_LABELS leaves out all {listed} connectors that AppFlow lists")
        }
        _ if names_functions => format!(
            "{with_labels} connectors have labels in scope, and none of them has a function that \
             the sweep names"
        ),
        _ if !prefix.is_empty() => format!(
            "{with_labels} connectors have labels in scope, and none of them has a function whose \
             name begins with FUNCTION_NAME_PREFIX (`{prefix}`)"
        ),
        _ => format!(
            "{with_labels} connectors have labels in scope, and none of them is one that a function \
             of yours provides"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::tests::line_of;
    use serde_json::{Value, json};

    fn line(connectors: Connectors, scope: Scope<'_>, counts: &Counts, dry_run: bool) -> Value {
        line_of(|| log(connectors, scope, counts, dry_run, "request", Some("event")))
    }

    fn swept(names_functions: bool, function_name_prefix: &str) -> Scope<'_> {
        Scope::Swept {
            names_functions,
            function_name_prefix,
        }
    }

    #[test]
    fn the_line_has_the_count_of_each_outcome_and_of_plans_only_in_a_dry_run() {
        let counts = Counts {
            in_scope: 10,
            updated: 1,
            changed: 2,
            skipped: 3,
            failed: 4,
            planned: 5,
            ..Counts::default()
        };
        for (listed, dry_run) in [(Some(70), false), (None, true)] {
            let connectors = Connectors {
                listed,
                with_labels_in_scope: 12,
            };
            let line = line(connectors, swept(false, ""), &counts, dry_run);
            assert_eq!(line["level"], "INFO", "{line}");
            let mut expected = json!({
                "requestId": "request",
                "eventId": "event",
                "inScope": 10,
                "updated": 1,
                "changed": 2,
                "skipped": 3,
                "failed": 4,
                "message": "all registrations in scope handled",
            });
            if dry_run {
                expected["planned"] = json!(5);
            }
            if let Some(listed) = listed {
                expected["listed"] = json!(listed);
            }
            assert_eq!(line["fields"], expected);
        }
    }

    #[test]
    fn an_event_of_a_function_without_a_registration_is_no_reason_to_warn() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let scope = Scope::Deployed(&arn);
        let line = line(Connectors::default(), scope, &Counts::default(), false);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["fields"]["functionArn"], json!(arn.to_string()));
        assert_eq!(
            line["fields"]["message"],
            "no registration in scope has this function"
        );
    }

    #[test]
    fn a_sweep_with_nothing_in_scope_warns_and_says_why() {
        for (listed, with_labels_in_scope, names_functions, prefix, why) in [
            (
                Some(0),
                0,
                true,
                "acme-",
                "AppFlow lists no custom connector",
            ),
            (
                Some(7),
                0,
                true,
                "acme-",
                "CONNECTOR_LABELS leaves out all 7",
            ),
            (
                Some(7),
                3,
                true,
                "acme-",
                "3 connectors have labels in scope, and none of them has a function that the sweep names",
            ),
            (None, 3, true, "", "a function that the sweep names"),
            (Some(7), 3, false, "acme-", "FUNCTION_NAME_PREFIX (`acme-`)"),
            (Some(7), 7, false, "", "a function of yours provides"),
        ] {
            let connectors = Connectors {
                listed,
                with_labels_in_scope,
            };
            let scope = swept(names_functions, prefix);
            let line = line(connectors, scope, &Counts::default(), false);
            assert_eq!(line["level"], "WARN");
            let reason = line["fields"]["reason"].as_str().unwrap();
            assert!(reason.contains(why), "`{reason}` does not say `{why}`");
        }
    }
}
