//! One ARN that AppFlow is to be pointed at, and the registrations that share it: they wait for it
//! once, and look once whether it changed while they were updated.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::readiness::{Found, Look, Readiness};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::outcome::Failure;
use crate::reconcile::plan::Readied;

/// The pause after the first look that found a function not ready; most are ready within seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause: what a function that takes minutes costs in delay.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One target in one invocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// Where it is in becoming ready.
    pub(super) state: State,
    /// What Lambda is asked about: the target, or `$LATEST.PUBLISHED` on Lambda Managed Instances.
    pub(super) at: FunctionArn,
    /// Whether AppFlow was granted permission to invoke it.
    pub(super) grant: Grant,
    /// Registrations on their way to it, whose update is not done.
    pub(super) members: BTreeSet<usize>,
    /// Registrations that were updated since the last check began.
    pub(super) updated: BTreeSet<usize>,
    /// How long updated registrations wait for others before the check, while they do.
    pub(super) lingers: Option<Duration>,
    /// The check under way.
    pub(super) check: Option<Check>,
    /// Where a wait is: the pause before the next look, and the state seen last.
    waiting: Option<(Duration, String)>,
    /// Whether AppFlow's invocation was to wake it: where it did not, the update's error says why.
    pub(super) woken: bool,
    /// Whether a wait was told of, so that one line in the log says so.
    told: bool,
}

/// Where a target is in becoming ready.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// A look is under way, or a pause before it.
    Looking,
    /// It is ready, and a description has to name the newest version.
    Naming {
        /// What it was.
        found: Found,
        /// Whether the first invocation has to wake it.
        inactive: bool,
    },
    /// It is ready; it may be `Inactive`, which the first invocation ends.
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
    /// It has failed, was not ready in time, or could not be looked at.
    Failed(Failure),
}

/// Whether AppFlow was granted permission to invoke a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Grant {
    /// Nobody asked for it.
    No,
    /// AddPermission is under way, after so many tries.
    Asked(u32),
    /// It was granted, or the error says why not; the update is tried all the same.
    Done(Option<ServiceError>),
}

/// A look at a target after its registrations were updated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Check {
    /// The registrations that it is for.
    pub(super) of: BTreeSet<usize>,
    /// What the function is now; `None` while the look is under way.
    pub(super) seen: Option<Result<Seen, ServiceError>>,
    /// The newest version by now, where the target is a version; `None` while it is looked up.
    pub(super) newest: Option<Result<Option<Version>, ServiceError>>,
}

/// What a function is after its registrations were updated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Seen {
    /// It can be invoked, and is this.
    Ready(Found),
    /// It is being changed, or gone.
    Changing,
    /// The updater is not authorized to look.
    NotTold,
}

/// A pause before a look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// How long.
    pub pause: Duration,
    /// The state that the function was seen in.
    pub state: String,
    /// Whether this is the first wait for it in the invocation.
    pub first: bool,
}

/// What a look at a target comes to.
pub(super) enum Looked {
    /// It is ready.
    Ready,
    /// Look again, after this pause if there is one.
    Again(Option<Wait>),
    /// It cannot be used.
    Unusable,
}

impl Seen {
    /// What a look after an update says.
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
                ErrorKind::AccessDenied => Ok(Self::NotTold),
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
            told: false,
        }
    }

    /// Whether there is something to check and the function is not known to be changing: then the look
    /// comes when it is ready again.
    pub(super) fn can_be_checked(&self) -> bool {
        !self.updated.is_empty()
            && self.check.is_none()
            && matches!(self.state, State::Ready { .. } | State::Unusable(_))
    }

    /// Whether it was seen not ready, and is being waited for.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.is_some()
    }

    /// What a look means for a target that is not ready yet.
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
            // AppFlow itself may well be allowed to invoke it, as a function of another account.
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

    /// Whether AppFlow can be pointed at it now, and Lambda tells what it is.
    pub(super) fn is(&self, found: &Found) -> bool {
        matches!(&self.state, State::Ready { readied, .. } if readied.found.as_ref() == Some(found))
    }

    fn wait(&mut self, state: String) -> Wait {
        let pause = match &self.waiting {
            None => FIRST_PAUSE,
            Some((pause, _)) => (*pause * 2).min(LONGEST_PAUSE),
        };
        self.waiting = Some((pause, state.clone()));
        let first = !std::mem::replace(&mut self.told, true);
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
