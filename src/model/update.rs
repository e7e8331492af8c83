//! What an update sends, as a value.

use std::time::Duration;

use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::ConnectorLabel;

/// The time after which AppFlow is assumed to have stored an update, or not to store it at all: it gives a
/// connector 10 seconds to respond (Amazon AppFlow user guide, custom connectors). How long storing takes
/// is not documented.
pub const STORED: Duration = Duration::from_secs(12);

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
