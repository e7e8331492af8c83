//! What an invocation fails with: a name from a fixed set, and a message for the operator.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::aws::service_error::ServiceError;
use crate::event::InvalidEvent;
use crate::reconcile::outcome::{Connector, Failure, FailureKind, Outcome};
use crate::settings::InvalidSettings;

/// How many failed registrations an error spells out. Each takes up to about two kilobytes, and the
/// record of a failed invocation has to fit into a queue's message; the log has them all.
const SPELT_OUT: usize = 20;

/// Why an invocation, or the start of the process, failed.
pub enum Error {
    /// The environment cannot be used.
    InvalidSettings(InvalidSettings),
    /// The event cannot be used.
    InvalidEvent(InvalidEvent),
    /// AppFlow did not list the connectors.
    ListFailed(ServiceError),
    /// The invocation's time was up before AppFlow had listed the connectors.
    ListOutOfTime,
    /// Registrations that should have been updated were not; all others were tried.
    Registrations(
        /// What became of each; at least one failed.
        Vec<Connector>,
    ),
    /// The program has a defect: a panic's message and place.
    Panicked(String),
}

impl Error {
    /// The `errorType` that Lambda reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidSettings(_) => "InvalidSettings",
            Self::InvalidEvent(_) => "InvalidEvent",
            Self::ListFailed(_) => "ListFailed",
            Self::ListOutOfTime => FailureKind::OutOfTime.name(),
            Self::Registrations(connectors) => {
                let mut kinds = failures(connectors).map(|(_, failure)| failure.kind);
                match kinds.next() {
                    Some(first) if kinds.all(|kind| kind == first) => first.name(),
                    _ => "SeveralFailed",
                }
            }
            Self::Panicked(_) => "Panicked",
        }
    }
}

impl Error {
    /// What became of each registration, as far as the invocation came to any.
    pub fn connectors(&self) -> &[Connector] {
        match self {
            Self::Registrations(connectors) => connectors,
            Self::InvalidSettings(_)
            | Self::InvalidEvent(_)
            | Self::ListFailed(_)
            | Self::ListOutOfTime
            | Self::Panicked(_) => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSettings(error) => error.fmt(f),
            Self::InvalidEvent(error) => write!(
                f,
                "{error}. Nothing was changed. If this is a real event, it is not of a form that \
                 this version knows; a sweep brings the registrations up to date without it"
            ),
            Self::ListFailed(error) => write!(
                f,
                "{error}. No registration was looked at. {}",
                error.advice()
            ),
            Self::ListOutOfTime => f.write_str(
                "time was up before ListConnectors had answered. No registration was looked at. \
                 Name the connectors in CONNECTOR_LABELS, or give the function a longer timeout \
                 where it has less than Lambda's 15 minutes",
            ),
            Self::Registrations(connectors) => {
                let failed = failures(connectors).count();
                let updated: Vec<&str> = connectors
                    .iter()
                    .filter(|connector| matches!(connector.outcome, Outcome::Updated(_)))
                    .map(|connector| connector.label.as_str())
                    .collect();
                write!(f, "{failed} of {} registrations failed", connectors.len())?;
                for (label, failure) in failures(connectors).take(SPELT_OUT) {
                    write!(f, "\n{label}: {failure}")?;
                }
                if let Some(more @ 1..) = failed.checked_sub(SPELT_OUT) {
                    write!(f, "\nand {more} more, each with its own line in the log")?;
                }
                write!(f, "\n{} updated", updated.len())?;
                for (position, label) in updated.iter().take(SPELT_OUT).enumerate() {
                    write!(f, "{}{label}", if position == 0 { ": " } else { ", " })?;
                }
                if updated.len() > SPELT_OUT {
                    write!(f, ", …")?;
                }
                let others = connectors.len() - failed - updated.len();
                write!(f, "; {others} left as they were")
            }
            Self::Panicked(panic) => write!(
                f,
                "connector-updater panicked: {panic}. This is a defect of its own; please report it \
                 with the log of this invocation. What was not reached is left as it was; if the \
                 next try does not bring it up to date, sweep some labels at a time"
            ),
        }
    }
}

/// The registrations that failed, and why.
fn failures(connectors: &[Connector]) -> impl Iterator<Item = (&str, &Failure)> {
    connectors
        .iter()
        .filter_map(|connector| match &connector.outcome {
            Outcome::Failed(_, failure) => Some((connector.label.as_str(), failure)),
            Outcome::Updated(_) | Outcome::Planned(_) | Outcome::Skipped(_) => None,
        })
}

/// The runtime logs a handler's error by its `Debug`, which is therefore what an operator reads.
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

    fn failed(kinds: &[FailureKind]) -> Error {
        let connector = |label: String, outcome| Connector {
            label,
            registered: None,
            outcome,
        };
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:crm";
        let mut connectors = vec![
            connector("fine".to_owned(), Outcome::Updated(arn.parse().unwrap())),
            connector("old".to_owned(), Outcome::Skipped("older".to_owned())),
            connector("dry".to_owned(), Outcome::Planned(arn.parse().unwrap())),
        ];
        for (number, kind) in kinds.iter().enumerate() {
            let failure = Failure {
                kind: *kind,
                message: "a reason".repeat(100),
            };
            let outcome = Outcome::Failed(None, failure);
            connectors.push(connector(format!("connector-{number}"), outcome));
        }
        Error::Registrations(connectors)
    }

    #[test]
    fn failures_of_one_kind_give_the_error_their_name() {
        use FailureKind::{DescribeFailed, UpdateFailed};
        assert_eq!(failed(&[UpdateFailed; 3]).name(), "UpdateFailed");
        assert_eq!(
            failed(&[UpdateFailed, DescribeFailed]).name(),
            "SeveralFailed"
        );
    }

    #[test]
    fn a_thousand_failures_fit_into_a_queue_message() {
        let message = failed(&[FailureKind::UpdateFailed; 1000]).to_string();
        assert!(
            message.starts_with("1000 of 1003 registrations failed\nconnector-0: UpdateFailed")
        );
        assert!(message.contains("and 980 more"), "{message}");
        assert!(
            message.ends_with("1 updated: fine; 2 left as they were"),
            "{message}"
        );
        assert!(message.len() < 64 * 1024);
    }
}
