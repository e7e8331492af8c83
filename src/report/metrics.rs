//! CloudWatch metrics: one line on standard output for each invocation, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! which needs no API call.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value, json};

use crate::model::evidence::Evidence;
use crate::reconcile::outcome::{Connector, Outcome};
use crate::settings::LogLevel;

/// The metrics' namespace in CloudWatch.
pub const NAMESPACE: &str = "connector-updater";
/// The metrics' only dimension: the name of the updater's Lambda function.
pub const DIMENSION: &str = "FunctionName";
/// The only metric that is not a count: milliseconds from the deployment to the end of the invocation
/// that updated its registrations.
pub const DEPLOYMENT_TO_UPDATE: &str = "DeploymentToUpdate";

/// The metrics of one invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    updated: usize,
    skipped: usize,
    failed: usize,
    planned: usize,
    /// Updates that changed AppFlow's copy.
    changed: usize,
    /// What a sweep found; `None` for an event.
    found: Option<Found>,
    /// Milliseconds from the deployment to the end of the invocation; `None` without an update.
    deployment_to_update: Option<f64>,
    now: SystemTime,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Found {
    /// Registrations that it changed, which an event should have changed before.
    stale: usize,
    /// Registrations whose version is not the newest.
    behind: usize,
    /// Registrations whose function no longer exists.
    orphaned: usize,
}

/// Whether an invocation was about an event or a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum About {
    /// An event, with the time of its deployment if it is known.
    Event(Option<DateTime>),
    /// A sweep.
    Sweep {
        /// Whether it names functions. A deployment pipeline does so for functions that it has just
        /// deployed, so what such a sweep changes was not stale.
        of_functions: bool,
    },
}

impl Metrics {
    /// The metrics of an invocation that ends `now`.
    pub fn of(connectors: &[Connector], about: About, now: SystemTime) -> Self {
        let mut metrics = Self {
            updated: 0,
            skipped: 0,
            failed: 0,
            planned: 0,
            changed: 0,
            found: None,
            deployment_to_update: None,
            now,
        };
        let mut found = Found::default();
        for connector in connectors {
            match &connector.outcome {
                Outcome::Updated {
                    behind, evidence, ..
                } => {
                    metrics.updated += 1;
                    found.behind += usize::from(behind.is_some());
                    let changed = |evidence: &Evidence| !evidence.changed.is_empty();
                    metrics.changed += usize::from(evidence.as_ref().is_some_and(changed));
                }
                Outcome::Planned { behind, .. } => {
                    metrics.planned += 1;
                    found.behind += usize::from(behind.is_some());
                }
                Outcome::Skipped(_) => metrics.skipped += 1,
                Outcome::Orphaned(_) => {
                    metrics.skipped += 1;
                    found.orphaned += 1;
                }
                Outcome::Failed { .. } => metrics.failed += 1,
            }
        }
        match about {
            About::Sweep { of_functions } => {
                found.stale = if of_functions { 0 } else { metrics.changed };
                metrics.found = Some(found);
            }
            About::Event(deployed_at) if metrics.updated > 0 => {
                metrics.deployment_to_update = deployed_at.map(|deployed_at| {
                    // CloudTrail's times are whole seconds of another clock, so the difference can be
                    // negative.
                    ((DateTime::from(now).as_secs_f64() - deployed_at.as_secs_f64()) * 1000.0)
                        .round()
                        .max(0.0)
                });
            }
            About::Event(_) => {}
        }
        metrics
    }

