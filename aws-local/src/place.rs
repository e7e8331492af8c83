//! The partition, Region, account, and function name that everything here uses.

/// The partition.
pub const PARTITION: &str = "aws";
/// The Region.
pub const REGION: &str = "us-east-1";
/// The account of the registrations, and of functions whose ARN names no other.
pub const ACCOUNT: &str = "123456789012";
/// The function name of the updater, for `Invoke`.
pub const UPDATER: &str = "connector-updater";

/// The unqualified ARN of a function of this account.
pub fn function_arn(name: &str) -> String {
    format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{name}")
}
