//! Lambda: whether a function is ready, its newest version, and who may invoke it.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;

use crate::aws::appflow::retry_partition;
use crate::aws::deadline::Deadline;
use crate::aws::patience::patiently;
use crate::aws::service_error::{Operation, ServiceError};
use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::readiness::{FunctionState, Readiness};
use crate::model::registration::AppFlowSource;

/// First try and retries of one call.
const ATTEMPTS: u32 = 5;
/// One attempt; none of these calls makes Lambda wait for anything.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// All attempts of one call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The statement that lets AppFlow invoke a version, in that version's resource policy.
pub const STATEMENT_ID: &str = "connector-updater-appflow";
const APPFLOW: &str = "appflow.amazonaws.com";

/// Lambda in this Region.
#[derive(Clone, Debug)]
pub struct Lambda {
    client: Client,
}

impl Lambda {
    /// A client with bounded attempts.
    pub fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_lambda::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .retry_partition(retry_partition("lambda"))
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

    /// Whether exactly this function, version or alias can be invoked now.
    pub async fn readiness(
        &self,
        arn: &FunctionArn,
        deadline: Deadline,
    ) -> Result<Readiness, ServiceError> {
        let output = patiently(deadline, async || {
            self.client
                .get_function_configuration()
                .function_name(arn.with_qualifier(None).to_string())
                .set_qualifier(arn.qualifier().map(ToString::to_string))
                .send()
                .await
                .map_err(|error| ServiceError::new(Operation::GetFunctionConfiguration, error))
        })
        .await?;
        let state_reason_code = output.state_reason_code();
        let last_update_reason_code = output.last_update_status_reason_code();
        Ok(FunctionState {
            state: output.state().map(|state| state.as_str()),
            state_reason: output
                .state_reason()
                .or(state_reason_code.map(|code| code.as_str())),
            last_update: output.last_update_status().map(|status| status.as_str()),
            last_update_reason: output
                .last_update_status_reason()
                .or(last_update_reason_code.map(|code| code.as_str())),
        }
        .readiness())
    }

    /// The highest version that is published of the function behind `arn`, over all pages of
    /// ListVersionsByFunction; `None` when there is only `$LATEST`.
    pub async fn newest_version(
        &self,
        arn: &FunctionArn,
        deadline: Deadline,
    ) -> Result<Option<Version>, ServiceError> {
        let mut newest = None;
        let mut next = None;
        loop {
            let page = patiently(deadline, async || {
                self.client
                    .list_versions_by_function()
                    .function_name(arn.with_qualifier(None).to_string())
                    .set_marker(next.clone())
                    .send()
                    .await
                    .map_err(|error| ServiceError::new(Operation::ListVersionsByFunction, error))
            })
            .await?;
            for version in page.versions() {
                if let Some(Ok(Qualifier::Version(version))) = version.version().map(str::parse) {
                    newest = newest.max(Some(version));
                }
            }
            next = match page.next_marker.filter(|marker| !marker.is_empty()) {
                None => return Ok(newest),
                marker if marker == next => {
                    return Err(ServiceError::endless(Operation::ListVersionsByFunction));
                }
                marker => marker,
            };
        }
    }

    /// Lets AppFlow invoke the version that `arn` names. A permission that is there already is
    /// left as it is: the statement's id is always the same, and Lambda refuses a second one.
    pub async fn allow_appflow(
        &self,
        arn: &FunctionArn,
        source: &AppFlowSource,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        patiently(deadline, async || {
            self.client
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
                .map_err(|error| ServiceError::new(Operation::AddPermission, error))
        })
        .await
        .map(drop)
        .or_else(|error| {
            if error.is("ResourceConflictException") {
                Ok(())
            } else {
                Err(error)
            }
        })
    }
}

/// Prints the AWS CLI's command for what [`Lambda::allow_appflow`] does.
#[derive(Clone, Copy, Debug)]
pub struct AllowAppFlowCommand<'a> {
    /// The version or alias to let AppFlow invoke.
    pub arn: &'a FunctionArn,
    /// The AppFlow to let in.
    pub source: &'a AppFlowSource,
}

impl fmt::Display for AllowAppFlowCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arn, source } = self;
        let function = arn.with_qualifier(None);
        let region = arn.function().region();
        write!(
            f,
            "aws lambda add-permission --region {region} --function-name {function}"
        )?;
        if let Some(qualifier) = arn.qualifier() {
            write!(f, " --qualifier '{qualifier}'")?;
        }
        write!(
            f,
            " --statement-id {STATEMENT_ID} --action lambda:InvokeFunction --principal {APPFLOW} \
             --source-account {} --source-arn '{}'",
            source.account,
            source.arn()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_that_a_shell_takes() {
        let command = AllowAppFlowCommand {
            arn: &"arn:aws-cn:lambda:cn-north-1:123456789012:function:crm:7"
                .parse()
                .unwrap(),
            source: &AppFlowSource {
                partition: "aws-cn".to_owned(),
                region: "cn-north-1".to_owned(),
                account: "111122223333".to_owned(),
            },
        };
        assert_eq!(
            command.to_string(),
            "aws lambda add-permission --region cn-north-1 \
             --function-name arn:aws-cn:lambda:cn-north-1:123456789012:function:crm \
             --qualifier '7' --statement-id connector-updater-appflow \
             --action lambda:InvokeFunction --principal appflow.amazonaws.com \
             --source-account 111122223333 \
             --source-arn 'arn:aws-cn:appflow:cn-north-1:111122223333:*'"
        );
    }
}
