//! A custom connector's registration in AppFlow.

use std::fmt;
use std::str::FromStr;

use crate::model::evidence::Configuration;
use crate::model::function_arn::FunctionArn;

/// The longest connector label (UpdateConnectorRegistration, `connectorLabel`).
const LABEL_MAX: usize = 256;

/// A valid connector label: at most 256 characters of the pattern `[a-zA-Z0-9][\w!@#.-]+`
/// (UpdateConnectorRegistration, `connectorLabel`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectorLabel(String);

/// Text that is not a valid connector label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error(
    "`{0}` is not a connector label: expected 2 to 256 characters, the first a letter or digit, the \
     rest letters, digits, or any of _!@#.-"
)]
pub struct InvalidLabel(String);

/// A connector that is to be described.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Its label.
    pub label: ConnectorLabel,
    /// Whether AppFlow lists it with AWS as its owner. Such a connector may have no function, or may not
    /// be described at all; that is nobody's failure.
    pub owned_by_aws: bool,
}

/// A custom connector's registration, as DescribeConnector returns it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    /// The connector's function, with the qualifier that it was registered with.
    pub function_arn: FunctionArn,
    /// The connector's description. It may have characters that an update must not have.
    pub description: Option<String>,
    /// AppFlow's copy of the connector's configuration.
    pub configuration: Configuration,
}

/// The AppFlow of one account and Region, which a function's resource policy can let invoke it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppFlowSource {
    /// The `SourceAccount` for a permission.
    pub account: String,
    /// The `SourceArn` for a permission: every resource of this AppFlow.
    pub arn: String,
}

impl AppFlowSource {
    /// The AppFlow of a function's own account and Region.
    pub fn of_function(arn: &FunctionArn) -> Self {
        let (partition, function) = (arn.partition(), arn.function());
        let (region, account) = (function.region(), function.account());
        Self {
            account: account.to_owned(),
            arn: format!("arn:{partition}:appflow:{region}:{account}:*"),
        }
    }
}

impl ConnectorLabel {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectorLabel {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let mut bytes = text.bytes();
        let first = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest = bytes.all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'!' | b'@' | b'#' | b'.' | b'-')
        });
        if first && rest && (2..=LABEL_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLabel(text.chars().take(LABEL_MAX + 1).collect()))
        }
    }
}

impl fmt::Display for ConnectorLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_api_page() {
        let longest = "a".repeat(256);
        for text in ["ab", "a1", "1a", "acme-crm", "A_!@#.-", longest.as_str()] {
            assert_eq!(text.parse::<ConnectorLabel>().unwrap().as_str(), text);
        }
        let too_long = "a".repeat(257);
        for text in [
            "", "a", "-a", "_a", "a b", "a/b", "a:b", "aé", "éa", "a,b", &too_long,
        ] {
            assert!(text.parse::<ConnectorLabel>().is_err(), "{text}");
        }
        let label: ConnectorLabel = "acme-crm".parse().unwrap();
        assert_eq!(label.to_string(), "acme-crm");
    }

    #[test]
    fn an_invalid_label_is_cut_in_its_error() {
        let told = |text: &str| text.parse::<ConnectorLabel>().unwrap_err().to_string();
        // One character more than a label can have, so that an error shows that there are too many.
        let too_long = "a".repeat(257);
        assert!(told(&too_long).starts_with(&format!("`{too_long}` is not a connector label")));
        assert_eq!(told(&"a".repeat(1_000_000)), told(&too_long));
    }
}
