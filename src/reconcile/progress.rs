//! What one round of a registration leaves to the next one.

use crate::decide::Cause;
use crate::model::function_arn::{FunctionArn, Version};
use crate::model::function_state::Unready;
use crate::model::registration::Registration;
use crate::model::service_error::ServiceError;
use crate::reconcile::outcome::ConnectorResult;

/// How far a registration has come in an invocation. This is plain data: with the same progress and the
/// same answers, a round does the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// Why it continues, if not for the invocation's own cause.
    pub cause: Option<Cause>,
    /// Its description before the first update.
    pub before: Option<Registration>,
    /// The ARN of the last update that AppFlow has confirmed.
    pub updated: Option<FunctionArn>,
    /// The version of the last update that was sent, whatever came of it.
    pub sent: Option<Version>,
    /// How many updates AppFlow has confirmed.
    pub updates: u8,
    /// How many tries have failed since then; it stops counting where the next one is the last.
    pub tries: u8,
    /// Whether an update has woken an inactive function.
    pub woken: bool,
    /// The error of the last update that failed since then.
    pub last_error: Option<ServiceError>,
}

/// A function that is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// The function, version, or alias.
    pub target: FunctionArn,
    /// Why it was not ready when it was read last.
    pub unready: Unready,
    /// How often it was read; see [`LAST_POLL`].
    pub polls: u8,
}

/// How a round ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// There is nothing more to do. `None` for a registration that the invocation is not about.
    Done(Option<ConnectorResult>),
    /// There is another round, after a pause.
    Again(Progress, Pause),
}

/// From this many reads on, [`Pause::Poll`] is longest.
pub const LAST_POLL: u8 = 8;

/// The pause before the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// None.
    None,
    /// Before a function that is not ready is read again: after this many reads.
    Poll(u8),
    /// Before a retry: after this many failed tries.
    Retry(u8),
    /// The response to an update was lost: AppFlow may have read the configuration, and store it later.
    /// Until then, its description of the registration cannot be relied on.
    Unanswered,
}
