//! AppFlow: list, describe and update registrations.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_appflow::Client;
use aws_sdk_appflow::config::interceptors::InterceptorContext;
use aws_sdk_appflow::config::retry::{
    ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket,
};
use aws_sdk_appflow::config::timeout::TimeoutConfig;
use aws_sdk_appflow::error::ProvideErrorMetadata;
use aws_sdk_appflow::operation::update_connector_registration::UpdateConnectorRegistrationError;
use aws_sdk_appflow::types::{
    ConnectorDetail, ConnectorProvisioningConfig, ConnectorType, LambdaConnectorProvisioningConfig,
};

use crate::aws::deadline::Deadline;
use crate::aws::patience::patiently;
use crate::aws::service_error::{Operation, ServiceError};
use crate::model::client_token::ClientToken;
use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};

/// The most that ListConnectors gives on a page (`maxResults`; its default is 20).
const PAGE: i32 = 100;
/// First try and retries of one call. With the SDK's exponential backoff from one second, the
/// retries take up to 15 seconds: enough for a cold connector that missed AppFlow's 10 seconds.
const ATTEMPTS: u32 = 5;
/// One attempt. An update lasts as long as AppFlow waits for the connector, which is 10 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// All attempts of one call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// AppFlow's custom connectors in this account and Region.
#[derive(Clone, Debug)]
pub struct AppFlow {
    client: Client,
}

/// Why a registration could not be described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescribeError {
    /// There is no such registration.
    NotFound,
    /// AppFlow did not answer the call.
    Call(ServiceError),
    /// AppFlow's answer has no Lambda function in it.
    NoFunction(String),
}

impl AppFlow {
    /// A client with bounded attempts, which takes seconds over the errors of a cold connector.
    pub fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_appflow::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .retry_classifier(LongerRetries)
            .retry_partition(retry_partition("appflow"))
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .operation_timeout(CALL_TIMEOUT)
                    .build(),
            )
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// The labels of all connectors that a Lambda function provides: every page of ListConnectors,
    /// without AppFlow's own connectors. The list does not say which function.
    pub async fn labels(&self, deadline: Deadline) -> Result<Vec<String>, ServiceError> {
        let mut labels = Vec::new();
        let mut next = None;
        loop {
            let page = patiently(deadline, async || {
                self.client
                    .list_connectors()
                    .max_results(PAGE)
                    .set_next_token(next.clone())
                    .send()
                    .await
                    .map_err(|error| ServiceError::new(Operation::ListConnectors, error))
            })
            .await?;
            labels.extend(
                page.connectors
                    .unwrap_or_default()
                    .into_iter()
                    .filter(is_provided_by_lambda)
                    .filter_map(|connector| {
                        if connector.connector_label.is_none() {
                            tracing::warn!(
                                connectorName = connector.connector_name,
                                "AppFlow lists a connector without its label; it cannot be updated"
                            );
                        }
                        connector.connector_label
                    }),
            );
            next = match page.next_token.filter(|token| !token.is_empty()) {
                None => return Ok(labels),
                token if token == next => {
                    return Err(ServiceError::endless(Operation::ListConnectors));
                }
                token => token,
            };
        }
    }

    /// What AppFlow knows about one registration.
    pub async fn describe(
        &self,
        label: &ConnectorLabel,
        deadline: Deadline,
    ) -> Result<Registration, DescribeError> {
        let output = patiently(deadline, async || {
            self.client
                .describe_connector()
                .connector_type(ConnectorType::Customconnector)
                .connector_label(label.as_str())
                .send()
                .await
                .map_err(|error| ServiceError::new(Operation::DescribeConnector, error))
        })
        .await
        .map_err(|error| {
            if error.is("ResourceNotFoundException") {
                DescribeError::NotFound
            } else {
                DescribeError::Call(error)
            }
        })?;
        let configuration = output.connector_configuration;
        let arn = configuration
            .as_ref()
            .and_then(|configuration| configuration.connector_provisioning_config.as_ref())
            .and_then(|provisioning| provisioning.lambda.as_ref())
            .map(|lambda| lambda.lambda_arn.as_str());
        let Some(arn) = arn else {
            return Err(DescribeError::NoFunction(
                "DescribeConnector answered without `connectorProvisioningConfig.lambda.lambdaArn`"
                    .to_owned(),
            ));
        };
        let function_arn: FunctionArn = arn.parse().map_err(|error| {
            DescribeError::NoFunction(format!("DescribeConnector answered an ARN, but {error}"))
        })?;
        Ok(Registration {
            function_arn,
            source: configuration
                .as_ref()
                .and_then(|configuration| configuration.connector_arn.as_deref())
                .and_then(AppFlowSource::of_connector),
            description: configuration
                .and_then(|configuration| configuration.connector_description)
                .filter(|description| !description.is_empty()),
        })
    }

    /// Makes AppFlow read the connector's configuration anew from the function behind `arn`.
    pub async fn update(
        &self,
        label: &ConnectorLabel,
        arn: &FunctionArn,
        description: Option<&Description>,
        token: &ClientToken,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let lambda = LambdaConnectorProvisioningConfig::builder()
            .lambda_arn(arn.to_string())
            .build()
            // The builder refuses only a missing ARN.
            .map_err(|error| {
                ServiceError::new(
                    Operation::UpdateConnectorRegistration,
                    aws_sdk_appflow::error::SdkError::<UpdateConnectorRegistrationError, _>::construction_failure(error),
                )
            })?;
        let provisioning = ConnectorProvisioningConfig::builder()
            .lambda(lambda)
            .build();
        patiently(deadline, async || {
            self.client
                .update_connector_registration()
                .connector_label(label.as_str())
                .connector_provisioning_config(provisioning.clone())
                .set_description(description.map(ToString::to_string))
                .client_token(token.as_str())
                .send()
                .await
                .map_err(|error| ServiceError::new(Operation::UpdateConnectorRegistration, error))
        })
        .await?;
        Ok(())
    }
}

