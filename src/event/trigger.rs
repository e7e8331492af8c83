//! Why the updater was invoked.

use crate::model::change::Change;
use crate::model::function_arn::Function;
use crate::model::function_selector::FunctionSelector;
use crate::model::registration::ConnectorLabel;

/// Why the updater was invoked.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// A Lambda function was deployed.
    Deployment {
        /// The function.
        function: Function,
        /// What changed.
        change: Change,
    },
    /// Registrations are to be updated without a deployment's event.
    Sweep(Sweep),
    /// There is nothing to do, for this reason.
    Ignored(String),
}

/// A sweep: from a schedule, after a deployment of the updater's own stack, or by hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// The registrations to sweep; `None` for all that the settings allow.
    pub labels: Option<Vec<ConnectorLabel>>,
    /// The functions whose registrations to sweep; `None` for all.
    pub functions: Option<Vec<FunctionSelector>>,
    /// Whether version-pinned registrations move to the newest version.
    pub to_newest: bool,
    /// Whether the sweep writes nothing.
    pub dry_run: bool,
    /// Whether it is the first one of a new stack: before it, no event could have updated anything.
    pub is_first: bool,
}

/// A payload that claims to be one of the supported kinds, and is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEvent(pub String);
