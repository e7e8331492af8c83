//! What an update sends, as a value.

use crate::model::client_token::ClientToken;
use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::ConnectorLabel;

/// The parameters of one call to UpdateConnectorRegistration. A dry run does not send them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// `connectorLabel`.
    pub label: ConnectorLabel,
    /// `connectorProvisioningConfig.lambda.lambdaArn`.
    pub target: FunctionArn,
    /// `description`; `None` leaves it out.
    pub description: Option<Description>,
    /// `clientToken`.
    pub token: ClientToken,
}
