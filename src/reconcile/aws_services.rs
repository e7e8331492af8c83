//! The questions of a round, asked of AWS.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::aws::call::Calls;
use crate::model::function_arn::{FunctionArn, Versions};
use crate::model::function_state::FunctionState;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::service_error::{Operation, ServiceError};
use crate::model::update::Update;
use crate::reconcile::services::Services;

/// How old an observation may be when its update is due: if more time has passed, calls were retried or
/// waited for their turn, and an operator may have changed the registration.
const FRESH: Duration = Duration::from_secs(2);
/// How long a finished update waits for its evidence.
const EVIDENCE: Duration = Duration::from_secs(5);

/// AWS, for one registration.
#[derive(Debug)]
pub struct AwsServices<'a> {
    calls: &'a Calls<'a>,
    /// When the last observation began.
    observed: Cell<Instant>,
}

impl<'a> AwsServices<'a> {
    /// The calls of an invocation.
    pub fn new(calls: &'a Calls<'a>) -> Self {
        let observed = Cell::new(Instant::now());
        Self { calls, observed }
    }
}

impl Services for AwsServices<'_> {
    async fn observe(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError> {
        self.observed.set(Instant::now());
        self.calls.describe(label).await
    }

    async fn is_fresh(&self) -> bool {
        self.observed.get().elapsed() <= FRESH
    }

    async fn evidence(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError> {
        let described = timeout(EVIDENCE, self.calls.describe(label)).await;
        described.unwrap_or(Err(ServiceError::too_slow(
            Operation::DescribeConnector,
            EVIDENCE,
        )))
    }

    async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        self.calls.function(arn).await
    }

    async fn versions(&self, function: &FunctionArn) -> Result<Versions, ServiceError> {
        self.calls.versions(function).await
    }

    async fn grant(
        &self,
        version: &FunctionArn,
        appflow: &AppFlowSource,
    ) -> Result<(), ServiceError> {
        self.calls.allow_appflow(version, appflow).await
    }

    async fn update(&self, update: &Update) -> Result<(), ServiceError> {
        self.calls.update(update).await
    }
}
