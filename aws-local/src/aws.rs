//! AppFlow and Lambda in memory, and how a test acts on them from outside.

use std::sync::MutexGuard;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::faults::Fault;
use crate::services::{self, Dropped};
use crate::world::{Call, Shared, World, lock};

/// AppFlow and Lambda, shared by its clones. There is no port and no thread: requests go to
/// [`Aws::respond`].
#[derive(Clone, Default)]
pub struct Aws {
    world: Shared,
}

impl Aws {
    /// An account in which nothing is deployed or registered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the wall clock of both services, which goes as tokio's clock does.
    pub fn set_time(&self, now: SystemTime) {
        let clock = Clock::showing(now);
        let mut world = self.state();
        world.lambda.clock = clock;
        world.appflow.clock = clock;
    }

    /// Handles one request to AppFlow or Lambda exactly as the port would, faults included. It needs a
    /// tokio runtime, and uses its clock, which may be paused.
    pub async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        services::respond(&self.world, request).await
    }

    /// The world behind the port. No request is handled while the guard exists.
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

    /// Makes every open TLS connection carry nothing from now on: see [`World::fall_silent`].
    pub fn fall_silent(&self) {
        self.state().fall_silent();
    }

    /// Runs a hook once, right before the work of the next such call: see [`World::once_before`].
    pub fn once_before(
        &self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.state().once_before(calls, hook);
    }

    /// Runs a hook once, right after the work of the next such call and before its response: see
    /// [`World::once_after`].
    pub fn once_after(
        &self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.state().once_after(calls, hook);
    }

    /// The calls through the port since the last call of this method.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// The events of deployments since the last call of this method.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().events)
    }

    /// For each registration its label, the connector version that AppFlow has stored, and the one that
    /// its function would return now.
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
