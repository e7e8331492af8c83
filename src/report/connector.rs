//! One registration's outcome, as a row of the response and as a log line.

use serde::Serialize;
use tracing::field::display;

use crate::decide::Skip;
use crate::model::function_arn::FunctionArn;
use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
use crate::report::messages;

/// One registration in a response. Members without a value are left out.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    connector_label: &'a str,
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_arn: Option<&'a FunctionArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_arn: Option<&'a FunctionArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_connector_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
}

impl<'a> Row<'a> {
    pub(super) fn new(connector: &'a ConnectorResult) -> Self {
        let mut row = Self {
            connector_label: &connector.label,
            outcome: "failed",
            registered_arn: connector.registered.as_ref(),
            ..Self::default()
        };
        match &connector.outcome {
            Outcome::Updated {
                target,
                replaced_by,
                evidence,
            } => {
                row.outcome = "updated";
                row.target_arn = Some(target);
                row.reason = replaced_by.as_ref().map(messages::replaced_by);
                if let Some(evidence) = evidence {
                    row.previous_connector_version = evidence.previous_version.as_deref();
                    row.connector_version = evidence.version.as_deref();
                    row.changed = Some(&evidence.changed);
                }
            }
            Outcome::Planned { target } => {
                row.outcome = "planned";
                row.target_arn = Some(target);
            }
            Outcome::Skipped(skip) => {
                row.outcome = "skipped";
                row.reason = Some(messages::skip(skip));
            }
            Outcome::Failed { target, failure } => {
                row.target_arn = target.as_ref();
                row.reason = Some(reason(failure, target.as_ref()));
            }
        }
        row
    }
}

/// A failure's `reason`: its name, and its text.
pub(super) fn reason(failure: &Failure, target: Option<&FunctionArn>) -> String {
    format!("{}: {}", failure.name(), messages::failure(failure, target))
}

/// Writes the registration's log line.
pub(crate) fn log(connector: &ConnectorResult, request_id: &str, event_id: Option<&str>) {
    let row = Row::new(connector);
    let registered = row.registered_arn.map(display);
    let target = row.target_arn.map(display);
    let function = row
        .registered_arn
        .map(|arn| display(arn.with_qualifier(None)));
    let changed = row.changed.map(|names| names.join(","));
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                requestId = request_id,
                eventId = event_id,
                connectorLabel = row.connector_label,
                functionArn = function,
                outcome = row.outcome,
                registeredArn = registered,
                targetArn = target,
                previousConnectorVersion = row.previous_connector_version,
                connectorVersion = row.connector_version,
                changed = changed,
                reason = row.reason,
                "registration {}",
                row.outcome
            )
        };
    }
    match &connector.outcome {
        Outcome::Failed { .. } => line!(error),
        Outcome::Skipped(
            Skip::Behind(_)
            | Skip::VersionsUnknown(_)
            | Skip::AliasUnknown(_)
            | Skip::Orphaned(_)
            | Skip::NoVersion(_),
        ) => line!(warn),
        Outcome::Updated { .. } | Outcome::Planned { .. } | Outcome::Skipped(_) => line!(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function_arn::Version;
    use crate::model::service_error::{Operation, ServiceError};
    use crate::report::log::tests::line_of;
    use serde_json::{Value, json};

    /// The one line of a connector.
    fn line(connector: &ConnectorResult) -> Value {
        line_of(|| log(connector, "request", Some("event")))
    }

    #[test]
    fn the_level_of_a_line_says_whether_somebody_has_to_look_at_it() {
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm:7"
            .parse()
            .unwrap();
        let updated = Outcome::Updated {
            target: arn.clone(),
            replaced_by: None,
            evidence: None,
        };
        let planned = Outcome::Planned {
            target: arn.clone(),
        };
        let failed = Outcome::Failed {
            target: None,
            failure: Failure::NotRegistered,
        };
        let version = Version::MIN;
        let error = ServiceError::out_of_time(Operation::ListVersionsByFunction);
        for (outcome, level, told) in [
            (updated, "INFO", "updated"),
            (planned, "INFO", "planned"),
            (Outcome::Skipped(Skip::FollowsLatest), "INFO", "skipped"),
            (Outcome::Skipped(Skip::Behind(version)), "WARN", "skipped"),
            (
                Outcome::Skipped(Skip::VersionsUnknown(version)),
                "WARN",
                "skipped",
            ),
            (
                Outcome::Skipped(Skip::AliasUnknown("live".to_owned())),
                "WARN",
                "skipped",
            ),
            (Outcome::Skipped(Skip::Orphaned(error)), "WARN", "skipped"),
            (
                Outcome::Skipped(Skip::NoVersion(arn.clone())),
                "WARN",
                "skipped",
            ),
            (failed, "ERROR", "failed"),
        ] {
            let line = line(&ConnectorResult {
                label: "acme-crm".to_owned(),
                registered: Some(arn.clone()),
                outcome,
            });
            let fields = &line["fields"];
            assert_eq!(line["level"], level, "{line}");
            assert_eq!(fields["outcome"], told, "{line}");
            assert_eq!(fields["message"], format!("registration {told}"));
            assert_eq!(fields["connectorLabel"], "acme-crm");
            assert_eq!(fields["registeredArn"], json!(arn.to_string()));
            assert_eq!(
                fields["functionArn"],
                json!(arn.with_qualifier(None).to_string())
            );
            assert_eq!(
                (&fields["requestId"], &fields["eventId"]),
                (&json!("request"), &json!("event"))
            );
        }
    }
}