/// AppFlow has been seen to write these names in other cases than its API model does.
fn is_provided_by_lambda(connector: &ConnectorDetail) -> bool {
    match (
        &connector.connector_provisioning_type,
        &connector.connector_type,
    ) {
        (Some(provisioning), _) => provisioning.as_str().eq_ignore_ascii_case("lambda"),
        (None, Some(connector_type)) => connector_type
            .as_str()
            .eq_ignore_ascii_case("customconnector"),
        (None, None) => false,
    }
}

/// A retry quota of this client's own. The SDK's default one is shared by the process and is only
/// given back by calls that succeed: after a bad spell, an execution environment that Lambda keeps
/// for hours would not retry any more. This one also fills up again by itself.
pub(crate) fn retry_partition(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name)
        .token_bucket(TokenBucket::builder().refill_rate(10.0).build())
        .build()
}

/// Retries of an update that take seconds.
///
/// The SDK does not retry `ConnectorServerException` and `ConflictException` at all. AppFlow gives
/// the first when the connector's function was cold and missed its 10 seconds, or when Lambda was
/// waking it, and the second while it works on another change of the same registration: both pass.
/// `InternalServerException` the SDK does retry, but within the first half second. Classed with
/// throttling errors, all three get the backoff that starts at one second.
#[derive(Debug)]
struct LongerRetries;

impl ClassifyRetry for LongerRetries {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let code = context
            .output_or_error()
            .and_then(|result| result.err())
            .and_then(|error| error.as_operation_error())
            .and_then(|error| error.downcast_ref::<UpdateConnectorRegistrationError>())
            .and_then(ProvideErrorMetadata::code);
        match code {
            Some(
                code @ ("ConnectorServerException"
                | "ConflictException"
                | "InternalServerException"),
            ) => {
                tracing::warn!(
                    code,
                    "UpdateConnectorRegistration failed with an error that may pass"
                );
                RetryAction::throttling_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "LongerRetries"
    }
}
