//! CloudWatch metrics: one line on standard output for each invocation, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! which needs no API call.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value, json};

use crate::report::counts::Counts;
use crate::settings::LogLevel;

/// The metrics' namespace in CloudWatch.
pub const NAMESPACE: &str = "connector-updater";
/// The metrics' only dimension: the name of the updater's Lambda function.
pub const DIMENSION: &str = "FunctionName";
/// The only metric that is not a count: milliseconds from the deployment to the end of the invocation
/// that updated its registrations.
pub const DEPLOYMENT_TO_UPDATE: &str = "DeploymentToUpdate";

/// What the updater was invoked by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Invoked {
    /// An event, with the time of its deployment if it is known.
    ByEvent(Option<DateTime>),
    /// A sweep.
    BySweep {
        /// Whether an event should have changed before what it changes. That is not so for the first
        /// sweep of a new stack, nor for one that names functions: a deployment pipeline does so for
        /// functions that it has just deployed.
        finds_stale: bool,
    },
}

/// The line of metrics of an invocation that ends `now`.
///
/// Lambda's filter treats a line without a level as INFO, and drops it if the minimum log level is higher.
/// So the line has the minimum log level itself.
pub fn line(
    counts: &Counts,
    invoked: Invoked,
    now: SystemTime,
    function_name: &str,
    log_level: LogLevel,
) -> String {
    let mut metrics = vec![
        ("RegistrationsUpdated", counts.updated),
        ("RegistrationsSkipped", counts.skipped),
        ("RegistrationsFailed", counts.failed),
        ("RegistrationsPlanned", counts.planned),
        ("RegistrationsChanged", counts.changed),
    ];
    let mut deployment_to_update = None;
    match invoked {
        Invoked::BySweep { finds_stale } => metrics.extend([
            (
                "StaleRegistrations",
                if finds_stale { counts.changed } else { 0 },
            ),
            ("RegistrationsBehind", counts.behind),
            ("OrphanedRegistrations", counts.orphaned),
        ]),
        Invoked::ByEvent(Some(deployed_at)) if counts.updated > 0 => {
            // CloudTrail's times are whole seconds of another clock, so the difference can be negative.
            let seconds = DateTime::from(now).as_secs_f64() - deployed_at.as_secs_f64();
            deployment_to_update = Some((seconds * 1000.0).round().max(0.0));
        }
        Invoked::ByEvent(_) => {}
    }
    let mut definitions = Vec::new();
    let mut line = Map::new();
    for (name, count) in metrics {
        definitions.push(json!({ "Name": name, "Unit": "Count" }));
        line.insert(name.to_owned(), count.into());
    }
    if let Some(time) = deployment_to_update {
        definitions.push(json!({ "Name": DEPLOYMENT_TO_UPDATE, "Unit": "Milliseconds" }));
        line.insert(DEPLOYMENT_TO_UPDATE.to_owned(), time.into());
    }
    let now = DateTime::from(now);
    line.insert(DIMENSION.to_owned(), function_name.into());
    line.insert("level".to_owned(), log_level.name().into());
    // RFC 3339 cannot express every year; the metrics matter more than the timestamp.
    if let Ok(timestamp) = now.fmt(Format::DateTime) {
        line.insert("timestamp".to_owned(), timestamp.into());
    }
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.to_millis().unwrap_or_default(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": definitions,
            }],
        }),
    );
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Skip;
    use crate::model::evidence::Evidence;
    use crate::model::function_arn::{FunctionArn, Version};
    use crate::model::service_error::{Operation, ServiceError};
    use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
    use proptest::prelude::*;
    use std::time::Duration;

    const EVERYTHING: Invoked = Invoked::BySweep { finds_stale: true };

    /// Connectors with these counts of outcomes: updated and changed, updated, skipped, failed, planned,
    /// behind, orphaned.
    fn connectors(counts: [usize; 7]) -> Vec<ConnectorResult> {
        let target: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let updated = |changed: &[&str]| Outcome::Updated {
            target: target.clone(),
            replaced_by: None,
            evidence: Some(Evidence {
                previous_version: None,
                version: None,
                changed: changed.iter().map(ToString::to_string).collect(),
            }),
        };
        let outcomes = [
            updated(&["connectorVersion"]),
            updated(&[]),
            Outcome::Skipped(Skip::FollowsLatest),
            Outcome::Failed {
                target: None,
                failure: Failure::NotRegistered,
            },
            Outcome::Planned {
                target: target.clone(),
            },
            Outcome::Skipped(Skip::Behind(Version::MIN)),
            Outcome::Skipped(Skip::NoVersion(target.clone())),
        ];
        outcomes
            .into_iter()
            .zip(counts)
            .flat_map(|(outcome, count)| {
                std::iter::repeat_n(
                    ConnectorResult {
                        label: "crm".to_owned(),
                        registered: None,
                        outcome,
                    },
                    count,
                )
            })
            .collect()
    }

    fn line(connectors: &[ConnectorResult], invoked: Invoked, now: SystemTime) -> Value {
        let line = super::line(
            &Counts::of(connectors),
            invoked,
            now,
            "updater",
            LogLevel::Warn,
        );
        serde_json::from_str(&line).unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_line_is_the_documented_one() {
        let deployed_at = DateTime::from_secs(1_700_000_000);
        let line = line(
            &connectors([2, 1, 1, 0, 0, 0, 0]),
            Invoked::ByEvent(Some(deployed_at)),
            at(1_700_000_042),
        );
        assert_eq!(
            line,
            json!({
                "RegistrationsUpdated": 3,
                "RegistrationsSkipped": 1,
                "RegistrationsFailed": 0,
                "RegistrationsPlanned": 0,
                "RegistrationsChanged": 2,
                "DeploymentToUpdate": 42_000.0,
                "FunctionName": "updater",
                "level": "WARN",
                "timestamp": "2023-11-14T22:14:02Z",
                "_aws": {
                    "Timestamp": 1_700_000_042_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "connector-updater",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [
                            { "Name": "RegistrationsUpdated", "Unit": "Count" },
                            { "Name": "RegistrationsSkipped", "Unit": "Count" },
                            { "Name": "RegistrationsFailed", "Unit": "Count" },
                            { "Name": "RegistrationsPlanned", "Unit": "Count" },
                            { "Name": "RegistrationsChanged", "Unit": "Count" },
                            { "Name": "DeploymentToUpdate", "Unit": "Milliseconds" },
                        ],
                    }],
                },
            })
        );
    }

    #[test]
    fn without_an_update_there_is_no_deployment_to_update_metric() {
        let deployed_at = Some(DateTime::from_secs(5));
        for (counts, invoked) in [
            ([0, 0, 1, 1, 1, 0, 0], Invoked::ByEvent(deployed_at)),
            ([1, 1, 0, 0, 0, 0, 0], Invoked::ByEvent(None)),
            ([1, 1, 0, 0, 0, 0, 0], EVERYTHING),
        ] {
            let line = line(&connectors(counts), invoked, at(9));
            assert_eq!(line[DEPLOYMENT_TO_UPDATE], Value::Null);
        }
    }

    #[test]
    fn a_sweep_tells_what_it_found() {
        let all = line(&connectors([1, 2, 3, 4, 5, 6, 7]), EVERYTHING, at(9));
        for (name, count) in [
            ("RegistrationsUpdated", 3),
            ("RegistrationsSkipped", 16),
            ("RegistrationsFailed", 4),
            ("RegistrationsPlanned", 5),
            ("RegistrationsChanged", 1),
            ("StaleRegistrations", 1),
            ("RegistrationsBehind", 6),
            ("OrphanedRegistrations", 7),
        ] {
            assert_eq!(all[name], count, "{name}");
        }
        let deployed = Invoked::BySweep { finds_stale: false };
        let deployed = line(&connectors([1; 7]), deployed, at(9));
        assert_eq!(
            (
                &deployed["StaleRegistrations"],
                &deployed["RegistrationsChanged"]
            ),
            (&json!(0), &json!(1))
        );
        let event = line(&connectors([1; 7]), Invoked::ByEvent(None), at(9));
        assert_eq!(event["StaleRegistrations"], Value::Null);
        let error = ServiceError::out_of_time(Operation::GetFunctionConfiguration);
        let orphan = ConnectorResult {
            label: "crm".to_owned(),
            registered: None,
            outcome: Outcome::Skipped(Skip::Orphaned(error)),
        };
        assert_eq!(
            line(&[orphan], EVERYTHING, at(9))["OrphanedRegistrations"],
            1
        );
    }

    proptest! {
        // The rules of the format's specification.
        #[test]
        fn every_line_keeps_the_rules_of_the_format(
            counts in prop::array::uniform7(0usize..20),
            sweep in any::<bool>(),
            finds_stale in any::<bool>(),
            deployed_at in prop::option::of(0i64..4_000_000_000),
            now in 0u64..4_000_000_000,
        ) {
            let invoked = if sweep {
                Invoked::BySweep { finds_stale }
            } else {
                Invoked::ByEvent(deployed_at.map(DateTime::from_secs))
            };
            let connectors = connectors(counts);
            let text = super::line(&Counts::of(&connectors), invoked, at(now), "updater", LogLevel::Info);
            prop_assert!(!text.contains('\n'));
            let line: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(line["_aws"]["Timestamp"].as_u64(), Some(now * 1000));
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                let namespace = directive["Namespace"].as_str().unwrap();
                prop_assert!((1..=255).contains(&namespace.len()));
                for set in directive["Dimensions"].as_array().unwrap() {
                    let set = set.as_array().unwrap();
                    prop_assert!(set.len() <= 30);
                    for dimension in set {
                        // Each names a member at the top of the line, which is text.
                        let value = line[dimension.as_str().unwrap()].as_str().unwrap();
                        prop_assert!((1..=1024).contains(&value.len()));
                    }
                }
                let defined = directive["Metrics"].as_array().unwrap();
                prop_assert!(defined.len() <= 100);
                for definition in defined {
                    let value = &line[definition["Name"].as_str().unwrap()];
                    prop_assert!(value.as_f64().is_some_and(|value| value >= 0.0), "{value}");
                    let unit = definition["Unit"].as_str().unwrap();
                    prop_assert!(matches!(unit, "Count" | "Milliseconds"));
                }
            }
        }
    }
}
