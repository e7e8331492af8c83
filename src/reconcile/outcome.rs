//! Outcomes of registrations, as data. [`crate::report`] turns them into text.

use crate::model::evidence::Evidence;
use crate::model::function_arn::{FunctionArn, Version};
use crate::model::registration::{AppFlowSource, NotALabel};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::decide::Skip;

/// One registration and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connector {
    /// The connector label, as AppFlow lists it or the settings name it.
    pub label: String,
    /// The ARN that AppFlow had before the first update; `None` if it could not be read.
    pub registered: Option<FunctionArn>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was updated with this ARN, and the function was still the same afterward.
    Updated {
        /// The ARN.
        target: FunctionArn,
        /// The newest version, if the registration stays behind it.
        behind: Option<Version>,
        /// The ARN that somebody else has registered since, if it is another one.
        since: Option<FunctionArn>,
        /// What the update changed, if DescribeConnector succeeded afterward.
        evidence: Option<Evidence>,
    },
    /// A dry run would have updated it with this ARN.
    Planned {
        /// The ARN.
        target: FunctionArn,
        /// The newest version, if the registration would stay behind it.
        behind: Option<Version>,
    },
    /// There was nothing to do, for this reason.
    Skipped(Skip),
    /// A sweep skipped it, because the function, version, or alias no longer exists.
    Orphaned(Gone),
    /// It should have been updated, and was not.
    Failed {
        /// The ARN that it should have been updated with, if it was known already.
        target: Option<FunctionArn>,
        /// What went wrong.
        failure: Failure,
    },
}

/// What no longer exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gone {
    /// What Lambda was asked about, with its error.
    Missing(ServiceError),
    /// The registered version of this function, which has no other version.
    Versions(FunctionArn),
}

/// Why a registration that should have been updated was not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// AppFlow lists a label that DescribeConnector would reject.
    Label(NotALabel),
    /// AppFlow has no registration with a label that the settings or the sweep name.
    NotRegistered,
    /// AppFlow described it without a valid Lambda function ARN, for this reason.
    NoFunction(String),
    /// DescribeConnector failed.
    Describe(ServiceError),
    /// Lambda could not be asked about the function.
    Function(ServiceError),
    /// Lambda could not be asked whether the function changed during the update.
    Unchecked(ServiceError),
    /// This function has no published version to move to.
    NoVersion(FunctionArn),
    /// Lambda says that the function will not become ready, and why.
    FunctionFailed(String),
    /// It is registered with `$LATEST` of a function on Lambda Managed Instances, which cannot be
    /// invoked.
    NonInvocable,
    /// The function was in this state when the invocation ran out of time.
    NotReady(String),
    /// The function changed during each of several updates.
    KeepsChanging,
    /// UpdateConnectorRegistration failed.
    Update {
        /// Why.
        error: ServiceError,
        /// The error of the AddPermission call before it, if that failed.
        grant: Option<ServiceError>,
        /// The AppFlow that must be allowed to invoke the function.
        source: Option<AppFlowSource>,
    },
}

/// The kinds of failures of one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// AppFlow did not describe the registration.
    DescribeFailed,
    /// Lambda says that the function will not become ready.
    FunctionFailed,
    /// The function was not ready before the invocation ran out of time.
    FunctionNotReady,
    /// Lambda has no such function, version or alias.
    FunctionNotFound,
    /// Lambda could not be asked about the function.
    FunctionUnknown,
    /// The function changed during each of several updates.
    FunctionKeepsChanging,
    /// AddPermission failed, and so did the update.
    GrantFailed,
    /// AppFlow did not update the registration.
    UpdateFailed,
    /// The invocation ran out of time.
    OutOfTime,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::DescribeFailed,
        Self::FunctionFailed,
        Self::FunctionNotReady,
        Self::FunctionNotFound,
        Self::FunctionUnknown,
        Self::FunctionKeepsChanging,
        Self::GrantFailed,
        Self::UpdateFailed,
        Self::OutOfTime,
    ];

    /// The `errorType` of an invocation in which every failure is of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeFailed => "DescribeFailed",
            Self::FunctionFailed => "FunctionFailed",
            Self::FunctionNotReady => "FunctionNotReady",
            Self::FunctionNotFound => "FunctionNotFound",
            Self::FunctionUnknown => "FunctionUnknown",
            Self::FunctionKeepsChanging => "FunctionKeepsChanging",
            Self::GrantFailed => "GrantFailed",
            Self::UpdateFailed => "UpdateFailed",
            Self::OutOfTime => "OutOfTime",
        }
    }
}

