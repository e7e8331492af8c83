//! What an invocation fails with: a name from a fixed set, and a message for the operator.

use std::fmt;

use lambda_runtime::Diagnostic;

use crate::service_error::ServiceError;
use crate::settings::InvalidSettings;
use crate::trigger::InvalidEvent;

/// How many failed registrations an error spells out. Each takes up to about two kilobytes, and the
/// record of a failed invocation has to fit into a queue's message; the log has them all.
const SPELT_OUT: usize = 20;

/// Why a registration that should have been updated was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, by name.
    pub kind: FailureKind,
    /// What went wrong, and what to do about it.
    pub message: String,
}

/// The names of what can go wrong with one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// AppFlow did not describe the registration.
    DescribeFailed,
    /// Lambda says that the function has failed.
    FunctionFailed,
    /// The function was not ready to be invoked before the time was up.
    FunctionNotReady,
    /// Lambda has no such function, version or alias.
    FunctionNotFound,
    /// Lambda could not be asked about the function.
    FunctionUnknown,
    /// Lambda did not let AppFlow invoke the version.
    GrantFailed,
    /// AppFlow did not update the registration.
    UpdateFailed,
    /// The invocation's time was up.
    OutOfTime,
}

/// Why an invocation, or the start of the process, failed.
#[derive(Debug)]
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
    Registrations {
        /// Each that failed; never empty.
        failed: Vec<(String, Failure)>,
        /// Those that were updated.
        updated: Vec<String>,
        /// How many were rightly left as they were.
        others: usize,
    },
}

impl FailureKind {
    /// The `errorType` of an invocation in which every failure is of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeFailed => "DescribeFailed",
            Self::FunctionFailed => "FunctionFailed",
            Self::FunctionNotReady => "FunctionNotReady",
            Self::FunctionNotFound => "FunctionNotFound",
            Self::FunctionUnknown => "FunctionUnknown",
            Self::GrantFailed => "GrantFailed",
            Self::UpdateFailed => "UpdateFailed",
            Self::OutOfTime => "OutOfTime",
        }
    }
}

impl Error {
    /// The `errorType` that Lambda reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidSettings(_) => "InvalidSettings",
            Self::InvalidEvent(_) => "InvalidEvent",
            Self::ListFailed(_) => "ListFailed",
            Self::ListOutOfTime => FailureKind::OutOfTime.name(),
            Self::Registrations { failed, .. } => {
                let mut kinds = failed.iter().map(|(_, failure)| failure.kind);
                match kinds.next() {
                    Some(first) if kinds.all(|kind| kind == first) => first.name(),
                    _ => "SeveralFailed",
                }
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
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
                advice(error, "appflow:ListConnectors")
            ),
            Self::ListOutOfTime => f.write_str(
                "time was up before ListConnectors had answered. No registration was looked at. \
                 Give the function a longer timeout, or name the connectors in CONNECTOR_LABELS",
            ),
            Self::Registrations {
                failed,
                updated,
                others,
            } => {
                let all = failed.len() + updated.len() + others;
                write!(f, "{} of {all} registrations failed", failed.len())?;
                for (label, failure) in failed.iter().take(SPELT_OUT) {
                    write!(f, "\n{label}: {failure}")?;
                }
                if let Some(more @ 1..) = failed.len().checked_sub(SPELT_OUT) {
                    write!(f, "\nand {more} more, each with its own line in the log")?;
                }
                write!(f, "\n{} updated", updated.len())?;
                for (position, label) in updated.iter().take(SPELT_OUT).enumerate() {
                    write!(f, "{}{label}", if position == 0 { ": " } else { ", " })?;
                }
                if updated.len() > SPELT_OUT {
                    write!(f, ", …")?;
                }
                write!(f, "; {others} left as they were")
            }
        }
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

/// What an operator does about an error of AppFlow or Lambda, by the service's name for it.
/// `action` is the IAM action that the call needs.
pub fn advice(error: &ServiceError, action: &str) -> String {
    match error.code() {
        Some("AccessDeniedException") => format!(
            "Check that the updater's role allows {action} on the resource that the message names, \
             and that the connector's function lets AppFlow invoke it"
        ),
        Some("ValidationException") => {
            "AppFlow does not take the request: compare the registration with the message".to_owned()
        }
        Some("ResourceNotFoundException") => {
            "Check that the registration and its function still exist".to_owned()
        }
        Some("ConflictException") => {
            "Something else is changing the registration, or a call with the same client token is \
             under way: Lambda tries the event again"
                .to_owned()
        }
        Some("ConnectorAuthenticationException") => {
            "The connector's function refused AppFlow: check what it answers to a \
             DescribeConnectorConfigurationRequest"
                .to_owned()
        }
        Some("ConnectorServerException") => {
            "The connector's function did not answer AppFlow within 10 seconds, or not with a \
             connector configuration: see the function's own log"
                .to_owned()
        }
        Some("ServiceQuotaExceededException") => {
            "Raise the AppFlow quota that the message names".to_owned()
        }
        Some("ThrottlingException" | "TooManyRequestsException") => {
            "The account's request rate is used up: Lambda tries the event again; for a sweep, name \
             fewer labels at a time"
                .to_owned()
        }
        Some("InternalServerException" | "ServiceException") => {
            "The service has a fault of its own: Lambda tries the event again".to_owned()
        }
        Some(_) => "See the service's documentation for this error".to_owned(),
        None => "Check the way from the function to the service's endpoint, such as its VPC \
                 configuration and the endpoint variables"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kinds: &[FailureKind]) -> Error {
        Error::Registrations {
            failed: kinds
                .iter()
                .enumerate()
                .map(|(number, kind)| {
                    let failure = Failure {
                        kind: *kind,
                        message: "a reason".repeat(100),
                    };
                    (format!("connector-{number}"), failure)
                })
                .collect(),
            updated: vec!["fine".to_owned()],
            others: 2,
        }
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
