//! Lambda's calls: read a function's configuration, list its versions, and let AppFlow invoke one.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Config, SharedCredentialsProvider};

use crate::aws::access::Access;
use crate::aws::call::{Calls, retry_partition};
use crate::aws::error::service_error;
use crate::model::function_arn::{FunctionArn, Qualifier};
use crate::model::readiness::{Found, FunctionState, Look};
use crate::model::registration::AppFlowSource;
use crate::model::service_error::{ErrorKind, Operation, ServiceError};
use crate::model::versions::Versions;

/// First try and retries of one call.
const ATTEMPTS: u32 = 5;
/// One attempt. Lambda waits for nothing in these calls.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// All attempts of one call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The statement that lets AppFlow invoke a version, in that version's resource policy.
pub(crate) const STATEMENT_ID: &str = "connector-updater-appflow";
/// AppFlow's service principal.
pub(crate) const APPFLOW: &str = "appflow.amazonaws.com";

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
        .retry_partition(retry_partition("lambda"))
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
    config.set_endpoint_url(access.lambda.clone());
    Client::from_conf(config.build())
}

impl Calls<'_> {
    /// Reads the configuration of exactly this function, version, or alias.
    pub async fn look(&self, arn: &FunctionArn) -> Result<Look, ServiceError> {
        let operation = Operation::GetFunctionConfiguration;
        let output = self
            .make(operation, async {
                self.lambda
                    .get_function_configuration()
                    .function_name(arn.with_qualifier(None).to_string())
                    .set_qualifier(arn.qualifier().map(ToString::to_string))
                    .send()
                    .await
                    .map_err(|error| service_error(operation, &error))
            })
            .await?;
        let state_reason_code = output.state_reason_code();
        let last_update_reason_code = output.last_update_status_reason_code();
        let readiness = FunctionState {
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
        Ok(Look {
            readiness,
            found: Found {
                version: output.version.unwrap_or_default(),
                code_sha256: output.code_sha256.unwrap_or_default(),
                last_modified: output.last_modified.unwrap_or_default(),
            },
        })
    }

    /// The published versions of the function of `arn`, from every page of ListVersionsByFunction.
    pub async fn versions(&self, arn: &FunctionArn) -> Result<Versions, ServiceError> {
        let operation = Operation::ListVersionsByFunction;
        let mut versions = Versions::default();
        let mut next = None;
        loop {
            let page = self
                .make(operation, async {
                    self.lambda
                        .list_versions_by_function()
                        .function_name(arn.with_qualifier(None).to_string())
                        .set_marker(next.clone())
                        .send()
                        .await
                        .map_err(|error| service_error(operation, &error))
                })
                .await?;
            for described in page.versions() {
                if let Some(Ok(Qualifier::Version(version))) = described.version().map(str::parse) {
                    versions.add(version, described.code_sha256().unwrap_or_default());
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
        source: &AppFlowSource,
    ) -> Result<(), ServiceError> {
        let operation = Operation::AddPermission;
        let added = self.make(operation, async {
            self.lambda
                .add_permission()
                .function_name(arn.with_qualifier(None).to_string())
                .set_qualifier(arn.qualifier().map(ToString::to_string))
                .statement_id(STATEMENT_ID)
                .action("lambda:InvokeFunction")
                .principal(APPFLOW)
                .source_account(&source.account)
                .source_arn(source.arn())
                .send()
                .await
                .map_err(|error| service_error(operation, &error))
        });
        match added.await {
            Err(error) if error.kind != ErrorKind::Exists => Err(error),
            _ => Ok(()),
        }
    }
}
