//! AppFlow and Lambda in memory, and what happens to them from outside.

use std::sync::MutexGuard;

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::calls::Calls;
use crate::faults::Fault;
use crate::services::{self, Dropped};
use crate::world::{Call, Shared, World, lock};

/// AppFlow and Lambda, shared by its clones. Nothing listens and no thread runs: requests are handed
/// to [`Aws::respond`].
#[derive(Clone, Default)]
pub struct Aws {
    world: Shared,
}

impl Aws {
    /// An account in which nothing is deployed or registered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one request to AppFlow or Lambda exactly as the port would, faults included. It
    /// needs a tokio runtime, of any kind, and goes by its time, which may be paused.
    pub async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        services::respond(&self.world, request).await
    }

    /// Everything behind the port. Nothing is served while the guard lives.
    pub fn state(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn world(&self) -> &Shared {
        &self.world
    }

    /// Does what a call of AppFlow or Lambda does, without the wire: see [`World::call`].
    pub fn call(&self, operation: &str, input: Value) -> Answer {
        self.state().call(operation, &input)
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Has something happen once, right before the work of the next such call: see
    /// [`World::once_before`].
    pub fn once_before(
        &self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.state().once_before(calls, hook);
    }

    /// Has something happen once, right after the work of the next such call and before its answer:
    /// see [`World::once_after`].
    pub fn once_after(
        &self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.state().once_after(calls, hook);
    }

    /// The calls that came through the port since they were last taken.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// The events that deployments have caused since they were last taken.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().events)
    }

    /// What AppFlow would have if it re-read every registration at this moment: its label, and the
    /// connector version that AppFlow holds and that its function has.
    pub fn versions(&self) -> Vec<(String, Value, Value)> {
        let world = self.state();
        world
            .appflow
            .registrations()
            .iter()
            .map(|(label, registration)| {
                let current = world.lambda.configuration(&registration.lambda_arn);
                (
                    label.clone(),
                    registration.configuration["connectorVersion"].clone(),
                    current.map_or(json!(null), |current| current["connectorVersion"].clone()),
                )
            })
            .collect()
    }
}
