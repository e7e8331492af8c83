//! What became of one registration, as it stands in an answer and in the log.

use std::fmt;

use serde::Serialize;

use crate::model::function_arn::FunctionArn;

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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}
