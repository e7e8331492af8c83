//! The AWS calls that the updater makes, and how they fail.

use std::fmt;
use std::time::Duration;

/// An operation of AppFlow or Lambda. The list is complete: an error cannot be reported without its
/// operation, and a test compares the template's permissions with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// AppFlow's ListConnectors.
    ListConnectors,
    /// AppFlow's DescribeConnector.
    DescribeConnector,
    /// AppFlow's UpdateConnectorRegistration.
    UpdateConnectorRegistration,
    /// Lambda's GetFunctionConfiguration.
    GetFunctionConfiguration,
    /// Lambda's ListVersionsByFunction.
    ListVersionsByFunction,
    /// Lambda's GetAlias.
    GetAlias,
    /// Lambda's AddPermission.
    AddPermission,
}

impl Operation {
    /// Every call.
    pub const ALL: [Self; 7] = [
        Self::ListConnectors,
        Self::DescribeConnector,
        Self::UpdateConnectorRegistration,
        Self::GetFunctionConfiguration,
        Self::ListVersionsByFunction,
        Self::GetAlias,
        Self::AddPermission,
    ];

    /// The IAM action that allows it, from the service authorization reference.
    pub fn action(self) -> String {
        let service = match self {
            Self::ListConnectors | Self::DescribeConnector | Self::UpdateConnectorRegistration => {
                "appflow"
            }
            Self::GetFunctionConfiguration
            | Self::ListVersionsByFunction
            | Self::GetAlias
            | Self::AddPermission => "lambda",
        };
        format!("{service}:{self}")
    }
}

/// Displays as its name in the service's API.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What kind of error it is: the distinctions that the code acts on, or that an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller is not authorized, or AppFlow is not authorized to invoke the function.
    AccessDenied,
    /// There is no such registration, function, version, or alias.
    NotFound,
    /// The service rejects the request as it is.
    Invalid,
    /// A service quota is used up.
    QuotaExceeded,
    /// The connector's function refused AppFlow.
    ConnectorAuthentication,
    /// The connector's function did not answer AppFlow in time, or not with a configuration.
    ConnectorServer,
    /// Another change of the same thing is in progress.
    Conflict,
    /// What was to be created exists already.
    Exists,
    /// Too many requests.
    Throttled,
    /// An internal error of the service.
    Internal,
    /// The description's ARN cannot be read as that of a Lambda function.
    NoFunction,
    /// AWS provides the connector: its description has no ARN of a Lambda function, or it is listed with
    /// AWS as its owner and cannot be described.
    ProvidedByAws,
    /// There is nothing to sign the request with.
    NotSent,
    /// No response arrived, or one that is not the service's.
    NoAnswer,
    /// The invocation ran out of time.
    OutOfTime,
    /// Any other error.
    Other,
}

impl ErrorKind {
    /// Whether the same call may succeed a few seconds later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ConnectorServer
                | Self::Conflict
                | Self::Throttled
                | Self::Internal
                | Self::NoAnswer
        )
    }
}

/// A call that failed after its retries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceError {
    /// The call.
    pub operation: Operation,
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// The service's name for it; `None` if the service did not respond.
    pub code: Option<String>,
    /// The service's own words, or what happened instead of a response.
    pub message: String,
    /// The service's request id.
    pub request_id: Option<String>,
}

impl ServiceError {
    /// A call that was cut off because the invocation ran out of time.
    pub fn out_of_time(operation: Operation) -> Self {
        let message = "the invocation ran out of time".to_owned();
        Self::without_response(operation, ErrorKind::OutOfTime, message)
    }

    /// A call that was not made, because there is nothing to sign it with.
    pub fn unsigned(operation: Operation) -> Self {
        let message = "the environment has no Region, or no credentials".to_owned();
        Self::without_response(operation, ErrorKind::NotSent, message)
    }

    /// A call that was given up after this time.
    pub fn too_slow(operation: Operation, after: Duration) -> Self {
        let message = format!("no answer within {} seconds", after.as_secs());
        Self::without_response(operation, ErrorKind::NoAnswer, message)
    }

    /// A response that cannot be read, for this reason.
    pub fn malformed(operation: Operation, reason: String) -> Self {
        Self::without_response(operation, ErrorKind::Other, reason)
    }

    /// A list whose page has its own token as that of the next page, so that it would never end.
    pub fn endless(operation: Operation) -> Self {
        let message = "the token for the next page is the same as for this page".to_owned();
        Self::without_response(operation, ErrorKind::Other, message)
    }

    /// A description whose ARN is not that of a Lambda function, for this reason.
    pub fn no_function(reason: String) -> Self {
        Self::without_response(Operation::DescribeConnector, ErrorKind::NoFunction, reason)
    }

    /// A description without an ARN of a Lambda function.
    pub fn provided_by_aws() -> Self {
        let message = "it has no `connectorProvisioningConfig.lambda.lambdaArn`".to_owned();
        Self::without_response(
            Operation::DescribeConnector,
            ErrorKind::ProvidedByAws,
            message,
        )
    }

    fn without_response(operation: Operation, kind: ErrorKind, message: String) -> Self {
        Self {
            operation,
            kind,
            code: None,
            message,
            request_id: None,
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation;
        let message = &self.message;
        match (&self.code, self.kind) {
            (Some(code), _) => write!(f, "{operation} failed with {code}: {message}")?,
            (None, ErrorKind::OutOfTime) => write!(f, "timed out while waiting for {operation}")?,
            (None, _) => write!(f, "{operation} failed: {message}")?,
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again_is_what_can_pass_within_seconds() {
        for (kind, transient) in [
            (ErrorKind::AccessDenied, false),
            (ErrorKind::NotFound, false),
            (ErrorKind::Invalid, false),
            (ErrorKind::QuotaExceeded, false),
            (ErrorKind::ConnectorAuthentication, false),
            (ErrorKind::ConnectorServer, true),
            (ErrorKind::Conflict, true),
            (ErrorKind::Exists, false),
            (ErrorKind::Throttled, true),
            (ErrorKind::Internal, true),
            (ErrorKind::NoAnswer, true),
            (ErrorKind::OutOfTime, false),
            (ErrorKind::NoFunction, false),
            (ErrorKind::ProvidedByAws, false),
            (ErrorKind::Other, false),
        ] {
            assert_eq!(kind.is_transient(), transient, "{kind:?}");
        }
    }

    #[test]
    fn an_error_says_which_call_failed_and_repeats_the_service_s_words() {
        let error = |kind, code: Option<&str>, request_id: Option<&str>| {
            let error = ServiceError {
                operation: Operation::AddPermission,
                kind,
                code: code.map(str::to_owned),
                message: "its words".to_owned(),
                request_id: request_id.map(str::to_owned),
            };
            error.to_string()
        };
        let (other, late) = (ErrorKind::Other, ErrorKind::OutOfTime);
        assert_eq!(
            error(other, Some("SomeException"), Some("abc")),
            "AddPermission failed with SomeException: its words (request id abc)"
        );
        assert_eq!(error(other, None, None), "AddPermission failed: its words");
        assert_eq!(
            error(late, None, None),
            "timed out while waiting for AddPermission"
        );
    }
}
