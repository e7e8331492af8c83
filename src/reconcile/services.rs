//! The seam between a round and AWS: what a round asks.

use crate::model::alias::Alias;
use crate::model::function_arn::{FunctionArn, Versions};
use crate::model::function_state::FunctionState;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::service_error::ServiceError;
use crate::model::update::Update;

/// What a round of one registration asks, one question after another. A question that the invocation has
/// no time for is answered with [`ErrorKind::OutOfTime`](crate::model::service_error::ErrorKind).
///
/// One implementation asks AWS; in the tests, others answer from a script, so that every order of
/// answers can be tried on the code that runs.
#[allow(async_fn_in_trait)] // a round runs on one thread
pub trait Services {
    /// DescribeConnector, to decide.
    async fn observe(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError>;
    /// Whether the last observation is recent enough to update by.
    async fn is_fresh(&self) -> bool;
    /// DescribeConnector, to see what an update changed. This must not hold up a finished update for
    /// long.
    async fn evidence(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError>;
    /// GetAlias.
    async fn alias(&self, alias: &FunctionArn) -> Result<Alias, ServiceError>;
    /// GetFunctionConfiguration of what an invocation of exactly this ARN runs, and whether it is ready.
    async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError>;
    /// ListVersionsByFunction, with the version of `arn` wherever that exists.
    async fn versions(&self, arn: &FunctionArn) -> Result<Versions, ServiceError>;
    /// AddPermission, so that this AppFlow may invoke this version.
    async fn grant(
        &self,
        version: &FunctionArn,
        appflow: &AppFlowSource,
    ) -> Result<(), ServiceError>;
    /// UpdateConnectorRegistration, in one attempt.
    async fn update(&self, update: &Update) -> Result<(), ServiceError>;
}
