//! Outcomes of registrations, as data. [`crate::report`] turns them into text.

use crate::decide::Skip;
use crate::model::evidence::Evidence;
use crate::model::function_arn::FunctionArn;
use crate::model::function_state::Unready;
use crate::model::registration::{AppFlowSource, InvalidLabel};
use crate::model::service_error::{ErrorKind, ServiceError};

/// One registration and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectorResult {
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
        /// The ARN that somebody else has registered since, if it is another one.
        replaced_by: Option<FunctionArn>,
        /// What the update changed, if DescribeConnector succeeded afterward.
        evidence: Option<Evidence>,
    },
    /// A dry run would have updated it with this ARN.
    Planned {
        /// The ARN.
        target: FunctionArn,
    },
    /// There was nothing to do, for this reason.
    Skipped(Skip),
    /// It should have been updated, and was not.
    Failed {
        /// The ARN that it should have been updated with, if it was known already.
        target: Option<FunctionArn>,
        /// What went wrong.
        failure: Failure,
    },
}

/// Why a registration that should have been updated was not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// AppFlow lists a label that DescribeConnector would reject.
    Label(InvalidLabel),
    /// AppFlow has no registration with a label that the settings or the sweep name.
    NotRegistered,
    /// DescribeConnector failed, or its response has no valid ARN of a Lambda function.
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
    /// The function was not ready, for this reason, when the invocation ran out of time.
    NotReady(Unready),
    /// The function changed during each of several updates.
    KeepsChanging,
    /// UpdateConnectorRegistration failed.
    Update {
        /// Why.
        error: ServiceError,
        /// The error of the AddPermission call before it, if that failed.
        grant_error: Option<ServiceError>,
        /// The AppFlow that must be allowed to invoke the target, if that is known.
        appflow: Option<AppFlowSource>,
    },
}

impl Failure {
    /// The `errorType` of an invocation in which every failure has this name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Describe(error)
            | Self::Function(error)
            | Self::Unchecked(error)
            | Self::Update { error, .. }
                if error.kind == ErrorKind::OutOfTime =>
            {
                "OutOfTime"
            }
            Self::Label(_) | Self::NotRegistered | Self::Describe(_) => "DescribeFailed",
            Self::NoVersion(_) => "FunctionNotFound",
            Self::Function(error) if error.kind == ErrorKind::NotFound => "FunctionNotFound",
            Self::Function(_) | Self::Unchecked(_) => "FunctionUnknown",
            Self::FunctionFailed(_) | Self::NonInvocable => "FunctionFailed",
            Self::NotReady(_) => "FunctionNotReady",
            Self::KeepsChanging => "FunctionKeepsChanging",
            Self::Update { grant_error, .. } if grant_error.is_some() => "GrantFailed",
            Self::Update { .. } => "UpdateFailed",
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
            grant_error: grant.map(error),
            appflow: None,
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
            (Failure::Label(label), "DescribeFailed"),
            (Failure::NotRegistered, "DescribeFailed"),
            (Failure::Describe(error(denied)), "DescribeFailed"),
            (Failure::Describe(error(gone)), "DescribeFailed"),
            (Failure::Describe(error(late)), "OutOfTime"),
            (Failure::Function(error(denied)), "FunctionUnknown"),
            (Failure::Function(error(gone)), "FunctionNotFound"),
            (Failure::Function(error(late)), "OutOfTime"),
            (Failure::Unchecked(error(gone)), "FunctionUnknown"),
            (Failure::Unchecked(error(late)), "OutOfTime"),
            (Failure::NoVersion(function), "FunctionNotFound"),
            (Failure::FunctionFailed(String::new()), "FunctionFailed"),
            (Failure::NonInvocable, "FunctionFailed"),
            (Failure::NotReady(Unready::JustChanged), "FunctionNotReady"),
            (Failure::KeepsChanging, "FunctionKeepsChanging"),
            (update(denied, None), "UpdateFailed"),
            (update(denied, Some(denied)), "GrantFailed"),
            (update(gone, Some(late)), "GrantFailed"),
            (update(late, None), "OutOfTime"),
            (update(late, Some(denied)), "OutOfTime"),
        ] {
            assert_eq!(failure.name(), kind, "{failure:?}");
        }
    }
}
