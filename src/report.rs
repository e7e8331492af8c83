//! What an invocation answers, and what it logs about each registration.

use serde::Serialize;

use crate::error::{Error, Failure};
use crate::function_arn::FunctionArn;

/// The answer to an event or a sweep that was handled, or to an event that is not ours. Members
/// without a value are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// CloudTrail's `eventID`, or the id of a Scheduled Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// CloudTrail's `eventName`, or `sweep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// The unqualified ARN of the function that was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_arn: Option<FunctionArn>,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The registrations that the event or the sweep concerns; left out of an ignored event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<Connector>>,
    /// Why the event was ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// What became of one registration.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    /// The connector label, as AppFlow or the settings have it.
    pub label: String,
    /// The ARN that AppFlow had; `None` where it could not be learnt.
    pub registered: Option<FunctionArn>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a registration.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// AppFlow was given this ARN.
    Updated(FunctionArn),
    /// A dry run would have given AppFlow this ARN.
    Planned(FunctionArn),
    /// There was nothing to do, for this reason.
    Skipped(String),
    /// It should have been updated, with this ARN if it was known by then, and was not.
    Failed(Option<FunctionArn>, Failure),
}

impl Connector {
    /// One log line for the decision and what came of it.
    pub fn log(&self, request_id: &str, event_id: Option<&str>) {
        let row = Row::from(self);
        let registered = row.registered_arn.map(tracing::field::display);
        let target = row.target_arn.map(tracing::field::display);
        let function = self
            .registered
            .as_ref()
            .map(|arn| tracing::field::display(arn.with_qualifier(None)));
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
                    reason = row.reason,
                    "registration {}",
                    row.outcome
                )
            };
        }
        match self.outcome {
            Outcome::Failed(..) => line!(error),
            _ => line!(info),
        }
    }
}

/// A [`Connector`] as it stands in an answer and in the log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    connector_label: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_arn: Option<&'a FunctionArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_arn: Option<&'a FunctionArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl<'a> From<&'a Connector> for Row<'a> {
    fn from(connector: &'a Connector) -> Self {
        let (outcome, target_arn, reason) = match &connector.outcome {
            Outcome::Updated(target) => ("updated", Some(target), None),
            Outcome::Planned(target) => ("planned", Some(target), None),
            Outcome::Skipped(reason) => ("skipped", None, Some(reason.clone())),
            Outcome::Failed(target, failure) => {
                ("failed", target.as_ref(), Some(failure.to_string()))
            }
        };
        Self {
            connector_label: &connector.label,
            outcome,
            registered_arn: connector.registered.as_ref(),
            target_arn,
            reason,
        }
    }
}

impl Serialize for Connector {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Row::from(self).serialize(serializer)
    }
}

/// Splits what became of the registrations into what an answer has and what an error has.
///
/// # Errors
/// When any registration failed: Lambda then tries the event again, and keeps it in the end.
pub fn all_done(connectors: Vec<Connector>) -> Result<Vec<Connector>, Error> {
    let (mut failed, mut updated, mut others) = (Vec::new(), Vec::new(), 0);
    for connector in &connectors {
        match &connector.outcome {
            Outcome::Failed(_, failure) => failed.push((connector.label.clone(), failure.clone())),
            Outcome::Updated(_) => updated.push(connector.label.clone()),
            Outcome::Skipped(_) | Outcome::Planned(_) => others += 1,
        }
    }
    if failed.is_empty() {
        Ok(connectors)
    } else {
        Err(Error::Registrations {
            failed,
            updated,
            others,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FailureKind;
    use serde_json::json;

    #[test]
    fn an_answer_leaves_out_what_has_no_value() {
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm:7"
            .parse()
            .unwrap();
        let answer = Answer {
            event_id: None,
            event_name: Some("sweep".to_owned()),
            function_arn: None,
            dry_run: false,
            connectors: Some(vec![
                Connector {
                    label: "crm".to_owned(),
                    registered: Some(arn.clone()),
                    outcome: Outcome::Updated(arn.clone()),
                },
                Connector {
                    label: "gone".to_owned(),
                    registered: None,
                    outcome: Outcome::Failed(
                        None,
                        Failure {
                            kind: FailureKind::OutOfTime,
                            message: "too slow".to_owned(),
                        },
                    ),
                },
            ]),
            ignored: None,
        };
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            json!({
                "eventName": "sweep",
                "dryRun": false,
                "connectors": [
                    {
                        "connectorLabel": "crm",
                        "outcome": "updated",
                        "registeredArn": arn.to_string(),
                        "targetArn": arn.to_string(),
                    },
                    {
                        "connectorLabel": "gone",
                        "outcome": "failed",
                        "reason": "OutOfTime: too slow",
                    },
                ],
            })
        );
    }
}
