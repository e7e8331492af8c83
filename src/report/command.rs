//! AWS CLI commands for the operator.

use crate::aws::lambda::{APPFLOW, STATEMENT_ID};
use crate::model::function_arn::{FunctionArn, Qualifier};
use crate::model::registration::AppFlowSource;

/// The command with which this AppFlow may invoke this version or alias.
pub(super) fn allow_appflow(arn: &FunctionArn, appflow: &AppFlowSource) -> String {
    let function = arn.with_qualifier(None);
    let region = arn.function().region();
    let qualifier = arn.qualifier();
    let qualifier = qualifier.map_or_else(String::new, |name| format!(" --qualifier '{name}'"));
    let (account, source) = (&appflow.account, &appflow.arn);
    format!(
        "aws lambda add-permission --region {region} --function-name {function}{qualifier} \
         --statement-id {STATEMENT_ID} --action lambda:InvokeFunction --principal {APPFLOW} \
         --source-account {account} --source-arn '{source}'"
    )
}

/// The command that sends all traffic of an alias to its own version.
pub(super) fn clear_weights(arn: &FunctionArn, alias: &Qualifier) -> String {
    let function = arn.with_qualifier(None);
    let region = arn.function().region();
    format!(
        "aws lambda update-alias --region {region} --function-name {function} --name '{alias}' \
         --routing-config '{{\"AdditionalVersionWeights\":{{}}}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_as_a_shell_takes_them() {
        let arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:crm:7";
        let appflow = AppFlowSource {
            account: "111122223333".to_owned(),
            arn: "arn:aws-cn:appflow:cn-north-1:111122223333:*".to_owned(),
        };
        let command = allow_appflow(&arn.parse().unwrap(), &appflow);
        assert_eq!(
            command,
            "aws lambda add-permission --region cn-north-1 \
             --function-name arn:aws-cn:lambda:cn-north-1:123456789012:function:crm \
             --qualifier '7' --statement-id connector-updater-appflow \
             --action lambda:InvokeFunction --principal appflow.amazonaws.com \
             --source-account 111122223333 \
             --source-arn 'arn:aws-cn:appflow:cn-north-1:111122223333:*'"
        );
        let arn: FunctionArn = "arn:aws:lambda:us-east-1:123456789012:function:crm:live"
            .parse()
            .unwrap();
        let alias = arn.qualifier().unwrap();
        assert_eq!(
            clear_weights(&arn, alias),
            "aws lambda update-alias --region us-east-1 \
             --function-name arn:aws:lambda:us-east-1:123456789012:function:crm --name 'live' \
             --routing-config '{\"AdditionalVersionWeights\":{}}'"
        );
    }
}
