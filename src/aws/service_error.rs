//! The calls that this function makes, and what an AWS service said instead of an answer.

use std::fmt;

use aws_sdk_appflow::config::http::HttpResponse;
use aws_sdk_appflow::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_appflow::operation::RequestId;

/// A call of AppFlow or Lambda. These are all that there are: no call's failure can be told without
/// one, and the template's permissions are held against the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Lambda's AddPermission.
    AddPermission,
}

impl Operation {
    /// Every call.
    pub const ALL: [Self; 6] = [
        Self::ListConnectors,
        Self::DescribeConnector,
        Self::UpdateConnectorRegistration,
        Self::GetFunctionConfiguration,
        Self::ListVersionsByFunction,
        Self::AddPermission,
    ];

    /// The IAM action that allows it, as the service authorization reference has it.
    pub fn action(self) -> &'static str {
        match self {
            Self::ListConnectors => "appflow:ListConnectors",
            Self::DescribeConnector => "appflow:DescribeConnector",
            Self::UpdateConnectorRegistration => "appflow:UpdateConnectorRegistration",
            Self::GetFunctionConfiguration => "lambda:GetFunctionConfiguration",
            Self::ListVersionsByFunction => "lambda:ListVersionsByFunction",
            Self::AddPermission => "lambda:AddPermission",
        }
    }

    /// Its name in the service's API.
    pub fn name(self) -> &'static str {
        let action = self.action();
        action.split_once(':').map_or(action, |(_, name)| name)
    }
}

/// A call that failed after its retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    operation: Operation,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

impl ServiceError {
    /// Takes from an SDK error what an operator needs.
    pub fn new<E>(operation: Operation, error: SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + RequestId + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let request_id = error.request_id().map(str::to_owned);
        let message = match (&code, error.message(), error.raw_response()) {
            (Some(_), message, _) => message.unwrap_or("(no message)").to_owned(),
            // An answer that is not the service's, from a proxy for instance.
            (None, _, Some(response)) => {
                format!("HTTP status {}", response.status().as_u16())
            }
            (None, _, None) => DisplayErrorContext(&error).to_string(),
        };
        Self {
            operation,
            code,
            message,
            request_id,
        }
    }

    /// A list of which a page names itself as the next one.
    pub fn endless(operation: Operation) -> Self {
        Self {
            operation,
            code: None,
            message: "the token for the next page is the one of this page".to_owned(),
            request_id: None,
        }
    }

    /// Whether the service gave this error's name.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the service refused the call for coming too fast: the names on the API pages of AppFlow
    /// and Lambda.
    pub fn is_throttling(&self) -> bool {
        self.is("ThrottlingException") || self.is("TooManyRequestsException")
    }

    /// What an operator does about it, by the service's name for the error.
    pub fn advice(&self) -> String {
        match self.code.as_deref() {
            Some("AccessDeniedException") => format!(
                "Check that the updater's role allows {} on the resource that the message names, \
                 and that the connector's function lets AppFlow invoke it",
                self.operation.action()
            ),
            Some("ValidationException") => {
                "The service does not take the request: compare the registration with the message"
                    .to_owned()
            }
            Some("ResourceNotFoundException") => {
                "Check that the registration and its function still exist".to_owned()
            }
            Some("ConflictException") => {
                "Something else is changing the registration, or a call with the same client token \
                 is under way: Lambda tries the event again"
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
                "The account's request rate is used up: Lambda tries the event again; for a sweep, \
                 name fewer labels at a time"
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
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            code,
            message,
            request_id,
        } = self;
        let operation = operation.name();
        match code {
            Some(code) => write!(f, "{operation} failed with {code}: {message}")?,
            None => write!(f, "{operation} got no answer: {message}")?,
        }
        match request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}