    /// The line to write. Lambda's filter treats a line without a level as INFO, and drops it if the
    /// minimum log level is higher. So the line has the minimum log level itself.
    pub fn line(&self, function_name: &str, log_level: LogLevel) -> String {
        let mut counts = vec![
            ("RegistrationsUpdated", self.updated),
            ("RegistrationsSkipped", self.skipped),
            ("RegistrationsFailed", self.failed),
            ("RegistrationsPlanned", self.planned),
            ("RegistrationsChanged", self.changed),
        ];
        if let Some(found) = self.found {
            counts.extend([
                ("StaleRegistrations", found.stale),
                ("RegistrationsBehind", found.behind),
                ("OrphanedRegistrations", found.orphaned),
            ]);
        }
        let mut definitions = Vec::new();
        let mut line = Map::new();
        for (name, count) in counts {
            definitions.push(json!({ "Name": name, "Unit": "Count" }));
            line.insert(name.to_owned(), count.into());
        }
        if let Some(time) = self.deployment_to_update {
            definitions.push(json!({ "Name": DEPLOYMENT_TO_UPDATE, "Unit": "Milliseconds" }));
            line.insert(DEPLOYMENT_TO_UPDATE.to_owned(), time.into());
        }
        let now = DateTime::from(self.now);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function_arn::{FunctionArn, Version};
    use crate::reconcile::decide::Skip;
    use crate::reconcile::outcome::{Failure, Gone};
    use proptest::prelude::*;
    use std::time::Duration;

    const EVERYTHING: About = About::Sweep {
        of_functions: false,
    };

    /// Connectors with these counts of outcomes: updated and changed, updated, skipped, failed, planned,
    /// updated but behind, orphaned.
    fn connectors(counts: [usize; 7]) -> Vec<Connector> {
        let target: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let updated = |behind, changed: &[&str]| Outcome::Updated {
            target: target.clone(),
            behind,
            since: None,
            evidence: Some(Evidence {
                previous_version: None,
                version: None,
                changed: changed.iter().map(ToString::to_string).collect(),
            }),
        };
        let outcomes = [
            updated(None, &["connectorVersion"]),
            updated(None, &[]),
            Outcome::Skipped(Skip::FollowsLatest),
            Outcome::Failed {
                target: None,
                failure: Failure::NotRegistered,
            },
            Outcome::Planned {
                target: target.clone(),
                behind: None,
            },
            updated(Version::new(8), &[]),
            Outcome::Orphaned(Gone::Versions(target.clone())),
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
            &connectors([2, 1, 1, 0, 0, 0, 0]),
            About::Event(Some(deployed_at)),
            at(1_700_000_042),
        );
        let line: Value = serde_json::from_str(&metrics.line("updater", LogLevel::Warn)).unwrap();
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
    fn without_an_update_there_is_no_time_to_it() {
        let deployed_at = Some(DateTime::from_secs(5));
        for (counts, about) in [
            ([0, 0, 1, 1, 1, 0, 0], About::Event(deployed_at)),
            ([1, 1, 0, 0, 0, 0, 0], About::Event(None)),
            ([1, 1, 0, 0, 0, 0, 0], EVERYTHING),
        ] {
            let metrics = Metrics::of(&connectors(counts), about, at(9));
            assert_eq!(metrics.deployment_to_update, None);
        }
    }

    #[test]
    fn a_sweep_tells_what_it_found() {
        let metrics = Metrics::of(&connectors([1, 2, 3, 4, 5, 6, 7]), EVERYTHING, at(9));
        let line: Value = serde_json::from_str(&metrics.line("updater", LogLevel::Info)).unwrap();
        for (name, count) in [
            ("RegistrationsUpdated", 9),
            ("RegistrationsSkipped", 10),
            ("RegistrationsFailed", 4),
            ("RegistrationsPlanned", 5),
            ("RegistrationsChanged", 1),
            ("StaleRegistrations", 1),
            ("RegistrationsBehind", 6),
            ("OrphanedRegistrations", 7),
        ] {
            assert_eq!(line[name], count, "{name}");
        }
        let deployed = About::Sweep { of_functions: true };
        let line =
            Metrics::of(&connectors([1; 7]), deployed, at(9)).line("updater", LogLevel::Info);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["StaleRegistrations"], &line["RegistrationsChanged"]),
            (&json!(0), &json!(1))
        );
        let event = Metrics::of(&connectors([1; 7]), About::Event(None), at(9));
        let line = event.line("updater", LogLevel::Info);
        assert!(!line.contains("StaleRegistrations"), "{line}");
    }

    #[test]
    fn a_dry_sweep_tells_what_would_stay_behind() {
        let planned = |behind| Connector {
            label: "crm".to_owned(),
            registered: None,
            outcome: Outcome::Planned {
                target: "arn:aws:lambda:us-east-1:123456789012:function:crm:7"
                    .parse()
                    .unwrap(),
                behind,
            },
        };
        let behind = planned(Version::new(8));
        let metrics = Metrics::of(&[behind.clone(), planned(None), behind], EVERYTHING, at(9));
        let found = metrics.found.map(|found| found.behind);
        assert_eq!((metrics.planned, found), (3, Some(2)));
    }

    proptest! {
        // The rules of the format's specification.
        #[test]
        fn every_line_keeps_the_rules_of_the_format(
            counts in prop::array::uniform7(0usize..20),
            sweep in any::<bool>(),
            of_functions in any::<bool>(),
            deployed_at in prop::option::of(0i64..4_000_000_000),
            now in 0u64..4_000_000_000,
        ) {
            let about = if sweep {
                About::Sweep { of_functions }
            } else {
                About::Event(deployed_at.map(DateTime::from_secs))
            };
            let metrics = Metrics::of(&connectors(counts), about, at(now));
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
