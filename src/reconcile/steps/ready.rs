//! Wait until the target of an update is ready.

use crate::model::function_arn::FunctionArn;
use crate::model::readiness::Look;
use crate::model::registration::{AppFlowSource, Registration};
use crate::model::service_error::ServiceError;
use crate::model::versions::Versions;
use crate::reconcile::decide::Happened;
use crate::reconcile::outcome::{Failure, Gone, Outcome};
use crate::reconcile::plan::{Readied, names_the_newest};
use crate::reconcile::steps::{Call, Of, Timing};
use crate::reconcile::steps::{Step, Steps};
use crate::reconcile::target::{Looked, State, Target, Unusable, Wait};

impl Steps {
    pub(super) fn head_for(
        &mut self,
        id: usize,
        target: FunctionArn,
        registration: Box<Registration>,
    ) {
        if self.entries[id].target.as_ref() != Some(&target) {
            self.release(id);
            self.entries[id].target = Some(target.clone());
        }
        let source = registration.source.clone().or(self.job.beside.clone());
        let source = source.unwrap_or_else(|| AppFlowSource::beside(&registration.function_arn));
        self.entries[id].source = Some(source);
        self.entries[id].step = Step::Waiting(Some(registration));
        if !self.targets.contains_key(&target) {
            self.targets.insert(target.clone(), Target::new(&target));
            self.look(&target, None);
        }
        self.join(id, &target);
    }

    /// Adds a registration to those that wait for a target, or continues if the wait is over.
    pub(super) fn join(&mut self, id: usize, target: &FunctionArn) {
        let known = self.target(target);
        known.members.insert(id);
        match &known.state {
            State::Looking | State::Naming { .. } => {}
            State::Ready { .. } => self.is_ready(id),
            State::Unusable(why) => {
                let why = why.clone();
                self.finish_unusable(id, why);
            }
        }
    }

    pub(super) fn look(&mut self, target: &FunctionArn, wait: Option<Wait>) {
        let at = self.target(target).at.clone();
        let target = target.clone();
        let check = false;
        self.calls.push(Call::Look {
            target,
            at,
            check,
            wait,
        });
    }

    pub(super) fn looked(
        &mut self,
        target: &FunctionArn,
        result: Result<Look, ServiceError>,
        timing: Timing,
    ) {
        // A registration may have joined in the middle of a wait.
        let waited = self.target(target).is_waited_for();
        let looked = self.target(target).looked(target, result);
        if timing.delayed || waited || matches!(looked, Looked::Again(Some(_))) {
            self.forget_descriptions(target);
        }
        match looked {
            Looked::Again(wait) => self.look(target, wait),
            Looked::Ready => {
                let names = names_the_newest(self.job.common.template.as_ref(), target);
                let known = self.target(target);
                match &known.state {
                    State::Ready { readied, inactive } if names && known.at == *target => {
                        if let Some(found) = readied.found.clone() {
                            let inactive = *inactive;
                            known.state = State::Naming { found, inactive };
                            let function = target.with_qualifier(None);
                            let of = Of::Description(target.clone());
                            self.calls.push(Call::Versions { function, of });
                            return;
                        }
                    }
                    _ => {}
                }
                self.go_on_with_members(target);
            }
            Looked::Unusable => self.go_on_with_members(target),
        }
    }

    pub(super) fn named(
        &mut self,
        target: &FunctionArn,
        versions: Option<Versions>,
        timing: Timing,
    ) {
        if timing.delayed {
            self.forget_descriptions(target);
        }
        let known = self.target(target);
        if let State::Naming { found, inactive } = &known.state {
            let (found, inactive) = (Some(found.clone()), *inactive);
            let readied = Readied { found, versions };
            known.state = State::Ready { readied, inactive };
            self.go_on_with_members(target);
        }
    }

    /// Time has passed: registrations that were described before have to be described again.
    pub(super) fn forget_descriptions(&mut self, target: &FunctionArn) {
        for id in self.target(target).members.clone() {
            if let Step::Waiting(registration) = &mut self.entries[id].step {
                *registration = None;
            }
        }
    }

    pub(super) fn go_on_with_members(&mut self, target: &FunctionArn) {
        for id in self.target(target).members.clone() {
            if !matches!(self.entries[id].step, Step::Waiting(_)) {
                continue;
            }
            match &self.target(target).state {
                State::Unusable(why) => {
                    let why = why.clone();
                    self.finish_unusable(id, why);
                }
                _ => self.is_ready(id),
            }
        }
        self.check_if_due(target);
    }

    pub(super) fn finish_unusable(&mut self, id: usize, why: Unusable) {
        match why {
            Unusable::Gone(error) if self.is_sweep() => {
                self.finish(id, Some(Outcome::Orphaned(Gone::Missing(error))));
            }
            Unusable::Gone(_) if self.is_at_what_is_gone(id) => self.rescue(id),
            Unusable::Gone(error) => self.fail(id, Failure::Function(error)),
            Unusable::Failed(failure) => self.fail(id, failure),
        }
    }

    /// Whether a registration already has the version that was to be its target, and is not being
    /// rescued.
    fn is_at_what_is_gone(&self, id: usize) -> bool {
        let entry = &self.entries[id];
        let registered = match &entry.step {
            Step::Waiting(Some(registration)) => Some(&registration.function_arn),
            _ => entry.updated_to.as_ref(),
        };
        registered.is_some_and(|registered| registered.version().is_some())
            && registered == entry.target.as_ref()
            && !matches!(entry.happened, Happened::Sweep { .. })
    }

    /// The function was recreated. Its registration is moved as by a sweep, because the event of the new
    /// function may have been handled before AppFlow stored the old version.
    fn rescue(&mut self, id: usize) {
        let entry = &mut self.entries[id];
        entry.happened = Happened::Sweep { to_newest: false };
        if let Some(target) = &entry.target {
            let function = target.with_qualifier(None);
            if let Some(Some(_)) = self.versions.get(&function) {
                self.versions.remove(&function);
            }
        }
        self.release(id);
        self.observe(id, None);
    }
}
