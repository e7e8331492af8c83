//! The calls that the steps ask for, and the answers that they take.

use std::time::Duration;

use crate::model::description::Unsendable;
use crate::model::function_arn::FunctionArn;
use crate::model::plan::Plan;
use crate::model::readiness::Look;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration, Undescribed};
use crate::model::service_error::ServiceError;
use crate::model::versions::Versions;
use crate::reconcile::target::Wait;

/// A call to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// DescribeConnector.
    Describe {
        /// Which registration.
        id: usize,
        /// Its label.
        label: ConnectorLabel,
        /// What it is for.
        why: Why,
        /// The pause before it, after an update that failed.
        pause: Option<Pause>,
    },
    /// ListVersionsByFunction.
    Versions {
        /// The unqualified ARN.
        function: FunctionArn,
        /// What it is for.
        of: Of,
    },
    /// GetFunctionConfiguration, to see whether a version exists.
    Exists(FunctionArn),
    /// GetFunctionConfiguration, to see whether a target is ready or has changed.
    Look {
        /// The target.
        target: FunctionArn,
        /// What to ask about: the target, or `$LATEST.PUBLISHED` behind it.
        at: FunctionArn,
        /// Whether it is the check after an update.
        check: bool,
        /// The pause before it.
        wait: Option<Wait>,
    },
    /// Not a call: a pause, so that more registrations of a target are updated and share its check.
    Linger {
        /// The target.
        target: FunctionArn,
        /// How long.
        pause: Duration,
    },
    /// AddPermission.
    Grant {
        /// The version.
        target: FunctionArn,
        /// The AppFlow that may invoke it.
        source: AppFlowSource,
        /// The pause before it, after tries that failed.
        pause: Option<Pause>,
    },
    /// UpdateConnectorRegistration.
    Update {
        /// Which registration.
        id: usize,
        /// What to send.
        plan: Box<Plan>,
        /// Why the connector's own description is left out, if it is.
        left_out: Option<Unsendable>,
    },
}

/// The pause before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// A backoff, after this many failed tries.
    Failed(u32),
    /// The response to an update was lost: AppFlow may have read the configuration, and store it later.
    /// Until then, its description of the registration cannot be relied on.
    Unanswered,
}

/// What a description is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// To decide.
    Observe,
    /// To see what the update of this round changed.
    Evidence(u32),
}

/// What a list of versions is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// A decision.
    Decision,
    /// The description in updates with this target.
    Description(FunctionArn),
    /// The check of this target.
    Check(FunctionArn),
}

/// The result of a call, and what identifies the call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of [`Call::Describe`].
    Described(usize, Why, Result<Registration, Undescribed>),
    /// Of [`Call::Versions`].
    Versions(FunctionArn, Of, Result<Versions, ServiceError>),
    /// Of [`Call::Exists`].
    Exists(FunctionArn, Result<(), ServiceError>),
    /// Of [`Call::Look`]: the target, and whether it was a check.
    Looked(FunctionArn, bool, Result<Look, ServiceError>),
    /// Of [`Call::Linger`]: the target, and how long the pause was.
    Lingered(FunctionArn, Duration),
    /// Of [`Call::Grant`].
    Granted(FunctionArn, Result<(), ServiceError>),
    /// Of [`Call::Update`].
    Updated(usize, Result<(), ServiceError>),
}

/// How long a call took, and how much time is left.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Whether it took so long that what was described before may be outdated.
    pub delayed: bool,
    /// Whether there is enough time left to keep retrying.
    pub time_left: bool,
}

impl Call {
    /// How urgent it is. The higher, the sooner it is made: registrations that are nearly done come
    /// first, so that little time passes between a description and its update, and waits come last.
    pub fn urgency(&self) -> u8 {
        match self {
            Self::Look { wait: Some(_), .. } | Self::Linger { .. } => 0,
            Self::Describe {
                why: Why::Observe,
                pause: None,
                ..
            } => 1,
            Self::Describe { .. } => 2,
            Self::Versions { .. } | Self::Exists(_) => 3,
            Self::Look { wait: None, .. } => 4,
            Self::Grant { .. } => 5,
            Self::Update { .. } => 6,
        }
    }
}
