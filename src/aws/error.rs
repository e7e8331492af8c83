//! Classifies the SDK's errors into the kinds that the rest of the program acts on.

use aws_sdk_appflow::config::http::HttpResponse;
use aws_sdk_appflow::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_appflow::operation::RequestId;

use crate::model::service_error::{ErrorKind, Operation, ServiceError};

/// Keeps of an SDK error what an operator needs.
pub(super) fn service_error<E>(
    operation: Operation,
    error: &SdkError<E, HttpResponse>,
) -> ServiceError
where
    E: std::error::Error + ProvideErrorMetadata + RequestId + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    let message = match (&code, error.message(), error.raw_response()) {
        (Some(_), message, _) => message.unwrap_or("(no message)").to_owned(),
        // A response that is not the service's, such as a proxy's.
        (None, _, Some(response)) => format!("HTTP status {}", response.status().as_u16()),
        (None, _, None) => DisplayErrorContext(error).to_string(),
    };
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let kind = kind(operation, code.as_deref(), &message, status);
    ServiceError {
        operation,
        kind,
        code,
        message,
        request_id: error.request_id().map(str::to_owned),
    }
}

/// The kind of an error, by its name on the API pages of AppFlow and Lambda, or else by its HTTP status:
/// AWS's front ends have error names that are on neither.
fn kind(operation: Operation, code: Option<&str>, message: &str, status: Option<u16>) -> ErrorKind {
    match code {
        None => ErrorKind::NoAnswer,
        Some("AccessDeniedException") => ErrorKind::AccessDenied,
        Some("ResourceNotFoundException") => ErrorKind::NotFound,
        Some("ValidationException" | "InvalidParameterValueException") => ErrorKind::Invalid,
        Some("ServiceQuotaExceededException") => ErrorKind::QuotaExceeded,
        Some("ConnectorAuthenticationException") => ErrorKind::ConnectorAuthentication,
        Some("ConnectorServerException") => ErrorKind::ConnectorServer,
        // AddPermission has one name for two errors; only the messages differ.
        Some("ResourceConflictException")
            if operation == Operation::AddPermission && message.contains("already exists") =>
        {
            ErrorKind::Exists
        }
        Some("ConflictException" | "ResourceConflictException") => ErrorKind::Conflict,
        Some("ThrottlingException" | "TooManyRequestsException") => ErrorKind::Throttled,
        Some("InternalServerException" | "ServiceException") => ErrorKind::Internal,
        Some(code) if code.starts_with("Throttl") || status == Some(429) => ErrorKind::Throttled,
        Some(_) if status.is_some_and(|status| status >= 500) => ErrorKind::Internal,
        Some(_) => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_of_add_permission_is_one_of_two_things() {
        let exists = "The statement id (connector-updater-appflow) provided already exists. Please \
                      provide a new statement id, or remove the existing statement.";
        let busy = "The operation cannot be performed at this time. An update is in progress.";
        let code = Some("ResourceConflictException");
        let add = Operation::AddPermission;
        assert_eq!(kind(add, code, exists, None), ErrorKind::Exists);
        assert_eq!(kind(add, code, busy, None), ErrorKind::Conflict);
        let look = Operation::GetFunctionConfiguration;
        assert_eq!(kind(look, code, exists, None), ErrorKind::Conflict);
    }

    #[test]
    fn every_error_of_the_api_pages_has_its_kind() {
        for (code, expected) in [
            ("AccessDeniedException", ErrorKind::AccessDenied),
            ("ConflictException", ErrorKind::Conflict),
            (
                "ConnectorAuthenticationException",
                ErrorKind::ConnectorAuthentication,
            ),
            ("ConnectorServerException", ErrorKind::ConnectorServer),
            ("InternalServerException", ErrorKind::Internal),
            ("InvalidParameterValueException", ErrorKind::Invalid),
            ("ResourceNotFoundException", ErrorKind::NotFound),
            ("ServiceException", ErrorKind::Internal),
            ("ServiceQuotaExceededException", ErrorKind::QuotaExceeded),
            ("ThrottlingException", ErrorKind::Throttled),
            ("TooManyRequestsException", ErrorKind::Throttled),
            ("ValidationException", ErrorKind::Invalid),
            ("PolicyLengthExceededException", ErrorKind::Other),
        ] {
            let operation = Operation::UpdateConnectorRegistration;
            let status = Some(400);
            assert_eq!(kind(operation, Some(code), "", status), expected, "{code}");
        }
        let none = kind(
            Operation::ListConnectors,
            None,
            "HTTP status 502",
            Some(502),
        );
        assert_eq!(none, ErrorKind::NoAnswer);
    }

    #[test]
    fn an_error_of_another_name_is_told_by_its_status() {
        for (code, status, expected) in [
            ("ServiceUnavailable", 503, ErrorKind::Internal),
            ("InternalFailure", 500, ErrorKind::Internal),
            ("Throttling", 400, ErrorKind::Throttled),
            ("RequestLimitExceeded", 429, ErrorKind::Throttled),
            ("UnrecognizedClientException", 499, ErrorKind::Other),
        ] {
            let operation = Operation::UpdateConnectorRegistration;
            let kind = kind(operation, Some(code), "", Some(status));
            assert_eq!(kind, expected, "{code}");
        }
    }
}
