//! Check after an update whether the function changed in the meantime, and update again if it did.

use std::mem;
use std::time::Duration;

use crate::model::change::Change;
use crate::model::function_arn::FunctionArn;
use crate::model::readiness::{Look, Readiness};
use crate::model::registration::{Registration, Undescribed};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::model::versions::Versions;
use crate::reconcile::decide::{Happened, Reply};
use crate::reconcile::outcome::Failure;
use crate::reconcile::steps::{Call, Of, Timing};
use crate::reconcile::steps::{Step, Steps};
use crate::reconcile::target::{Check, Grant, Seen, State};

/// The most updates of a registration whose function changes each time; then it is an error.
const ROUNDS: u32 = 8;
/// How long updated registrations wait for others with the same target, so that one check serves all
/// of them.
const LINGER: Duration = Duration::from_secs(1);
/// The same, while any other registration is undecided, because it may have the same target.
const LINGER_UNDECIDED: Duration = Duration::from_secs(10);

impl Steps {
    /// Begins the check of a target once all updates to it are done, or some time after the first one,
    /// so that a slow update does not hold up the others.
    pub(super) fn check_if_due(&mut self, target: &FunctionArn) {
        let all_decided = self.undecided == 0;
        let Some(known) = self.targets.get_mut(target) else {
            return;
        };
        if !known.can_be_checked() {
            return;
        }
        if all_decided && known.members.is_empty() {
            return self.check(target);
        }
        let pause = if all_decided {
            LINGER
        } else {
            LINGER_UNDECIDED
        };
        if known.lingers.is_none_or(|lingers| pause < lingers) {
            known.lingers = Some(pause);
            let target = target.clone();
            self.calls.push(Call::Linger { target, pause });
        }
    }

    pub(super) fn lingered(&mut self, target: &FunctionArn, pause: Duration) {
        let known = self.target(target);
        // Another pause may have begun in the meantime.
        if known.lingers != Some(pause) {
            return;
        }
        known.lingers = None;
        if known.can_be_checked() {
            self.check(target);
        }
    }

    pub(super) fn check(&mut self, target: &FunctionArn) {
        let known = self.target(target);
        known.lingers = None;
        let of = mem::take(&mut known.updated);
        let at = known.at.clone();
        let seen = match &known.state {
            State::Ready { readied, .. } if readied.found.is_some() => None,
            State::Ready { .. } => Some(Ok(Seen::NotAuthorized)),
            _ => Some(Ok(Seen::Changing)),
        };
        let looks = seen.is_none();
        let lists =
            target.version().is_some() && of.iter().any(|id| self.entries[*id].newest.is_some());
        let newest = (!lists).then_some(Ok(None));
        self.target(target).check = Some(Check { of, seen, newest });
        if looks {
            self.calls.push(Call::Look {
                target: target.clone(),
                at,
                check: true,
                wait: None,
            });
        }
        if lists {
            self.calls.push(Call::Versions {
                function: target.with_qualifier(None),
                of: Of::Check(target.clone()),
            });
        }
        self.conclude_check(target);
    }

    pub(super) fn looked_after(
        &mut self,
        target: &FunctionArn,
        result: Result<Look, ServiceError>,
    ) {
        let seen = Seen::of(&result);
        let known = self.target(target);
        let changed = match &seen {
            Ok(Seen::Ready(found)) => !known.is(found),
            Ok(Seen::Changing) => true,
            Ok(Seen::NotAuthorized) | Err(_) => false,
        };
        if let Some(check) = &mut known.check {
            check.seen = Some(seen);
        }
        if changed && matches!(known.state, State::Ready { .. }) {
            known.state = State::Looking;
            known.at = target.clone();
            known.grant = Grant::No;
            known.woken = false;
            let managed = |look: &Look| look.readiness == Readiness::NonInvocable;
            if result.as_ref().is_ok_and(managed) {
                // The function is on Lambda Managed Instances now: start over with it.
                self.look(target, None);
            } else {
                let timing = Timing {
                    delayed: true,
                    time_left: true,
                };
                self.looked(target, result, timing);
            }
        }
        self.conclude_check(target);
    }

    pub(super) fn newest_checked(
        &mut self,
        function: &FunctionArn,
        target: &FunctionArn,
        result: Result<Versions, ServiceError>,
    ) {
        let newest = match result {
            Ok(versions) => {
                let newest = versions.newest();
                self.versions
                    .insert(function.clone(), Some(Reply::Known(versions)));
                Ok(newest)
            }
            // For example, a function of another account: whether there is a newer version is unknown.
            Err(error) if error.kind == ErrorKind::AccessDenied => Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        if let Some(check) = &mut self.target(target).check {
            check.newest = Some(newest);
        }
        self.conclude_check(target);
    }

    pub(super) fn conclude_check(&mut self, target: &FunctionArn) {
        let known = self.target(target);
        let Some(Check {
            of,
            seen: Some(seen),
            newest: Some(newest),
        }) = known.check.clone()
        else {
            return;
        };
        known.check = None;
        for id in of {
            let entry = &mut self.entries[id];
            let Step::Checking { passed, .. } = &mut entry.step else {
                continue;
            };
            let unchanged = match &seen {
                Ok(Seen::Ready(found)) => Ok(entry.found.as_ref() == Some(found)),
                Ok(Seen::Changing) => Ok(false),
                Ok(Seen::NotAuthorized) => Ok(true),
                Err(error) => Err(error),
            };
            match (unchanged, &newest) {
                (Err(error), _) | (_, Err(error)) => {
                    entry.target = Some(target.clone());
                    let failure = Failure::Unchecked(error.clone());
                    self.fail(id, failure);
                }
                (Ok(_), Ok(newest)) if entry.newest.is_some() && *newest > entry.newest => {
                    entry.happened = Happened::Changed(Change::Published(*newest));
                    self.again(id, None);
                }
                (Ok(false), _) => self.again(id, Some(target)),
                (Ok(true), _) => {
                    *passed = true;
                    self.conclude(id);
                }
            }
        }
        self.check_if_due(target);
    }

    pub(super) fn evident(
        &mut self,
        id: usize,
        round: u32,
        result: Result<Registration, Undescribed>,
    ) {
        let entry = &mut self.entries[id];
        if let Step::Checking { after, .. } = &mut entry.step
            && round + 1 == entry.rounds
        {
            *after = Some(result.ok().map(Box::new));
            self.conclude(id);
        }
    }

    /// Ends a registration once its check has passed and its evidence has arrived.
    pub(super) fn conclude(&mut self, id: usize) {
        let entry = &self.entries[id];
        let (
            Step::Checking {
                passed: true,
                after: Some(after),
            },
            Some(target),
        ) = (&entry.step, entry.updated_to.clone())
        else {
            return;
        };
        let after = after.clone();
        self.finish_updated(id, target, after.as_deref());
    }

    /// Starts over with an observation, or, if `target` is given, once it is ready again.
    pub(super) fn again(&mut self, id: usize, target: Option<&FunctionArn>) {
        let entry = &mut self.entries[id];
        if entry.rounds >= ROUNDS {
            entry.target = entry.updated_to.clone();
            return self.fail(id, Failure::KeepsChanging);
        }
        match target {
            None => self.observe(id, None),
            Some(target) => {
                entry.target = Some(target.clone());
                entry.step = Step::Waiting(None);
                self.join(id, target);
            }
        }
    }
}
