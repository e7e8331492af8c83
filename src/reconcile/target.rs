//! The target of updates, and the registrations that share it: it is waited for once, and checked once
//! for all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::readiness::{Found, Look, Readiness};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::outcome::Failure;
use crate::reconcile::plan::Readied;

/// The first pause while a function is not ready; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause, which is the most that waiting adds to the delay of an update.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One target in one invocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// Where it is in becoming ready.
    pub(super) state: State,
    /// The ARN to read from Lambda: the target, or `$LATEST.PUBLISHED` on Lambda Managed Instances.
    pub(super) at: FunctionArn,
    /// Whether AppFlow was granted permission to invoke it.
    pub(super) grant: Grant,
    /// Registrations whose update to it is not done.
    pub(super) members: BTreeSet<usize>,
    /// Registrations that were updated since the last check began.
    pub(super) updated: BTreeSet<usize>,
    /// The pause before the check, while it is under way.
    pub(super) lingers: Option<Duration>,
    /// The check under way.
    pub(super) check: Option<Check>,
    /// While it is waited for: the last pause, and the state that was seen last.
    waiting: Option<(Duration, String)>,
    /// Whether AppFlow's invocation should have woken it. It is not tried again.
    pub(super) woken: bool,
    /// Whether it was waited for before: only the first wait is logged at INFO.
    waited: bool,
}

/// Where a target is in becoming ready.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// A look is under way, or a pause before it.
    Looking,
    /// It is ready, and its versions are being listed for the description.
    Naming {
        /// What it was.
        found: Found,
        /// Whether the first invocation has to wake it.
        inactive: bool,
    },
    /// It is ready, or `Inactive`, which the first invocation ends.
    Ready {
        /// What is known of it.
        readied: Readied,
        /// Whether the first invocation has to wake it.
        inactive: bool,
    },
    /// It cannot be used.
    Unusable(Unusable),
}

/// Why a target cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unusable {
    /// It does not exist.
    Gone(ServiceError),
    /// It has failed, was not ready in time, or could not be read.
    Failed(Failure),
}

/// Whether AppFlow was granted permission to invoke a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Grant {
    /// It was not requested.
    No,
    /// AddPermission is in progress, after this number of tries.
    Asked(u32),
    /// It was granted, or failed with this error; the update is tried anyway.
    Done(Option<ServiceError>),
}

/// The check of a target after its registrations were updated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Check {
    /// The registrations that it is for.
    pub(super) of: BTreeSet<usize>,
    /// What the function is now; `None` while it is being read.
    pub(super) seen: Option<Result<Seen, ServiceError>>,
    /// The newest version now, if the target is a version; `None` while the versions are being listed.
    pub(super) newest: Option<Result<Option<Version>, ServiceError>>,
}

/// What a function is after its registrations were updated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Seen {
    /// It can be invoked, and is this.
    Ready(Found),
    /// It is being changed, or gone.
    Changing,
    /// The updater is not authorized to read it.
    NotAuthorized,
}

/// A pause before a function is read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// How long.
    pub pause: Duration,
    /// The state that the function was seen in.
    pub state: String,
    /// Whether this is the first wait for it in the invocation.
    pub first: bool,
}

/// What to do after a target was read.
pub(super) enum Looked {
    /// It is ready.
    Ready,
    /// Read it again, after this pause if there is one.
    Again(Option<Wait>),
    /// It cannot be used.
    Unusable,
}

impl Seen {
    /// What the function is, by the response to the check.
    pub(super) fn of(result: &Result<Look, ServiceError>) -> Result<Self, ServiceError> {
        match result {
            Ok(look) => Ok(match look.readiness {
                Readiness::Ready | Readiness::ReadyAsBefore(_) | Readiness::Inactive => {
                    Self::Ready(look.found.clone())
                }
                Readiness::NotYet(_) | Readiness::NonInvocable | Readiness::Never(_) => {
                    Self::Changing
                }
            }),
            Err(error) => match error.kind {
                ErrorKind::NotFound => Ok(Self::Changing),
                ErrorKind::AccessDenied => Ok(Self::NotAuthorized),
                _ => Err(error.clone()),
            },
        }
    }
}

impl Target {
    pub(super) fn new(target: &FunctionArn) -> Self {
        Self {
            state: State::Looking,
            at: target.clone(),
            grant: Grant::No,
            members: BTreeSet::new(),
            updated: BTreeSet::new(),
            lingers: None,
            check: None,
            waiting: None,
            woken: false,
            waited: false,
        }
    }

    /// Whether there is something to check. While the function is known to be changing there is not: the
    /// check follows when it is ready again.
    pub(super) fn can_be_checked(&self) -> bool {
        !self.updated.is_empty()
            && self.check.is_none()
            && matches!(self.state, State::Ready { .. } | State::Unusable(_))
    }

    /// Whether it was not ready, and is being waited for.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes the response for a target that is not ready yet.
    pub(super) fn looked(
        &mut self,
        target: &FunctionArn,
        result: Result<Look, ServiceError>,
    ) -> Looked {
        let (found, inactive) = match result {
            Ok(look) => match look.readiness {
                Readiness::Ready | Readiness::ReadyAsBefore(_) => (Some(look.found), false),
                Readiness::Inactive => (Some(look.found), !self.woken),
                Readiness::NonInvocable if target.qualifier().is_none() && self.at == *target => {
                    self.at = target.with_qualifier(Some(Qualifier::LatestPublished));
                    return Looked::Again(None);
                }
                Readiness::NonInvocable => {
                    return self.unusable(Unusable::Failed(Failure::NonInvocable));
                }
                Readiness::NotYet(state) => return Looked::Again(Some(self.wait(state))),
                Readiness::Never(reason) => {
                    return self.unusable(Unusable::Failed(Failure::FunctionFailed(reason)));
                }
            },
            // AppFlow may still be allowed to invoke it, for example if another account owns it.
            Err(error) if error.kind == ErrorKind::AccessDenied => (None, false),
            Err(error) if error.kind == ErrorKind::NotFound => {
                return self.unusable(Unusable::Gone(error));
            }
            Err(error) => {
                let failure = match self.waiting.take() {
                    Some((_, state)) if error.kind == ErrorKind::OutOfTime => {
                        Failure::NotReady(state)
                    }
                    _ => Failure::Function(error),
                };
                return self.unusable(Unusable::Failed(failure));
            }
        };
        self.waiting = None;
        let readied = Readied {
            found,
            versions: None,
        };
        self.state = State::Ready { readied, inactive };
        Looked::Ready
    }

    /// Whether it is ready, and still what Lambda says it is now.
    pub(super) fn is(&self, found: &Found) -> bool {
        matches!(&self.state, State::Ready { readied, .. } if readied.found.as_ref() == Some(found))
    }

    fn wait(&mut self, state: String) -> Wait {
        let pause = match &self.waiting {
            None => FIRST_PAUSE,
            Some((pause, _)) => (*pause * 2).min(LONGEST_PAUSE),
        };
        self.waiting = Some((pause, state.clone()));
        let first = !std::mem::replace(&mut self.waited, true);
        Wait {
            pause,
            state,
            first,
        }
    }

    fn unusable(&mut self, why: Unusable) -> Looked {
        self.state = State::Unusable(why);
        Looked::Unusable
    }
}
