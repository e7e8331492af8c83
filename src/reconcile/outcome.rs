//! What became of one registration, as data; [`crate::report`] says it in words.

use crate::model::evidence::Evidence;
use crate::model::function_arn::{FunctionArn, Version};
use crate::model::registration::{AppFlowSource, NotALabel};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::decide::Skip;

/// What became of one registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connector {
    /// The connector label, as AppFlow or the settings have it.
    pub label: String,
    /// The ARN that AppFlow had before the first update; `None` where it could not be read.
    pub registered: Option<FunctionArn>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// AppFlow was given this ARN, and the function was afterwards still what it was before.
    Updated {
        /// The ARN.
        target: FunctionArn,
        /// The newest version, where the registration stays behind it.
        behind: Option<Version>,
        /// What somebody else has registered it with since, where that is another ARN.
        since: Option<FunctionArn>,
        /// What the update did, where AppFlow told.
        evidence: Option<Evidence>,
    },
    /// A dry run would have given AppFlow this ARN.
    Planned {
        /// The ARN.
        target: FunctionArn,
        /// The newest version, where the registration would stay behind it.
        behind: Option<Version>,
    },
    /// There was nothing to do, for this reason.
    Skipped(Skip),
    /// A sweep passed it over because the function, version, or alias no longer exists.
    Orphaned(Gone),
    /// It should have been updated, with this ARN if it was known by then, and was not.
    Failed {
        /// The ARN.
        target: Option<FunctionArn>,
        /// What went wrong.
        failure: Failure,
    },
}

/// What no longer exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gone {
    /// What Lambda was asked about, in its own words.
    Missing(ServiceError),
    /// The registered version of this function, which has no other.
    Versions(FunctionArn),
}

/// Why a registration that should have been updated was not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// AppFlow lists a label that DescribeConnector would reject.
    Label(NotALabel),
    /// AppFlow has no registration with a label that the settings or the sweep name.
    NotRegistered,
    /// AppFlow describes it without a Lambda function that can be read, and how.
    NoFunction(String),
    /// DescribeConnector failed.
    Describe(ServiceError),
    /// Lambda could not be asked about the function.
    Function(ServiceError),
    /// Lambda could not be asked whether the function changed during the update.
    Unchecked(ServiceError),
    /// This function has no version to move to.
    NoVersion(FunctionArn),
    /// Lambda says that the function will not become ready, and why.
    FunctionFailed(String),
    /// It is on Lambda Managed Instances, where what it is registered with cannot be invoked.
    NonInvocable,
    /// The function was in this state when the invocation's time was up.
    NotReady(String),
    /// Update after update, the function had changed again.
    KeepsChanging,
    /// UpdateConnectorRegistration failed.
    Update {
        /// Why.
        error: ServiceError,
        /// Why AppFlow was not granted permission to invoke the version before, if that failed.
        grant: Option<ServiceError>,
        /// The AppFlow that has to be allowed to invoke the function.
        source: Option<AppFlowSource>,
    },
}

/// The names of what can go wrong with one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// AppFlow did not describe the registration.
    DescribeFailed,
    /// Lambda says that the function will not become ready.
    FunctionFailed,
    /// The function was not ready to be invoked before the time was up.
    FunctionNotReady,
    /// Lambda has no such function, version or alias.
    FunctionNotFound,
    /// Lambda could not be asked about the function.
    FunctionUnknown,
    /// The function changed during each of several updates.
    FunctionKeepsChanging,
    /// Lambda did not let AppFlow invoke the version, and the update failed.
    GrantFailed,
    /// AppFlow did not update the registration.
    UpdateFailed,
    /// The invocation's time was up.
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
