//! AppFlow's calls: list, describe, and update registrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_appflow::Client;
use aws_sdk_appflow::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_appflow::config::retry::RetryConfig;
use aws_sdk_appflow::config::timeout::TimeoutConfig;
use aws_sdk_appflow::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_appflow::error::{BoxError, SdkError};
use aws_sdk_appflow::types::{
    ConnectorDetail, ConnectorProvisioningConfig, ConnectorType, LambdaConnectorProvisioningConfig,
};
use serde_json::Value;

use crate::aws::call::{ATTEMPTS, Calls, retry_partition};
use crate::aws::clients::is_blank;
use crate::aws::give_up::GiveUp;
use crate::model::evidence::Configuration;
use crate::model::function_arn::{FunctionArn, NotAFunction};

use crate::model::registration::{ConnectorLabel, Registration};
use crate::model::service_error::{Operation, ServiceError};
use crate::model::update::Update;

/// The largest page of ListConnectors (`maxResults`; its default is 20).
const PAGE: i32 = 100;
/// One attempt. AppFlow waits for nothing in its reads.
const ATTEMPT: Duration = Duration::from_secs(5);
/// An update takes as long as AppFlow waits for the connector, which is up to 10 seconds.
const UPDATE: Duration = Duration::from_secs(20);

/// A client whose attempts and retries are limited in time.
pub(super) fn client(config: &SdkConfig) -> Client {
    let mut service = Builder::from(config)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .retry_partition(retry_partition("appflow"))
        .timeout_config(attempts_of(ATTEMPT))
        .interceptor(GiveUp);
    if is_blank("AWS_ENDPOINT_URL_APPFLOW") {
        service.set_endpoint_url(config.endpoint_url().map(str::to_owned));
    }
    Client::from_conf(service.build())
}

fn attempts_of(time: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(time)
        .build()
}

impl Calls<'_> {
    /// The labels of all connectors that a Lambda function provides, from every page of ListConnectors.
    /// The list does not include the functions' ARNs.
    pub async fn labels(&self) -> Result<Vec<String>, ServiceError> {
        let operation = Operation::ListConnectors;
        let mut labels = Vec::new();
        let mut next = None;
        loop {
            let page = self.make(operation, async || {
                self.appflow
                    .list_connectors()
                    .max_results(PAGE)
                    .set_next_token(next.clone())
                    .send()
                    .await
            });
            let page = page.await?;
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
    pub async fn describe(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError> {
        let operation = Operation::DescribeConnector;
        let body = Body::default();
        let output = self.make(operation, async || {
            self.appflow
                .describe_connector()
                .connector_type(ConnectorType::Customconnector)
                .connector_label(label.as_str())
                .customize()
                .interceptor(body.clone())
                .send()
                .await
        });
        let output = output.await?;
        let configuration = output.connector_configuration;
        let arn = configuration
            .as_ref()
            .and_then(|configuration| configuration.connector_provisioning_config.as_ref())
            .and_then(|provisioning| provisioning.lambda.as_ref())
            .map(|lambda| lambda.lambda_arn.as_str());
        let arn = arn.ok_or("it has no `connectorProvisioningConfig.lambda.lambdaArn`".to_owned());
        let function_arn: FunctionArn = arn
            .and_then(|arn| arn.parse().map_err(|error: NotAFunction| error.to_string()))
            .map_err(ServiceError::no_function)?;
        Ok(Registration {
            function_arn,
            configuration: body.configuration(),
            description: configuration
                .and_then(|configuration| configuration.connector_description)
                .filter(|description| !description.is_empty()),
        })
    }

    /// Updates a registration, so that AppFlow re-reads the connector's configuration from the update's
    /// target. This is one attempt: before a retry, the registration is described again.
    pub async fn update(&self, update: &Update) -> Result<(), ServiceError> {
        let lambda = LambdaConnectorProvisioningConfig::builder()
            .lambda_arn(update.target.to_string())
            .build();
        let once = aws_sdk_appflow::config::Builder::new()
            .retry_config(RetryConfig::standard().with_max_attempts(1))
            .timeout_config(attempts_of(UPDATE));
        self.make_once(Operation::UpdateConnectorRegistration, async {
            // The builder rejects only a missing ARN.
            let lambda = lambda.map_err(SdkError::construction_failure)?;
            let provisioning = ConnectorProvisioningConfig::builder()
                .lambda(lambda)
                .build();
            self.appflow
                .update_connector_registration()
                .connector_label(update.label.as_str())
                .connector_provisioning_config(provisioning)
                .set_description(update.description.as_ref().map(ToString::to_string))
                .customize()
                .config_override(once)
                .send()
                .await
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
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let members = answer["connectorConfiguration"].as_object();
    let version = members.and_then(|members| members.get("connectorVersion")?.as_str());
    // `null` is the same as an absent member.
    let members = members
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let digests = members.map(|(name, value)| {
        let mut digest = DefaultHasher::new();
        value.hash(&mut digest);
        (name.clone(), digest.finish())
    });
    Configuration::new(version.map(str::to_owned), digests)
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
