//! The calls that the steps ask for, and what is answered.

use std::time::Duration;

use crate::model::description::Unsendable;
use crate::model::function_arn::FunctionArn;
use crate::model::plan::Plan;
use crate::model::readiness::Look;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration, Undescribed};
use crate::model::service_error::ServiceError;
use crate::model::versions::Versions;
use crate::reconcile::target::Wait;

/// A call to make. The order is that of their urgency, the most urgent last: what has been begun is
/// finished first, so that little time passes between a description and its update.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// DescribeConnector.
    Describe {
        /// Which registration.
        id: usize,
        /// Its label.
        label: ConnectorLabel,
        /// What for.
        why: Why,
        /// The pause before, after an update that failed.
        pause: Option<Pause>,
    },
    /// ListVersionsByFunction.
    Versions {
        /// The unqualified ARN.
        function: FunctionArn,
        /// What for.
        of: Of,
    },
    /// GetFunctionConfiguration, for whether a version exists.
    Exists(FunctionArn),
    /// GetFunctionConfiguration, for whether a target is ready or has changed.
    Look {
        /// The target.
        target: FunctionArn,
        /// What to ask about: the target, or `$LATEST.PUBLISHED` behind it.
        at: FunctionArn,
        /// Whether it is the check after an update.
        check: bool,
        /// The pause before.
        wait: Option<Wait>,
    },
    /// No call: a pause in which more registrations of a target are updated, to share its check.
    Linger {
        /// The target.
        target: FunctionArn,
        /// How long.
        pause: Duration,
    },
    /// AddPermission.
    Grant {
        /// The version that AppFlow is to be allowed to invoke.
        target: FunctionArn,
        /// The AppFlow.
        source: AppFlowSource,
        /// The pause before, after tries that failed.
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

/// The pause before something that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// So many tries have failed: the more, the longer.
    Failed(u32),
    /// The update got no answer: AppFlow may have read the configuration and may yet store it. Until
    /// then, nothing that AppFlow says of the registration can be relied on.
    Unanswered,
}

/// What a description is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// To decide.
    Observe,
    /// To tell what the update of this round did.
    Evidence(u32),
}

/// What versions are looked up for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// A decision.
    Decision,
    /// The description of updates with this target.
    Description(FunctionArn),
    /// The check of this target.
    Check(FunctionArn),
}

/// What a call came to, with what identifies the call.
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

/// How a call went.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Whether it took so long that what was described before may no longer hold.
    pub delayed: bool,
    /// Whether there is time to try again for long.
    pub time_left: bool,
}

impl Call {
    /// How urgent it is: what was begun is finished first, so that little time passes between a
    /// description and the update that it led to; what is being waited for comes last.
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
