//! What an invocation answers.

use serde::Serialize;

use crate::model::function_arn::FunctionArn;
use crate::reconcile::outcome::{Connector, Outcome};
use crate::report::error::Error;

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

/// What became of the registrations, for an answer or for an error.
///
/// # Errors
/// When any registration failed: Lambda then tries the event again, and keeps it in the end.
pub fn all_done(connectors: Vec<Connector>) -> Result<Vec<Connector>, Error> {
    let failed = |connector: &Connector| matches!(connector.outcome, Outcome::Failed(..));
    if connectors.iter().any(failed) {
        Err(Error::Registrations(connectors))
    } else {
        Ok(connectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::outcome::{Failure, FailureKind};
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
