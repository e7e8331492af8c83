//! What an AWS service, or the way to it, said instead of an answer.

use std::fmt;

use aws_sdk_appflow::config::http::HttpResponse;
use aws_sdk_appflow::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_appflow::operation::RequestId;

/// A call that failed after its retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    operation: &'static str,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

impl ServiceError {
    /// Takes from an SDK error what an operator needs. `operation` is the API's name.
    pub fn new<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Self
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

    /// Whether the service gave this error's name.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The service's name for the error; `None` where no service answered.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
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
