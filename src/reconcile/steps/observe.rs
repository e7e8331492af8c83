//! Observe and decide: describe a registration, ask Lambda what the decision still needs, decide.

use std::mem;

use crate::model::change::Change;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::{Registration, Undescribed};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::model::versions::Versions;
use crate::reconcile::decide::{Decision, Happened, Known, Question, Reply, decide};
use crate::reconcile::outcome::{Failure, Gone, Outcome};
use crate::reconcile::steps::{Call, Of, Pause, Timing, Why};
use crate::reconcile::steps::{Step, Steps};

impl Steps {
    pub(super) fn observe(&mut self, id: usize, pause: Option<Pause>) {
        let entry = &mut self.entries[id];
        entry.step = Step::Observing;
        self.calls.push(Call::Describe {
            id,
            label: entry.label.clone(),
            why: Why::Observe,
            pause,
        });
    }

    pub(super) fn observed(&mut self, id: usize, result: Result<Registration, Undescribed>) {
        let entry = &self.entries[id];
        let registration = match result {
            Ok(registration) => registration,
            Err(Undescribed::Call(error)) if error.kind == ErrorKind::NotFound => {
                return if entry.named && entry.rounds == 0 {
                    self.fail(id, Failure::NotRegistered)
                } else {
                    // Unregistered since it was listed.
                    self.leave(id)
                };
            }
            Err(Undescribed::Call(error)) => {
                // The invocation ran out of time between two tries: the update's own error says more.
                return match (entry.last_error.clone(), error.kind) {
                    (Some(last), ErrorKind::OutOfTime) => self.fail_update(id, last),
                    _ => self.fail(id, Failure::Describe(error)),
                };
            }
            Err(Undescribed::NoFunction(why)) => {
                // It may be of any function, so it must not fail the deployments of all others.
                let everything = self.job.function.is_none() && self.job.functions.is_none();
                return if entry.named || everything {
                    self.fail(id, Failure::NoFunction(why))
                } else {
                    self.leave(id)
                };
            }
        };
        if !self.job.concerns(registration.function_arn.function()) {
            return self.leave(id);
        }
        let entry = &mut self.entries[id];
        if entry.rounds == 0 && entry.tries == 0 {
            entry.registered = Some(registration.function_arn.clone());
            entry.before = Some(registration.configuration.clone());
        }
        self.decide(id, Box::new(registration));
    }

    /// Ends a registration that is not concerned, or no longer.
    pub(super) fn leave(&mut self, id: usize) {
        match self.entries[id].updated_to.clone() {
            Some(target) => self.finish_updated(id, target, None),
            None => self.finish(id, None),
        }
    }

    pub(super) fn decide(&mut self, id: usize, registration: Box<Registration>) {
        let entry = &self.entries[id];
        let registered = &registration.function_arn;
        let function = registered.with_qualifier(None);
        let versions = self.versions.get(&function).and_then(Option::as_ref);
        let versions = versions.map(|told| match told {
            Reply::Known(versions) => Reply::Known(versions),
            Reply::NotAuthorized => Reply::NotAuthorized,
        });
        let known = Known {
            registered: self.existence.get(registered).copied().flatten(),
            versions,
        };
        match decide(registered, &entry.happened, self.job.register_as, known) {
            Decision::Update { target, behind } => {
                let newest = match (&entry.happened, versions) {
                    (Happened::Changed(Change::Published(Some(version))), _) => Some(*version),
                    (_, Some(Reply::Known(versions))) => versions.newest(),
                    _ => None,
                };
                let entry = &mut self.entries[id];
                entry.newest = newest;
                entry.behind = behind;
                self.head_for(id, target, registration);
                self.decided(id);
            }
            Decision::Skip(reason) => match entry.updated_to.clone() {
                // Somebody changed it after the update, so it is left unchanged.
                Some(target) => self.finish_updated(id, target, Some(&registration)),
                None => {
                    // After a failed update, the ARN may differ from the first one.
                    self.entries[id].registered = Some(registration.function_arn);
                    self.finish(id, Some(Outcome::Skipped(reason)));
                }
            },
            Decision::NoVersion if self.is_sweep() => {
                self.finish(id, Some(Outcome::Orphaned(Gone::Versions(function))));
            }
            Decision::NoVersion => self.fail(id, Failure::NoVersion(function)),
            Decision::Ask(question) => {
                let registered = registered.clone();
                self.release(id);
                self.entries[id].step = Step::Asking(registration);
                match question {
                    Question::Registered => {
                        if self.existence.insert(registered.clone(), None).is_none() {
                            self.calls.push(Call::Exists(registered));
                        }
                    }
                    Question::Versions => {
                        if self.versions.insert(function.clone(), None).is_none() {
                            let of = Of::Decision;
                            self.calls.push(Call::Versions { function, of });
                        }
                    }
                }
            }
        }
    }

    pub(super) fn existence_known(
        &mut self,
        registered: &FunctionArn,
        result: Result<(), ServiceError>,
        timing: Timing,
    ) {
        let told = match result {
            Ok(()) => Ok(Reply::Known(true)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Reply::Known(false)),
            Err(error) if error.kind == ErrorKind::AccessDenied => Ok(Reply::NotAuthorized),
            Err(error) => Err(error),
        };
        match &told {
            Ok(told) => self.existence.insert(registered.clone(), Some(*told)),
            Err(_) => self.existence.remove(registered),
        };
        self.go_on(told.err(), timing, |asked| {
            asked.function_arn == *registered
        });
    }

    pub(super) fn versions_known(
        &mut self,
        function: &FunctionArn,
        result: Result<Versions, ServiceError>,
        timing: Timing,
    ) {
        let told = match result {
            Ok(versions) => Ok(Reply::Known(versions)),
            // A sweep refreshes such a registration where it is. A deployment must not: it would be lost.
            Err(error) if error.kind == ErrorKind::AccessDenied && self.is_sweep() => {
                Ok(Reply::NotAuthorized)
            }
            Err(error) => Err(error),
        };
        let error = match told {
            Ok(told) => {
                self.versions.insert(function.clone(), Some(told));
                None
            }
            Err(error) => {
                self.versions.remove(function);
                Some(error)
            }
        };
        self.go_on(error, timing, |asked| {
            asked.function_arn.with_qualifier(None) == *function
        });
    }

    /// Continues with the registrations whose question was answered.
    pub(super) fn go_on(
        &mut self,
        error: Option<ServiceError>,
        timing: Timing,
        is_answered: impl Fn(&Registration) -> bool,
    ) {
        for id in 0..self.entries.len() {
            let step = &mut self.entries[id].step;
            let Step::Asking(asked) = step else { continue };
            if !is_answered(asked) {
                continue;
            }
            let Step::Asking(registration) = mem::replace(step, Step::Observing) else {
                continue;
            };
            match &error {
                Some(error) if error.kind == ErrorKind::NotFound && self.is_sweep() => {
                    let gone = Gone::Missing(error.clone());
                    self.finish(id, Some(Outcome::Orphaned(gone)));
                }
                Some(error) => self.fail(id, Failure::Function(error.clone())),
                None if timing.delayed => self.observe(id, None),
                None => self.decide(id, registration),
            }
        }
    }

    pub(super) fn decided(&mut self, id: usize) {
        if mem::replace(&mut self.entries[id].decided, true) {
            return;
        }
        self.undecided -= 1;
        if self.undecided == 0 {
            let targets: Vec<FunctionArn> = self.targets.keys().cloned().collect();
            for target in targets {
                self.check_if_due(&target);
            }
        }
    }
}
