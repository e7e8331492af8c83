//! Everything that is behind the port, shared by whatever asks it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::answer::{Answer, ApiError};
use crate::appflow::AppFlow;
use crate::calls::Calls;
use crate::faults::Faults;
use crate::hooks::Hooks;
use crate::lambda::Lambda;
use crate::runtime_api::{Invocation, Runtime};
use crate::state_event;
use crate::work::Work;

/// How long a synchronous invocation through `Invoke` may take.
pub(crate) const INVOKE_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything that is behind the port.
#[derive(Default)]
pub struct World {
    /// AppFlow.
    pub appflow: AppFlow,
    /// Lambda.
    pub lambda: Lambda,
    /// The updater's invocations.
    pub runtime: Runtime,
    /// What is to go wrong.
    pub faults: Faults,
    /// Every call of AppFlow and Lambda that came through the port, in its order.
    pub calls: Vec<Call>,
    /// The events that deployments have caused, oldest first.
    pub events: Vec<Value>,
    /// How many TLS connections were made.
    pub handshakes: usize,
    /// Whether events go to the updater by themselves.
    pub delivering: bool,
    /// Whether Lambda's own events are among the events: see [`state_event`]. One comes when a
    /// version, `$LATEST` or `$LATEST.PUBLISHED` becomes ready or fails; where that is a matter of
    /// time, it comes when the world is next called or looked at.
    pub state_events: bool,
    /// Tells all TLS connections to close.
    pub(crate) closing: Arc<Notify>,
    before: Hooks,
    after: Hooks,
    numbers: u64,
}

/// One call that came through the port.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Such as `UpdateConnectorRegistration`.
    pub operation: String,
    /// What it was given.
    pub input: Value,
    /// The error that it ended with; `None` for an answer. Set when the call is done.
    pub error: Option<String>,
    pub(crate) number: u64,
}

/// The world, shared.
pub(crate) type Shared = Arc<Mutex<World>>;

/// The world, for as long as the guard lives. A test that failed while it held the guard has
/// failed already; what it left is still fit to look at.
pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.tell_state_changes();
    world
}

impl World {
    /// Does what a call of AppFlow or Lambda does, without the wire: faults do not meet it, and it
    /// is not counted among the calls. It takes the names of the API.
    pub fn call(&mut self, operation: &str, input: &Value) -> Answer {
        let work = Work::named(operation, input)
            .ok_or_else(|| ApiError::new("UnknownOperationException", operation))?;
        let number = self.next_number();
        work.carry_out(self, number)
    }

    /// Has something happen once, right before the work of the next such call that comes through
    /// the port. A call that a fault keeps from being worked on does not count.
    pub fn once_before(
        &mut self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.before.add(calls.into(), hook);
    }

    /// Has something happen once, right after the work of the next such call that comes through the
    /// port, whatever came of it, and before its answer is sent. Where AppFlow stores late, that is
    /// after it has read and before it stores. A call that a fault keeps from being worked on does
    /// not count.
    pub fn once_after(
        &mut self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.after.add(calls.into(), hook);
    }

    /// Does the work of a call that came through the port, between what is to happen before and
    /// after it.
    pub(crate) fn between_hooks<T>(
        &mut self,
        operation: &str,
        input: &Value,
        work: impl FnOnce(&mut World) -> T,
    ) -> T {
        for hook in self.before.take(operation, input) {
            hook(self);
        }
        let done = work(self);
        for hook in self.after.take(operation, input) {
            hook(self);
        }
        done
    }

    /// Notes how a call ended.
    pub(crate) fn failed(&mut self, number: u64, error: &str) {
        // The calls may have been taken meanwhile.
        if let Some(call) = self.calls.iter_mut().rfind(|call| call.number == number) {
            call.error = Some(error.to_owned());
        }
    }

    /// Makes events of what has become ready or failed.
    pub(crate) fn tell_state_changes(&mut self) {
        for change in self.lambda.take_state_changes() {
            if self.state_events {
                let number = self.next_number();
                self.happened(state_event::event(&change, number));
            }
        }
    }

    /// A number that no other call has.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Notes an event, and hands it to the updater if events are delivered.
    pub fn happened(&mut self, event: Value) {
        if self.delivering {
            let invocation = Invocation {
                payload: event.to_string().into(),
                request_id: self.runtime.request_id(),
                timeout: INVOKE_TIMEOUT,
            };
            // Asynchronous: nobody waits for the outcome.
            drop(self.runtime.invoke(invocation));
        }
        self.events.push(event);
    }
}
