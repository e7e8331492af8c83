//! Where everything here is.

/// The partition.
pub const PARTITION: &str = "aws";
/// The Region.
pub const REGION: &str = "us-east-1";
/// The account that the registrations and, unless it is said otherwise, the functions belong to.
pub const ACCOUNT: &str = "123456789012";
/// The updater's name as a function, for `Invoke`.
pub const UPDATER: &str = "connector-updater";

/// The unqualified ARN of a function of this account.
pub fn function_arn(name: &str) -> String {
    format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{name}")
}
