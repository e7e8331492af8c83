//! Tracks which versions have become ready or failed, for Lambda's own events.

use super::Lambda;
use super::reference::Name;
use super::state::{LastUpdate, State};

/// A version that has become ready or has failed.
pub(crate) struct StateChange {
    pub(crate) name: Name,
    /// A number, `$LATEST` or `$LATEST.PUBLISHED`.
    pub(crate) version: String,
    /// `Active`, `ActiveNonInvocable` or `Failed`.
    pub(crate) state: String,
}

impl Lambda {
    /// Notes that something was deployed under a version, or put into a state.
    pub(super) fn changed(&mut self, name: &Name, version: &str) {
        let changed = (name.clone(), version.to_owned());
        if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }

    /// What has become ready or failed since the last call of this method, in the order of deployment.
    pub(crate) fn take_state_changes(&mut self) -> Vec<StateChange> {
        let mut changes = Vec::new();
        let functions = &mut self.functions;
        self.changed.retain(|(name, version)| {
            let deployed = functions
                .get_mut(name)
                .and_then(|function| function.deployed_mut(version));
            // It may have been deleted before it was ready.
            let Some(deployed) = deployed else {
                return false;
            };
            deployed.settle_by_time();
            let state = match (&deployed.state, &deployed.last_update) {
                (State::Pending, _) | (_, LastUpdate::InProgress) => return true,
                (State::Failed(_), _) | (_, LastUpdate::Failed(_)) => "Failed",
                (State::Active, _) => "Active",
                (State::ActiveNonInvocable, _) => "ActiveNonInvocable",
                _ => return false,
            };
            changes.push(StateChange {
                name: name.clone(),
                version: version.clone(),
                state: state.to_owned(),
            });
            false
        });
        changes
    }
}
