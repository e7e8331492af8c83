//! What an update sends, as a value.

use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::ConnectorLabel;

/// The parameters of one call to UpdateConnectorRegistration.
///
/// The client token is not among them: the SDK generates one for each call. A token that AppFlow has seen
/// in the last 8 hours makes it do nothing, and a refresh that may not happen is worse than one that
/// happens twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Update {
    /// `connectorLabel`.
    pub label: ConnectorLabel,
    /// `connectorProvisioningConfig.lambda.lambdaArn`.
    pub target: FunctionArn,
    /// `description`; `None` leaves it out.
    pub description: Option<Description>,
}
