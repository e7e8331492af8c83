//! The AWS CLI command that allows AppFlow to invoke a version or alias.

use std::fmt;

use crate::aws::lambda::{APPFLOW, STATEMENT_ID};
use crate::model::function_arn::FunctionArn;
use crate::model::registration::AppFlowSource;

/// Displays as that command.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllowAppFlowCommand<'a> {
    /// The version or alias.
    pub(super) arn: &'a FunctionArn,
    /// The AppFlow that may invoke it.
    pub(super) source: &'a AppFlowSource,
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
