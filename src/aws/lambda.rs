//! Lambda's calls: read a function's configuration or an alias, list versions, and let AppFlow invoke one.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;

use crate::aws::call::{ATTEMPTS, Calls, retry_partition};
use crate::aws::clients::is_blank;
use crate::aws::give_up::GiveUp;
use crate::aws::pace::Pace;
use crate::model::alias::Alias;
use crate::model::function_arn::{FunctionArn, Qualifier, Versions};
use crate::model::function_state::{DeployedCode, FunctionState, Readiness, StateMembers};
use crate::model::registration::AppFlowSource;
use crate::model::service_error::{ErrorKind, Operation, ServiceError};

/// One attempt, from when it is sent until the response begins. Lambda waits for nothing in these calls.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The same, with the time until it is due, and with the rest of the response. As many requests wait as
/// registrations work at the same time, so they wait for a few seconds at most.
const PACED_ATTEMPT: Duration = Duration::from_secs(15);
/// The statement that lets AppFlow invoke a version, in that version's resource policy.
pub(crate) const STATEMENT_ID: &str = "connector-updater-appflow";
/// AppFlow's service principal.
pub(crate) const APPFLOW: &str = "appflow.amazonaws.com";

/// A client whose attempts and retries are limited in time.
pub(super) fn client(config: &SdkConfig, pace: &Pace) -> Client {
    let mut service = Builder::from(config)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .retry_partition(retry_partition("lambda"))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(PACED_ATTEMPT)
                .build(),
        )
        .interceptor(GiveUp);
    if let Some(client) = config.http_client() {
        service.set_http_client(Some(pace.client(&client, ATTEMPT)));
    }
    if is_blank("AWS_ENDPOINT_URL_LAMBDA") {
        service.set_endpoint_url(config.endpoint_url().map(str::to_owned));
    }
    Client::from_conf(service.build())
}

impl Calls<'_> {
    /// Reads the configuration of exactly this function, version, or alias. Of a function on Lambda Managed
    /// Instances, it reads `$LATEST.PUBLISHED` where the ARN has no qualifier, because that is what an
    /// invocation without one runs.
    pub async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let state = self.function_as_named(arn).await?;
        if state.readiness == Readiness::NonInvocable && arn.qualifier().is_none() {
            let published = arn.with_qualifier(Some(Qualifier::LatestPublished));
            return self.function_as_named(&published).await;
        }
        Ok(state)
    }

    /// Where an alias sends its traffic.
    pub async fn alias(&self, arn: &FunctionArn) -> Result<Alias, ServiceError> {
        let operation = Operation::GetAlias;
        let output = self.make(operation, async || {
            self.lambda
                .get_alias()
                .function_name(arn.with_qualifier(None).to_string())
                .set_name(arn.qualifier().map(ToString::to_string))
                .send()
                .await
        });
        let output = output.await?;
        let version = |text: &str| {
            text.parse::<Qualifier>()
                .map_err(|error| ServiceError::malformed(operation, error.to_string()))
        };
        let weights = output
            .routing_config
            .and_then(|config| config.additional_version_weights);
        let weights: Result<Vec<_>, _> = weights
            .into_iter()
            .flatten()
            .map(|(additional, weight)| Ok((version(&additional)?, weight)))
            .collect();
        let version = version(output.function_version.as_deref().unwrap_or_default())?;
        Ok(Alias::new(version, weights?))
    }

    async fn function_as_named(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let output = self.make(Operation::GetFunctionConfiguration, async || {
            self.lambda
                .get_function_configuration()
                .function_name(arn.with_qualifier(None).to_string())
                .set_qualifier(arn.qualifier().map(ToString::to_string))
                .send()
                .await
        });
        let output = output.await?;
        let state_reason_code = output.state_reason_code();
        let last_update_reason_code = output.last_update_status_reason_code();
        let readiness = StateMembers {
            state: output.state().map(|state| state.as_str()),
            state_reason: output
                .state_reason()
                .or(state_reason_code.map(|code| code.as_str())),
            last_update: output.last_update_status().map(|status| status.as_str()),
            last_update_reason: output
                .last_update_status_reason()
                .or(last_update_reason_code.map(|code| code.as_str())),
        }
        .readiness();
        Ok(FunctionState {
            readiness,
            code: DeployedCode {
                version: output.version.unwrap_or_default(),
                code_sha256: output.code_sha256.unwrap_or_default(),
                last_modified: output.last_modified.unwrap_or_default(),
            },
        })
    }

    /// The published versions of the function of `arn`, from every page of ListVersionsByFunction.
    pub async fn versions(&self, arn: &FunctionArn) -> Result<Versions, ServiceError> {
        let operation = Operation::ListVersionsByFunction;
        let mut versions = Versions::new();
        let mut next = None;
        loop {
            let page = self.make(operation, async || {
                self.lambda
                    .list_versions_by_function()
                    .function_name(arn.with_qualifier(None).to_string())
                    .set_marker(next.clone())
                    .send()
                    .await
            });
            let page = page.await?;
            for described in page.versions() {
                if let Some(Ok(Qualifier::Version(version))) = described.version().map(str::parse) {
                    versions.insert(version);
                }
            }
            next = match page.next_marker.filter(|marker| !marker.is_empty()) {
                None => return Ok(versions),
                marker if marker == next => return Err(ServiceError::endless(operation)),
                marker => marker,
            };
        }
    }

    /// Lets AppFlow invoke the version of `arn`. A permission that exists already is left unchanged: the
    /// statement id is always the same, and Lambda rejects a second statement with the same id.
    pub async fn allow_appflow(
        &self,
        arn: &FunctionArn,
        appflow: &AppFlowSource,
    ) -> Result<(), ServiceError> {
        let added = self.make(Operation::AddPermission, async || {
            self.lambda
                .add_permission()
                .function_name(arn.with_qualifier(None).to_string())
                .set_qualifier(arn.qualifier().map(ToString::to_string))
                .statement_id(STATEMENT_ID)
                .action("lambda:InvokeFunction")
                .principal(APPFLOW)
                .source_account(&appflow.account)
                .source_arn(&appflow.arn)
                .send()
                .await
        });
        match added.await {
            Err(error) if error.kind != ErrorKind::Exists => Err(error),
            _ => Ok(()),
        }
    }
}
