//! AppFlow's calls: list, describe, and update registrations.

use std::collections::BTreeMap;
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
    /// The labels of all connectors that may be a Lambda function's, from every page of ListConnectors,
    /// each with whether AWS is the connector's owner. A connector that is registered while the list is
    /// read can be on two of its pages. The list does not include the functions' ARNs.
    pub async fn labels(&self) -> Result<BTreeMap<String, bool>, ServiceError> {
        let operation = Operation::ListConnectors;
        let mut labels = BTreeMap::new();
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
                        let owned_by_aws = is_owned_by_aws(&connector);
                        Some((connector.connector_label?, owned_by_aws))
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
            // The SDK reads a missing ARN as an empty one.
            .map(|lambda| lambda.lambda_arn.as_str())
            .filter(|arn| !arn.is_empty())
            .ok_or_else(ServiceError::provided_by_aws)?;
        let function_arn: FunctionArn = arn
            .parse()
            .map_err(|error: NotAFunction| ServiceError::no_function(error.to_string()))?;
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

/// Whether AWS is a connector's owner. The validator of the official custom connector SDK reserves owner
/// names that begin like this.
fn is_owned_by_aws(connector: &ConnectorDetail) -> bool {
    let owner = connector.connector_owner.as_deref().unwrap_or_default();
    let owner = owner.to_ascii_lowercase();
    ["aws", "amazon", "appflow"]
        .iter()
        .any(|reserved| owner.starts_with(reserved))
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
    let digests = members.map(|(name, value)| (name.clone(), digest(value)));
    Configuration::new(version.map(str::to_owned), digests)
}

/// A digest that is the same whatever the order of members and of list items is, at any depth: AppFlow
/// does not promise any, and none of its lists means something by its order.
fn digest(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Array(items) => {
            let mut items: Vec<u64> = items.iter().map(digest).collect();
            items.sort_unstable();
            ("list", items).hash(&mut hasher);
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name, digest(value)));
            let members: BTreeMap<&String, u64> = members.collect();
            ("object", members).hash(&mut hasher);
        }
        plain => plain.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn owners_that_begin_like_aws_s_own_names_are_aws() {
        for (owner, expected) in [
            (Some("AWS"), true),
            (Some("Amazon AppFlow"), true),
            (Some("appflow"), true),
            (Some("Amazon.com"), true),
            (Some("acme for aws"), false),
            (Some("acme"), false),
            (Some(""), false),
            (None, false),
        ] {
            let connector =
                ConnectorDetail::builder().set_connector_owner(owner.map(str::to_owned));
            assert_eq!(is_owned_by_aws(&connector.build()), expected, "{owner:?}");
        }
    }

    #[test]
    fn lists_with_other_items_or_another_number_of_them_differ() {
        let lists = [
            json!([]),
            json!([1]),
            json!([1, 1]),
            json!([1, 2]),
            json!([1, 1, 2]),
            json!([1, 2, 2]),
            json!([[1], [2]]),
            json!([[1, 2]]),
            json!({}),
            json!({ "1": 2 }),
            json!(["1", "2"]),
        ];
        for (i, one) in lists.iter().enumerate() {
            for other in &lists[..i] {
                assert_ne!(digest(one), digest(other), "{one}, {other}");
            }
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same value in an order that only depends on what is in it.
    fn in_order(value: &Value) -> Value {
        match value {
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(in_order).collect();
                items.sort_by_key(ToString::to_string);
                items.into()
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| (name.clone(), in_order(value)));
                let members: BTreeMap<String, Value> = members.collect();
                Value::Object(members.into_iter().collect())
            }
            plain => plain.clone(),
        }
    }

    /// The same value with every list the other way round.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().rev().map(reversed).collect(),
            Value::Object(members) => {
                let members = members.iter().rev();
                let members = members.map(|(name, value)| (name.clone(), reversed(value)));
                Value::Object(members.collect())
            }
            plain => plain.clone(),
        }
    }

    proptest! {
        #[test]
        fn two_values_have_the_same_digest_exactly_if_they_differ_in_order_only(
            one in values(), other in values(),
        ) {
            prop_assert_eq!(digest(&one), digest(&reversed(&one)));
            prop_assert_eq!(in_order(&one) == in_order(&other), digest(&one) == digest(&other));
        }
    }

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
