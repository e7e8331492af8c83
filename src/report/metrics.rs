//! CloudWatch metrics: one line on standard output for each invocation, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! which costs no call.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value, json};

use crate::reconcile::outcome::{Connector, Outcome};
use crate::settings::LogLevel;

/// The metrics' namespace in CloudWatch.
pub const NAMESPACE: &str = "connector-updater";
/// The metrics' one dimension: the updater's own name as a function.
pub const DIMENSION: &str = "FunctionName";

/// What one invocation did, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    updated: usize,
    skipped: usize,
    failed: usize,
    planned: usize,
    /// Milliseconds from the deployment to the end of its last update; `None` without an update.
    deployment_to_update: Option<f64>,
    now: SystemTime,
}

impl Metrics {
    /// The numbers of an invocation that ends `now`, about a deployment at `deployed_at` where it
    /// was about one and the event told when.
    pub fn of(connectors: &[Connector], deployed_at: Option<DateTime>, now: SystemTime) -> Self {
        let (mut updated, mut skipped, mut failed, mut planned) = (0, 0, 0, 0);
        for connector in connectors {
            match connector.outcome {
                Outcome::Updated(_) => updated += 1,
                Outcome::Skipped(_) => skipped += 1,
                Outcome::Failed(..) => failed += 1,
                Outcome::Planned(_) => planned += 1,
            }
        }
        let deployment_to_update = deployed_at.filter(|_| updated > 0).map(|deployed_at| {
            // CloudTrail's times are whole seconds of another clock.
            ((DateTime::from(now).as_secs_f64() - deployed_at.as_secs_f64()) * 1000.0)
                .round()
                .max(0.0)
        });
        Self {
            updated,
            skipped,
            failed,
            planned,
            deployment_to_update,
            now,
        }
    }

    /// The line. Lambda takes a line without a level for one of INFO and drops it where the log
    /// level is higher; `log_level` is the one that it is configured to let through.
    pub fn line(&self, function_name: &str, log_level: LogLevel) -> String {
        let counts = [
            ("RegistrationsUpdated", self.updated),
            ("RegistrationsSkipped", self.skipped),
            ("RegistrationsFailed", self.failed),
            ("RegistrationsPlanned", self.planned),
        ];
        let mut definitions = Vec::new();
        let mut line = Map::new();
        for (name, count) in counts {
            definitions.push(json!({ "Name": name, "Unit": "Count" }));
            line.insert(name.to_owned(), count.into());
        }
        if let Some(time) = self.deployment_to_update {
            let name = "DeploymentToUpdate";
            definitions.push(json!({ "Name": name, "Unit": "Milliseconds" }));
            line.insert(name.to_owned(), time.into());
        }
        let now = DateTime::from(self.now);
        line.insert(DIMENSION.to_owned(), function_name.into());
        line.insert("level".to_owned(), log_level.name().into());
        // A year that RFC 3339 cannot write leaves the line without its time, not without numbers.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::outcome::{Failure, FailureKind};
    use proptest::prelude::*;
    use std::time::Duration;

    fn connectors(counts: [usize; 4]) -> Vec<Connector> {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:crm";
        let failure = Failure {
            kind: FailureKind::OutOfTime,
            message: String::new(),
        };
        let outcomes = [
            Outcome::Updated(arn.parse().unwrap()),
            Outcome::Skipped(String::new()),
            Outcome::Failed(None, failure),
            Outcome::Planned(arn.parse().unwrap()),
        ];
        outcomes
            .into_iter()
            .zip(counts)
            .flat_map(|(outcome, count)| {
                std::iter::repeat_n(
                    Connector {
                        label: "crm".to_owned(),
                        registered: None,
                        outcome,
                    },
                    count,
                )
            })
            .collect()
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_line_is_the_documented_one() {
        let deployed_at = DateTime::from_secs(1_700_000_000);
        let metrics = Metrics::of(
            &connectors([2, 1, 0, 0]),
            Some(deployed_at),
            at(1_700_000_042),
        );
        let line: Value = serde_json::from_str(&metrics.line("updater", LogLevel::Warn)).unwrap();
        assert_eq!(
            line,
            json!({
                "RegistrationsUpdated": 2,
                "RegistrationsSkipped": 1,
                "RegistrationsFailed": 0,
                "RegistrationsPlanned": 0,
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
                            { "Name": "DeploymentToUpdate", "Unit": "Milliseconds" },
                        ],
                    }],
                },
            })
        );
    }

    #[test]
    fn without_an_update_there_is_no_time_to_it() {
        let deployed_at = Some(DateTime::from_secs(5));
        for (counts, deployed_at) in [([0, 1, 1, 1], deployed_at), ([1, 0, 0, 0], None)] {
            let metrics = Metrics::of(&connectors(counts), deployed_at, at(9));
            assert_eq!(metrics.deployment_to_update, None);
        }
    }

    proptest! {
        // The rules of the format's specification.
        #[test]
        fn every_line_keeps_the_rules_of_the_format(
            counts in prop::array::uniform4(0usize..20),
            deployed_at in prop::option::of(0i64..4_000_000_000),
            now in 0u64..4_000_000_000,
        ) {
            let deployed_at = deployed_at.map(DateTime::from_secs);
            let metrics = Metrics::of(&connectors(counts), deployed_at, at(now));
            let text = metrics.line("updater", LogLevel::Info);
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
