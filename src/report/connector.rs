//! What became of one registration, as it stands in a response and in the log.

use serde::Serialize;

use crate::model::function_arn::FunctionArn;
use crate::reconcile::outcome::{Connector, Outcome};
use crate::report::words;

/// One registration in a response. Members without a value are left out.
#[derive(Serialize)]
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
    pub(super) fn new(connector: &'a Connector) -> Self {
        let mut row = Self {
            connector_label: &connector.label,
            outcome: "failed",
            registered_arn: connector.registered.as_ref(),
            target_arn: None,
            reason: None,
            previous_connector_version: None,
            connector_version: None,
            changed: None,
        };
        match &connector.outcome {
            Outcome::Updated {
                target,
                behind,
                since,
                evidence,
            } => {
                row.outcome = "updated";
                row.target_arn = Some(target);
                let since = since.as_ref().map(words::since);
                row.reason = since.or_else(|| behind.map(words::behind));
                if let Some(evidence) = evidence {
                    row.previous_connector_version = evidence.previous_version.as_deref();
                    row.connector_version = evidence.version.as_deref();
                    row.changed = Some(&evidence.changed);
                }
            }
            Outcome::Planned { target, behind } => {
                row.outcome = "planned";
                row.target_arn = Some(target);
                row.reason = behind.map(words::behind);
            }
            Outcome::Skipped(reason) => {
                row.outcome = "skipped";
                row.reason = Some(words::skip(reason));
            }
            Outcome::Orphaned(gone) => {
                row.outcome = "skipped";
                row.reason = Some(words::orphaned(gone));
            }
            Outcome::Failed { target, failure } => {
                row.target_arn = target.as_ref();
                row.reason = Some(reason(failure, target.as_ref()));
            }
        }
        row
    }
}

/// A failure's name and words.
pub(super) fn reason(
    failure: &crate::reconcile::outcome::Failure,
    target: Option<&FunctionArn>,
) -> String {
    format!(
        "{}: {}",
        failure.kind().name(),
        words::failure(failure, target)
    )
}

/// One log line for the decision and what came of it.
pub(crate) fn log(connector: &Connector, request_id: &str, event_id: Option<&str>) {
    let row = Row::new(connector);
    let registered = row.registered_arn.map(tracing::field::display);
    let target = row.target_arn.map(tracing::field::display);
    let function = connector
        .registered
        .as_ref()
        .map(|arn| tracing::field::display(arn.with_qualifier(None)));
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
        Outcome::Orphaned(_)
        | Outcome::Updated {
            behind: Some(_), ..
        }
        | Outcome::Planned {
            behind: Some(_), ..
        } => line!(warn),
        Outcome::Updated { .. } | Outcome::Planned { .. } | Outcome::Skipped(_) => line!(info),
    }
}
