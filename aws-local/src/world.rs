//! Everything behind the port: the services, their faults and hooks, and what was recorded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::appflow::AppFlow;
use crate::calls::Calls;
use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::runtime_api::{Invocation, Runtime};
use crate::state_event;

/// The timeout of an invocation through `Invoke`, and of a delivered event.
pub(crate) const INVOKE_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything behind the port.
#[derive(Default)]
pub struct World {
    /// AppFlow.
    pub appflow: AppFlow,
    /// Lambda.
    pub lambda: Lambda,
    /// The updater's invocations.
    pub runtime: Runtime,
    /// The faults.
    pub faults: Faults,
    /// Every call of AppFlow and Lambda through the port, in order.
    pub calls: Vec<Call>,
    /// The events that deployments have caused, oldest first.
    pub events: Vec<Value>,
    /// How many TLS connections were made.
    pub handshakes: usize,
    /// Whether events are delivered to the updater.
    pub delivering: bool,
    /// Whether there are Lambda's own events: see [`state_event`]. There is one when a version, `$LATEST`,
    /// or `$LATEST.PUBLISHED` becomes ready or fails. If that happens by time, the event comes at the next
    /// access to the world.
    pub state_events: bool,
    /// Notifies all TLS connections to close.
    pub(crate) closing: Arc<Notify>,
    /// How many times the TLS connections have fallen silent.
    pub(crate) silences: Arc<AtomicUsize>,
    before: Hooks,
    after: Hooks,
    numbers: u64,
}

/// One call that came through the port.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Such as `UpdateConnectorRegistration`.
    pub operation: String,
    /// Its input.
    pub input: Value,
    /// The error that it ended with; `None` for a response. It is set when the call is done.
    pub error: Option<String>,
    pub(crate) number: u64,
}

/// The world, shared.
pub(crate) type Shared = Arc<Mutex<World>>;

/// Locks the world. If a test panicked while it held the lock, it has failed already, and the world can
/// still be read.
pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.tell_state_changes();
    world
}

impl World {
    /// Runs a hook once, right before the work of the next such call through the port. A call whose work
    /// a fault prevents does not count.
    pub fn once_before(
        &mut self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.before.add(calls.into(), hook);
    }

    /// Runs a hook once, right after the work of the next such call through the port, even if it failed,
    /// and before its response. If AppFlow stores late, that is after it has read and before it stores. A
    /// call whose work a fault prevents does not count.
    pub fn once_after(
        &mut self,
        calls: impl Into<Calls>,
        hook: impl FnOnce(&mut World) + Send + 'static,
    ) {
        self.after.add(calls.into(), hook);
    }

    /// Does the work of a call through the port, with the hooks before and after it.
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

    /// Makes every open TLS connection carry nothing from now on, and stay open. New ones work.
    pub fn fall_silent(&mut self) {
        self.silences.fetch_add(1, Ordering::Relaxed);
    }

    /// Records the error of a call.
    pub(crate) fn failed(&mut self, number: u64, error: &str) {
        // The calls may have been taken in the meantime.
        if let Some(call) = self.calls.iter_mut().rfind(|call| call.number == number) {
            call.error = Some(error.to_owned());
        }
    }

    /// Creates the events for versions that have become ready or failed.
    pub(crate) fn tell_state_changes(&mut self) {
        for change in self.lambda.take_state_changes() {
            if self.state_events {
                let number = self.next_number();
                let time = self.lambda.time();
                self.happened(state_event::event(&change, time, number));
            }
        }
    }

    /// A number that no other call has.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Records an event, and delivers it to the updater if events are delivered.
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

/// What a test does to the world at a call.
type Hook = Box<dyn FnOnce(&mut World) + Send>;

/// The hooks that wait for their calls.
#[derive(Default)]
struct Hooks(Vec<(Calls, Hook)>);

impl Hooks {
    fn add(&mut self, calls: Calls, hook: impl FnOnce(&mut World) + Send + 'static) {
        self.0.push((calls, Box::new(hook)));
    }

    /// Removes and returns the hooks for a call, in the order in which they were added. A hook that one
    /// of them adds is for a later call.
    fn take(&mut self, operation: &str, input: &Value) -> Vec<Hook> {
        self.0
            .extract_if(.., |(calls, _)| calls.contain(operation, input))
            .map(|(_, hook)| hook)
            .collect()
    }
}
