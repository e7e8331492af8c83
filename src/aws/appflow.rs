//! AppFlow's calls: list, describe, and update registrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_appflow::Client;
use aws_sdk_appflow::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_appflow::config::retry::RetryConfig;
use aws_sdk_appflow::config::timeout::TimeoutConfig;
use aws_sdk_appflow::config::{
    BehaviorVersion, Config, ConfigBag, Intercept, RuntimeComponents, SharedCredentialsProvider,
};
use aws_sdk_appflow::error::{BoxError, SdkError};
use aws_sdk_appflow::operation::update_connector_registration::UpdateConnectorRegistrationError;
use aws_sdk_appflow::types::{
    ConnectorDetail, ConnectorProvisioningConfig, ConnectorType, LambdaConnectorProvisioningConfig,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::aws::access::Access;
use crate::aws::call::{Calls, retry_partition};
use crate::aws::error::service_error;
use crate::model::evidence::Configuration;
use crate::model::function_arn::FunctionArn;
use crate::model::plan::Plan;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration, Undescribed};
use crate::model::service_error::{ErrorKind, Operation, ServiceError};

/// The largest page of ListConnectors (`maxResults`; its default is 20).
const PAGE: i32 = 100;
/// First try and retries of one call.
const ATTEMPTS: u32 = 5;
/// One attempt. An update takes as long as AppFlow waits for the connector, which is up to 10 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// All attempts of one call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// A client whose attempts and retries are limited in time.
pub(super) fn client(access: &Access) -> Client {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(access.region.clone())
        .use_fips(access.use_fips)
        .use_dual_stack(access.use_dual_stack)
        .http_client(access.http_client.clone())
        .time_source(access.time_source.clone())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .retry_partition(retry_partition("appflow"))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
    config.set_credentials_provider(
        access
            .credentials
            .clone()
            .map(SharedCredentialsProvider::new),
    );
    config.set_endpoint_url(access.appflow.clone());
    Client::from_conf(config.build())
}

impl Calls<'_> {
    /// The labels of all connectors that a Lambda function provides, from every page of ListConnectors.
    /// The list does not include the functions' ARNs.
    pub async fn labels(&self) -> Result<Vec<String>, ServiceError> {
        let operation = Operation::ListConnectors;
        let mut labels = Vec::new();
        let mut next = None;
        loop {
            let page = self.make(operation, async {
                self.appflow
                    .list_connectors()
                    .max_results(PAGE)
                    .set_next_token(next.clone())
                    .send()
                    .await
                    .map_err(|error| service_error(operation, &error))
            });
            let page = match page.await {
                Err(error) if error.kind == ErrorKind::Throttled && self.pause().await => continue,
                page => page?,
            };
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
                token if token == next => return Err(ServiceError::endless(operation)),
                token => token,
            };
        }
    }

    /// Describes one registration.
    pub async fn describe(&self, label: &ConnectorLabel) -> Result<Registration, Undescribed> {
        let operation = Operation::DescribeConnector;
        let body = Body::default();
        let output = self.make(operation, async {
            self.appflow
                .describe_connector()
                .connector_type(ConnectorType::Customconnector)
                .connector_label(label.as_str())
                .customize()
                .interceptor(body.clone())
                .send()
                .await
                .map_err(|error| service_error(operation, &error))
        });
        let output = output.await.map_err(Undescribed::Call)?;
        let configuration = output.connector_configuration;
        let arn = configuration
            .as_ref()
            .and_then(|configuration| configuration.connector_provisioning_config.as_ref())
            .and_then(|provisioning| provisioning.lambda.as_ref())
            .map(|lambda| lambda.lambda_arn.as_str());
        let Some(arn) = arn else {
            return Err(Undescribed::NoFunction(
                "DescribeConnector returned no `connectorProvisioningConfig.lambda.lambdaArn`"
                    .to_owned(),
            ));
        };
        let function_arn: FunctionArn = arn.parse().map_err(|error| {
            Undescribed::NoFunction(format!(
                "DescribeConnector returned an invalid ARN: {error}"
            ))
        })?;
        Ok(Registration {
            function_arn,
            source: configuration
                .as_ref()
                .and_then(|configuration| configuration.connector_arn.as_deref())
                .and_then(AppFlowSource::of_connector),
            configuration: body.configuration(),
            description: configuration
                .and_then(|configuration| configuration.connector_description)
                .filter(|description| !description.is_empty()),
        })
    }

    /// Updates a registration, so that AppFlow re-reads the connector's configuration from the plan's
    /// function. It is not retried here: before each retry, the registration is described again.
    pub async fn update(&self, plan: &Plan) -> Result<(), ServiceError> {
        let operation = Operation::UpdateConnectorRegistration;
        let lambda = LambdaConnectorProvisioningConfig::builder()
            .lambda_arn(plan.target.to_string())
            .build()
            // The builder rejects only a missing ARN.
            .map_err(|error| {
                let error =
                    SdkError::<UpdateConnectorRegistrationError, _>::construction_failure(error);
                service_error(operation, &error)
            })?;
        let provisioning = ConnectorProvisioningConfig::builder()
            .lambda(lambda)
            .build();
        let once = aws_sdk_appflow::config::Builder::new()
            .retry_config(RetryConfig::standard().with_max_attempts(1));
        self.make(operation, async {
            self.appflow
                .update_connector_registration()
                .connector_label(plan.label.as_str())
                .connector_provisioning_config(provisioning)
                .set_description(plan.description.as_ref().map(ToString::to_string))
                .client_token(plan.token.as_str())
                .customize()
                .config_override(once)
                .send()
                .await
                .map_err(|error| service_error(operation, &error))
        })
        .await?;
        Ok(())
    }
}

/// Compares case-insensitively: a recorded response has `CUSTOMCONNECTOR` and `Lambda` where the API
/// model has `CustomConnector` and `LAMBDA`.
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

/// Keeps the body of DescribeConnector's response: evidence covers all of its members, including those
/// that this release of the SDK does not know.
#[derive(Clone, Debug, Default)]
struct Body(Arc<Mutex<Configuration>>);

impl Body {
    fn configuration(&self) -> Configuration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = configuration(body);
        Ok(())
    }
}

/// The connector's configuration in a response body; empty if there is none.
fn configuration(body: &[u8]) -> Configuration {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        connector_configuration: Map<String, Value>,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Configuration::default();
    };
    let members = answer.connector_configuration;
    let version = members.get("connectorVersion").and_then(Value::as_str);
    Configuration::new(
        version.map(str::to_owned),
        members
            .iter()
            // `null` is the same as an absent member.
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let mut digest = DefaultHasher::new();
                value.hash(&mut digest);
                (name.clone(), digest.finish())
            }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_and_missing_values_make_no_difference() {
        let one = configuration(
            br#"{"connectorConfiguration": {"connectorVersion": "1.0", "a": {"b": 1, "c": 2}}}"#,
        );
        let other = configuration(
            br#"{"connectorConfiguration": {"a": {"c": 2, "b": 1}, "connectorVersion": "1.0", "d": null}}"#,
        );
        assert_eq!(one, other);
        assert_eq!(one.version.as_deref(), Some("1.0"));
        let changed = configuration(
            br#"{"connectorConfiguration": {"connectorVersion": "1.0", "a": {"b": 1, "c": 3}}}"#,
        );
        assert_eq!(one.evidence(&changed).changed, ["a"]);
        assert_eq!(configuration(b"nonsense"), Configuration::default());
    }
}
