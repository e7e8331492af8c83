//! The states of a deployment, and when it becomes ready.

use std::time::Duration;

use tokio::time::Instant;

/// How long a function that was deployed is `Pending`, or its update `InProgress`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Settling {
    /// It is ready at once.
    #[default]
    AtOnce,
    /// It is ready after this many GetFunctionConfiguration calls have shown that it is not.
    AfterLooks(u32),
    /// It is ready after this time.
    After(Duration),
    /// It is never ready.
    Never,
}

/// A function's state.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// `Active`.
    Active,
    /// `Pending`: it cannot be invoked.
    Pending,
    /// `Inactive`: an invocation fails, and wakes it.
    Inactive,
    /// `Failed`, with the reason.
    Failed(String),
    /// `Deactivating`, with the reason: the version is about to be `Deactivated`.
    Deactivating(String),
    /// `Deactivated`, with the reason: the version does not come back by itself.
    Deactivated(String),
    /// `Deleting`, with the reason.
    Deleting(String),
    /// `ActiveNonInvocable`: it is ready, but cannot be invoked, as `$LATEST` of a function on Lambda
    /// Managed Instances.
    ActiveNonInvocable,
    /// An unknown state.
    Other(String),
}

/// `LastUpdateStatus`.
#[derive(Clone, Debug, PartialEq)]
pub enum LastUpdate {
    /// `Successful`.
    Successful,
    /// `InProgress`: invocations still run the old code.
    InProgress,
    /// `Failed`, with the reason: invocations still run the old code.
    Failed(String),
}

#[derive(Clone, Debug)]
pub(super) enum Settles {
    Settled,
    AfterLooks(u32),
    At(Instant),
    Never,
}

impl Settling {
    pub(super) fn is_at_once(self) -> bool {
        matches!(self, Self::AtOnce | Self::AfterLooks(0))
    }

    pub(super) fn start(self) -> Settles {
        match self {
            Self::AtOnce | Self::AfterLooks(0) => Settles::Settled,
            Self::AfterLooks(looks) => Settles::AfterLooks(looks),
            Self::After(time) => Settles::At(Instant::now() + time),
            Self::Never => Settles::Never,
        }
    }
}

impl State {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Active => "Active",
            Self::Pending => "Pending",
            Self::Inactive => "Inactive",
            Self::Failed(_) => "Failed",
            Self::Deactivating(_) => "Deactivating",
            Self::Deactivated(_) => "Deactivated",
            Self::Deleting(_) => "Deleting",
            Self::ActiveNonInvocable => "ActiveNonInvocable",
            Self::Other(name) => name,
        }
    }

    /// `StateReason`.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Pending => Some("The function is being created."),
            Self::Failed(reason)
            | Self::Deactivating(reason)
            | Self::Deactivated(reason)
            | Self::Deleting(reason) => Some(reason),
            Self::Active | Self::Inactive | Self::ActiveNonInvocable | Self::Other(_) => None,
        }
    }

    /// `StateReasonCode`, if the state has one here.
    pub(super) fn reason_code(&self) -> Option<&'static str> {
        match self {
            Self::Pending => Some("Creating"),
            Self::Failed(_) => Some("InternalError"),
            _ => None,
        }
    }
}

impl LastUpdate {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Successful => "Successful",
            Self::InProgress => "InProgress",
            Self::Failed(_) => "Failed",
        }
    }
}
