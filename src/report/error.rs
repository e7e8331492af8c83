//! The error of an invocation: a name from a fixed set, and a message for the operator.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::event::trigger::InvalidEvent;
use crate::model::function_arn::FunctionArn;
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
use crate::report::connector::reason;
use crate::report::messages::with_advice;
use crate::settings::InvalidSettings;

/// The most failed registrations that an error lists. Each takes up to about two kilobytes, and Lambda's
/// record of a failed invocation has to fit into an SQS message. The log has all of them.
const LISTED_MAX: usize = 20;

/// Why an invocation, or startup, failed.
pub enum Error {
    /// An environment variable is invalid.
    InvalidSettings(InvalidSettings),
    /// The event is invalid.
    InvalidEvent(InvalidEvent),
    /// ListConnectors failed.
    ListFailed(ServiceError),
    /// Registrations that should have been updated were not; all others were tried.
    Registrations(
        /// All registrations, at least one of which failed.
        Vec<ConnectorResult>,
    ),
    /// A bug in connector-updater: a panic's message and location.
    Panicked(String),
}

impl Error {
    /// The `errorType` that Lambda reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidSettings(_) => "InvalidSettings",
            Self::InvalidEvent(_) => "InvalidEvent",
            Self::ListFailed(error) if error.kind == ErrorKind::OutOfTime => "OutOfTime",
            Self::ListFailed(_) => "ListFailed",
            Self::Registrations(connectors) => {
                let mut names = failed(connectors).map(|(_, failure, _)| failure.name());
                match names.next() {
                    Some(first) if names.all(|name| name == first) => first,
                    _ => "SeveralFailed",
                }
            }
            Self::Panicked(_) => "Panicked",
        }
    }

    /// The registrations and their outcomes, if the invocation got that far.
    pub fn connectors(&self) -> &[ConnectorResult] {
        match self {
            Self::Registrations(connectors) => connectors,
            _ => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSettings(error) => error.fmt(f),
            Self::InvalidEvent(error) => write!(
                f,
                "{error}. Nothing was changed. If EventBridge sent this event, this release does not \
                 support its format: sweep to bring the registrations up to date"
            ),
            Self::ListFailed(error) => write!(
                f,
                "{}. No registration was described. With the connectors named in CONNECTOR_LABELS, no \
                 list is needed",
                with_advice(error)
            ),
            Self::Registrations(connectors) => {
                let count = failed(connectors).count();
                let updated: Vec<&str> = connectors
                    .iter()
                    .filter(|connector| matches!(connector.outcome, Outcome::Updated { .. }))
                    .map(|connector| connector.label.as_str())
                    .collect();
                write!(f, "{count} of {} registrations failed", connectors.len())?;
                for (label, failure, target) in failed(connectors).take(LISTED_MAX) {
                    write!(f, "\n{label}: {}", reason(failure, target))?;
                }
                if let Some(more @ 1..) = count.checked_sub(LISTED_MAX) {
                    write!(f, "\nand {more} more, each with its own line in the log")?;
                }
                write!(f, "\n{} updated", updated.len())?;
                let listed = updated[..updated.len().min(LISTED_MAX)].join(", ");
                let colon = if updated.is_empty() { "" } else { ": " };
                let more = if updated.len() > LISTED_MAX {
                    ", …"
                } else {
                    ""
                };
                write!(f, "{colon}{listed}{more}")?;
                let others = connectors.len() - count - updated.len();
                write!(f, "; {others} unchanged")
            }
            Self::Panicked(panic) => write!(
                f,
                "connector-updater panicked: {panic}. This is a bug in connector-updater; please report \
                 it with the log of this invocation. Registrations that were not reached are \
                 unchanged: sweep them, some labels at a time"
            ),
        }
    }
}

/// The registrations that failed, each with the failure and the target.
fn failed(
    connectors: &[ConnectorResult],
) -> impl Iterator<Item = (&str, &Failure, Option<&FunctionArn>)> {
    connectors
        .iter()
        .filter_map(|connector| match &connector.outcome {
            Outcome::Failed { target, failure } => {
                Some((connector.label.as_str(), failure, target.as_ref()))
            }
            _ => None,
        })
}