impl Failure {
    /// Its kind.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Describe(error)
            | Self::Function(error)
            | Self::Unchecked(error)
            | Self::Update { error, .. }
                if error.kind == ErrorKind::OutOfTime =>
            {
                FailureKind::OutOfTime
            }
            Self::Label(_) | Self::NotRegistered | Self::NoFunction(_) | Self::Describe(_) => {
                FailureKind::DescribeFailed
            }
            Self::Function(error) if error.kind == ErrorKind::NotFound => {
                FailureKind::FunctionNotFound
            }
            Self::NoVersion(_) => FailureKind::FunctionNotFound,
            Self::Function(_) | Self::Unchecked(_) => FailureKind::FunctionUnknown,
            Self::FunctionFailed(_) | Self::NonInvocable => FailureKind::FunctionFailed,
            Self::NotReady(_) => FailureKind::FunctionNotReady,
            Self::KeepsChanging => FailureKind::FunctionKeepsChanging,
            Self::Update { grant: Some(_), .. } => FailureKind::GrantFailed,
            Self::Update { grant: None, .. } => FailureKind::UpdateFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::registration::ConnectorLabel;
    use crate::model::service_error::Operation;

    #[test]
    fn each_failure_has_the_name_of_what_an_operator_does_about_it() {
        let error = |kind| ServiceError {
            kind,
            ..ServiceError::out_of_time(Operation::DescribeConnector)
        };
        let update = |kind, grant: Option<ErrorKind>| Failure::Update {
            error: error(kind),
            grant: grant.map(error),
            source: None,
        };
        let function: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm"
            .parse()
            .unwrap();
        let label = "a b".parse::<ConnectorLabel>().unwrap_err();
        let (late, gone, denied) = (
            ErrorKind::OutOfTime,
            ErrorKind::NotFound,
            ErrorKind::AccessDenied,
        );
        for (failure, kind) in [
            (Failure::Label(label), FailureKind::DescribeFailed),
            (Failure::NotRegistered, FailureKind::DescribeFailed),
            (
                Failure::NoFunction(String::new()),
                FailureKind::DescribeFailed,
            ),
            (
                Failure::Describe(error(denied)),
                FailureKind::DescribeFailed,
            ),
            (Failure::Describe(error(gone)), FailureKind::DescribeFailed),
            (Failure::Describe(error(late)), FailureKind::OutOfTime),
            (
                Failure::Function(error(denied)),
                FailureKind::FunctionUnknown,
            ),
            (
                Failure::Function(error(gone)),
                FailureKind::FunctionNotFound,
            ),
            (Failure::Function(error(late)), FailureKind::OutOfTime),
            (
                Failure::Unchecked(error(gone)),
                FailureKind::FunctionUnknown,
            ),
            (Failure::Unchecked(error(late)), FailureKind::OutOfTime),
            (Failure::NoVersion(function), FailureKind::FunctionNotFound),
            (
                Failure::FunctionFailed(String::new()),
                FailureKind::FunctionFailed,
            ),
            (Failure::NonInvocable, FailureKind::FunctionFailed),
            (
                Failure::NotReady(String::new()),
                FailureKind::FunctionNotReady,
            ),
            (Failure::KeepsChanging, FailureKind::FunctionKeepsChanging),
            (update(denied, None), FailureKind::UpdateFailed),
            (update(denied, Some(denied)), FailureKind::GrantFailed),
            (update(gone, Some(late)), FailureKind::GrantFailed),
            (update(late, None), FailureKind::OutOfTime),
            (update(late, Some(denied)), FailureKind::OutOfTime),
        ] {
            assert_eq!(failure.kind(), kind, "{failure:?}");
        }
    }
}
