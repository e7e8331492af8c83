//! The response of an invocation.

use serde::Serialize;
use serde::ser::Serializer;

use crate::model::function_arn::FunctionArn;
use crate::reconcile::outcome::{ConnectorResult, Outcome};
use crate::report::connector::Row;
use crate::report::error::Error;

/// The response to an event or a sweep that was handled, or to an event that is ignored. Members
/// without a value are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// CloudTrail's `eventID`, or the id of a state event or a Scheduled Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// CloudTrail's `eventName`, a state event's detail type, or `sweep`.
    pub event_name: String,
    /// The unqualified ARN of the function that was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_arn: Option<FunctionArn>,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
    /// The registrations that the event or the sweep concerns; `None` for an ignored event.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rows")]
    pub connectors: Option<Vec<ConnectorResult>>,
    /// Why the event was ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

fn rows<S: Serializer>(
    connectors: &Option<Vec<ConnectorResult>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(connectors.iter().flatten().map(Row::new))
}

/// The registrations for a response, if none failed.
///
/// # Errors
/// When any registration failed: Lambda then retries the event, and sends it to the failure queue in the
/// end.
pub fn all_done(connectors: Vec<ConnectorResult>) -> Result<Vec<ConnectorResult>, Error> {
    let failed = |connector: &ConnectorResult| matches!(connector.outcome, Outcome::Failed { .. });
    if connectors.iter().any(failed) {
        Err(Error::Registrations(connectors))
    } else {
        Ok(connectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Skip;
    use crate::model::evidence::Evidence;
    use crate::model::service_error::ServiceError;
    use crate::reconcile::outcome::Failure;
    use serde_json::json;

    #[test]
    fn a_response_leaves_out_what_has_no_value() {
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm:7"
            .parse()
            .unwrap();
        let updated = |evidence| ConnectorResult {
            label: "crm".to_owned(),
            registered: Some(arn.clone()),
            outcome: Outcome::Updated {
                target: arn.clone(),
                replaced_by: None,
                evidence,
            },
        };
        let response = Response {
            event_id: None,
            event_name: "sweep".to_owned(),
            function_arn: None,
            dry_run: false,
            connectors: Some(vec![
                updated(None),
                updated(Some(Evidence {
                    previous_version: Some("1.0".to_owned()),
                    version: Some("1.1".to_owned()),
                    changed: vec!["connectorVersion".to_owned()],
                })),
                ConnectorResult {
                    label: "gone".to_owned(),
                    registered: None,
                    outcome: Outcome::Failed {
                        target: None,
                        failure: Failure::Describe(ServiceError::no_function("no ARN".to_owned())),
                    },
                },
            ]),
            ignored: None,
        };
        assert_eq!(
            serde_json::to_value(&response).unwrap(),
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
                        "connectorLabel": "crm",
                        "outcome": "updated",
                        "registeredArn": arn.to_string(),
                        "targetArn": arn.to_string(),
                        "previousConnectorVersion": "1.0",
                        "connectorVersion": "1.1",
                        "changed": ["connectorVersion"],
                    },
                    {
                        "connectorLabel": "gone",
                        "outcome": "failed",
                        "reason": "DescribeFailed: DescribeConnector failed: no ARN. Only connectors \
                                   that a Lambda function provides can be updated",
                    },
                ],
            })
        );
    }

    #[test]
    fn one_failure_makes_an_error_of_all() {
        let connector = |label: &str, outcome| ConnectorResult {
            label: label.to_owned(),
            registered: None,
            outcome,
        };
        let skipped = connector("old", Outcome::Skipped(Skip::FollowsLatest));
        let failed = Outcome::Failed {
            target: None,
            failure: Failure::NotRegistered,
        };
        let done = all_done(vec![skipped.clone(), skipped.clone()]).unwrap();
        assert_eq!(done, [skipped.clone(), skipped.clone()]);
        let all = vec![skipped, connector("bad", failed)];
        assert_eq!(all_done(all.clone()).unwrap_err().connectors(), all);
    }
}