/// The runtime logs a handler's error with `Debug`, so this is what an operator reads.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.name())
    }
}

impl std::error::Error for Error {}

impl From<InvalidEvent> for Error {
    fn from(error: InvalidEvent) -> Self {
        Self::InvalidEvent(error)
    }
}

impl From<InvalidSettings> for Error {
    fn from(error: InvalidSettings) -> Self {
        Self::InvalidSettings(error)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Skip;
    use crate::model::registration::{AppFlowSource, ConnectorLabel};
    use crate::model::service_error::Operation;

    fn error(failures: &[Failure]) -> Error {
        let connector = |label: String, outcome| ConnectorResult {
            label,
            registered: None,
            outcome,
        };
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let updated = Outcome::Updated {
            target: arn.clone(),
            replaced_by: None,
            evidence: None,
        };
        let planned = Outcome::Planned { target: arn };
        let mut connectors = vec![
            connector("fine".to_owned(), updated),
            connector("old".to_owned(), Outcome::Skipped(Skip::FollowsLatest)),
            connector("dry".to_owned(), planned),
        ];
        for (number, failure) in failures.iter().enumerate() {
            let outcome = Outcome::Failed {
                target: None,
                failure: failure.clone(),
            };
            connectors.push(connector(format!("connector-{number}"), outcome));
        }
        Error::Registrations(connectors)
    }

    #[test]
    fn failures_of_one_kind_give_the_error_their_name() {
        let not_ready = || Failure::NotReady("its State is Pending".to_owned());
        assert_eq!(
            error(&[not_ready(), not_ready()]).name(),
            "FunctionNotReady"
        );
        assert_eq!(
            error(&[not_ready(), Failure::NotRegistered]).name(),
            "SeveralFailed"
        );
    }

    #[test]
    fn a_list_that_took_too_long_is_out_of_time() {
        let list = |kind| {
            Error::ListFailed(ServiceError {
                kind,
                ..ServiceError::out_of_time(Operation::ListConnectors)
            })
        };
        assert_eq!(list(ErrorKind::OutOfTime).name(), "OutOfTime");
        assert_eq!(list(ErrorKind::AccessDenied).name(), "ListFailed");
    }

    #[test]
    fn an_error_keeps_what_became_of_each_registration() {
        let failed = error(&[Failure::NotRegistered]);
        let labels: Vec<_> = failed.connectors().iter().map(|one| &one.label).collect();
        assert_eq!(labels, ["fine", "old", "dry", "connector-0"]);
        assert!(Error::Panicked(String::new()).connectors().is_empty());
    }

    #[test]
    fn what_the_runtime_logs_is_the_name_and_the_message() {
        let error = Error::InvalidEvent(InvalidEvent("no event".to_owned()));
        assert_eq!(format!("{error:?}"), format!("InvalidEvent: {error}"));
    }

    #[test]
    fn a_message_names_twenty_of_each_and_counts_the_rest() {
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let message = |failed: usize, updated: usize| {
            let failed = (0..failed).map(|number| ConnectorResult {
                label: format!("bad-{number}"),
                registered: None,
                outcome: Outcome::Failed {
                    target: None,
                    failure: Failure::NotRegistered,
                },
            });
            let updated = (0..updated).map(|number| ConnectorResult {
                label: format!("good-{number}"),
                registered: None,
                outcome: Outcome::Updated {
                    target: arn.clone(),
                    replaced_by: None,
                    evidence: None,
                },
            });
            Error::Registrations(failed.chain(updated).collect()).to_string()
        };
        for (failed, updated, more, end) in [
            (1, 0, None, "\n0 updated; 0 unchanged"),
            (2, 2, None, "\n2 updated: good-0, good-1; 0 unchanged"),
            (20, 20, None, ", good-19; 0 unchanged"),
            (21, 21, Some("and 1 more"), ", good-19, …; 0 unchanged"),
        ] {
            let message = message(failed, updated);
            assert!(message.ends_with(end), "{message}");
            assert_eq!(message.matches("\nbad-").count(), failed.min(20));
            assert_eq!(message.contains(" more, "), more.is_some(), "{message}");
            assert!(message.contains(more.unwrap_or_default()), "{message}");
        }
    }

    #[test]
    fn a_thousand_failures_fit_into_a_queue_message() {
        let failure = Failure::FunctionFailed("a reason ".repeat(100));
        let message = error(&vec![failure; 1000]).to_string();
        assert!(
            message.starts_with("1000 of 1003 registrations failed\nconnector-0: FunctionFailed")
        );
        assert!(message.contains("and 980 more"), "{message}");
        assert!(
            message.ends_with("1 updated: fine; 2 unchanged"),
            "{message}"
        );
        assert!(message.len() < 64 * 1024);
    }

    /// A service's error of every kind, and every failure that has one.
    fn everything_that_can_fail() -> Vec<Failure> {
        let kinds = [
            ErrorKind::AccessDenied,
            ErrorKind::NotFound,
            ErrorKind::Invalid,
            ErrorKind::QuotaExceeded,
            ErrorKind::ConnectorAuthentication,
            ErrorKind::ConnectorServer,
            ErrorKind::Conflict,
            ErrorKind::Exists,
            ErrorKind::Throttled,
            ErrorKind::Internal,
            ErrorKind::NoFunction,
            ErrorKind::ProvidedByAws,
            ErrorKind::NotSent,
            ErrorKind::NoAnswer,
            ErrorKind::OutOfTime,
            ErrorKind::Other,
        ];
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm:7"
            .parse()
            .unwrap();
        let mut failures = vec![
            Failure::NotRegistered,
            Failure::Describe(ServiceError::no_function("no ARN".to_owned())),
            Failure::Label("a b".parse::<ConnectorLabel>().unwrap_err()),
            Failure::NoVersion(arn.clone()),
            Failure::FunctionFailed("no subnet".to_owned()),
            Failure::NotReady("its State is Pending".to_owned()),
            Failure::KeepsChanging,
            Failure::NonInvocable,
        ];
        for kind in kinds {
            let error = ServiceError {
                kind,
                code: Some("SomeException".to_owned()),
                message: "Its own words.".to_owned(),
                request_id: Some("abc".to_owned()),
                ..ServiceError::out_of_time(Operation::UpdateConnectorRegistration)
            };
            failures.extend([
                Failure::Describe(error.clone()),
                Failure::Function(error.clone()),
                Failure::Unchecked(error.clone()),
            ]);
            for grant_error in [None, Some(error.clone())] {
                failures.push(Failure::Update {
                    error: error.clone(),
                    grant_error,
                    appflow: Some(AppFlowSource::of_function(&arn)),
                });
            }
        }
        failures
    }

    #[test]
    fn every_failure_says_what_to_do_and_promises_no_retry() {
        let target = "arn:aws:lambda:us-east-1:123456789012:function:crm:7";
        let target = target.parse().unwrap();
        for failure in everything_that_can_fail() {
            let text = reason(&failure, Some(&target));
            assert!(text.starts_with(failure.name()), "{text}");
            for promise in [
                "again by itself",
                "tries the event again",
                "will be retried",
                "next try",
            ] {
                assert!(!text.contains(promise), "{text}");
            }
            if let Failure::Describe(error)
            | Failure::Function(error)
            | Failure::Update { error, .. } = &failure
                && error.code.is_some()
            {
                let service = "UpdateConnectorRegistration failed with SomeException: Its own \
                               words. (request id abc). ";
                let (_, advice) = text.split_once(service).expect("the service's own words");
                assert!(advice.len() > 20, "{text}");
            }
        }
    }

    #[test]
    fn every_error_type_is_in_the_documentation() {
        let documented = include_str!("../../docs/runbook.md");
        let list = ServiceError::out_of_time(Operation::ListConnectors);
        let other = ["InvalidSettings", "SeveralFailed"];
        let failures = everything_that_can_fail();
        let names = failures
            .iter()
            .map(Failure::name)
            .chain([
                Error::InvalidEvent(InvalidEvent(String::new())).name(),
                Error::ListFailed(list).name(),
                "ListFailed",
                Error::Panicked(String::new()).name(),
            ])
            .chain(other);
        for name in names {
            assert!(documented.contains(&format!("\n### {name}\n")), "{name}");
        }
    }
}
