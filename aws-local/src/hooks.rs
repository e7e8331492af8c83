//! Hooks, with which a test acts between two calls.

use serde_json::Value;

use crate::calls::Calls;
use crate::world::World;

/// What a test does to the world at a call.
pub(crate) type Hook = Box<dyn FnOnce(&mut World) + Send>;

/// The hooks that wait for their calls.
#[derive(Default)]
pub(crate) struct Hooks(Vec<(Calls, Hook)>);

impl Hooks {
    pub(crate) fn add(&mut self, calls: Calls, hook: impl FnOnce(&mut World) + Send + 'static) {
        self.0.push((calls, Box::new(hook)));
    }

    /// Removes and returns the hooks for a call, in the order in which they were added. A hook that one
    /// of them adds is for a later call.
    pub(crate) fn take(&mut self, operation: &str, input: &Value) -> Vec<Hook> {
        self.0
            .extract_if(.., |(calls, _)| calls.contain(operation, input))
            .map(|(_, hook)| hook)
            .collect()
    }
}
