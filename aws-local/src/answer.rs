//! A service's response, in the restJson1 protocol.

use serde_json::{Value, json};

/// A response, or a modeled error.
pub type Answer = Result<Value, ApiError>;

/// An error of a service, as the SDKs read it: a name in `x-amzn-ErrorType`, a status, a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The error's name, such as `ValidationException`.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The message.
    pub message: String,
}

impl ApiError {
    /// An error by name, with its status from the services' API pages, or 400 if it is on none of them.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let status = match code {
            "ConnectorAuthenticationException" => 401,
            "ServiceQuotaExceededException" => 402,
            "AccessDeniedException" => 403,
            "ResourceNotFoundException" => 404,
            "ConflictException" | "ResourceConflictException" => 409,
            "ThrottlingException" | "TooManyRequestsException" => 429,
            "InternalServerException" | "ServiceException" => 500,
            _ => 400,
        };
        Self {
            code: code.to_owned(),
            status,
            message: message.into(),
        }
    }

    /// The body of the response. The SDKs read `message` as well as `Message`.
    pub fn body(&self) -> Value {
        json!({ "message": self.message })
    }
}
