//! Update: observe again if time has passed, grant permission to invoke, and update.

use std::mem;

use crate::model::function_arn::FunctionArn;
use crate::model::registration::{AppFlowSource, Registration};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::outcome::{Failure, Outcome};
use crate::reconcile::plan::Readied;
use crate::reconcile::steps::{Call, Pause, Timing, Why};
use crate::reconcile::steps::{Step, Steps};
use crate::reconcile::target::{Grant, State};

/// How often an update or a grant is tried. The pauses of up to 1, 2, 4, and 8 seconds are for a connector
/// whose cold start missed AppFlow's 10 seconds.
const TRIES: u32 = 5;

impl Steps {
    /// The target of a waiting registration is ready.
    pub(super) fn is_ready(&mut self, id: usize) {
        let entry = &mut self.entries[id];
        let Step::Waiting(registration) = &mut entry.step else {
            return;
        };
        let (Some(registration), Some(target)) = (registration.take(), entry.target.clone()) else {
            return self.observe(id, None);
        };
        if self.job.dry_run {
            let behind = entry.behind;
            return self.finish(id, Some(Outcome::Planned { target, behind }));
        }
        let grants = self.job.grant_invoke && target.version().is_some();
        let source = entry.source.clone();
        match (&self.target(&target).grant, source) {
            (Grant::No, Some(source)) if grants => {
                self.entries[id].step = Step::Granting(registration);
                self.grant(&target, source, 0);
            }
            (Grant::Asked(_), _) => self.entries[id].step = Step::Granting(registration),
            _ => self.update(id, &registration, &target),
        }
    }

    pub(super) fn grant(&mut self, target: &FunctionArn, source: AppFlowSource, tries: u32) {
        self.target(target).grant = Grant::Asked(tries);
        let target = target.clone();
        let pause = (tries > 0).then_some(Pause::Failed(tries));
        self.calls.push(Call::Grant {
            target,
            source,
            pause,
        });
    }

    pub(super) fn granted(
        &mut self,
        target: &FunctionArn,
        result: Result<(), ServiceError>,
        timing: Timing,
    ) {
        let tries = match self.target(target).grant {
            Grant::Asked(tries) => tries + 1,
            _ => TRIES,
        };
        let mut granting = self.target(target).members.clone();
        granting.retain(|id| matches!(self.entries[*id].step, Step::Granting(_)));
        let source = granting
            .first()
            .and_then(|id| self.entries[*id].source.clone());
        if let (Err(error), Some(source)) = (&result, source)
            && error.kind == ErrorKind::Conflict
            && tries < TRIES
        {
            return self.grant(target, source, tries);
        }
        // If the grant failed, AppFlow may still be allowed to invoke the version: somebody else may
        // have granted it.
        self.target(target).grant = Grant::Done(result.err());
        for id in granting {
            let step = mem::replace(&mut self.entries[id].step, Step::Observing);
            match step {
                Step::Granting(registration) if !timing.delayed && tries == 1 => {
                    self.update(id, &registration, target);
                }
                _ => self.observe(id, None),
            }
        }
    }

    pub(super) fn update(&mut self, id: usize, registration: &Registration, target: &FunctionArn) {
        let readied = match &self.target(target).state {
            State::Ready { readied, .. } => readied.clone(),
            _ => Readied::default(),
        };
        let entry = &mut self.entries[id];
        let (plan, left_out) = self.job.common.plan(
            &entry.label,
            registration,
            target,
            &readied,
            entry.token.as_ref(),
        );
        let plan = Box::new(plan);
        entry.found = readied.found;
        entry.step = Step::Updating(plan.clone());
        self.calls.push(Call::Update { id, plan, left_out });
    }

    pub(super) fn updated(&mut self, id: usize, result: Result<(), ServiceError>, timing: Timing) {
        let entry = &mut self.entries[id];
        let Step::Updating(plan) = mem::replace(&mut entry.step, Step::Observing) else {
            return;
        };
        let target = plan.target;
        let error = match result {
            Ok(()) => {
                entry.token = Some(plan.token);
                entry.updated_to = Some(target.clone());
                entry.target = None;
                entry.tries = 0;
                entry.last_error = None;
                entry.step = Step::Checking {
                    passed: false,
                    after: None,
                };
                self.calls.push(Call::Describe {
                    id,
                    label: entry.label.clone(),
                    why: Why::Evidence(entry.rounds),
                    pause: None,
                });
                entry.rounds += 1;
                let known = self.target(&target);
                known.members.remove(&id);
                known.updated.insert(id);
                return self.check_if_due(&target);
            }
            Err(error) => error,
        };
        if let State::Ready { inactive: true, .. } = self.target(&target).state
            && error.kind != ErrorKind::NoAnswer
        {
            // AppFlow's invocation has woken the function: it is Pending now, and Active after that.
            let known = self.target(&target);
            known.woken = true;
            known.state = State::Looking;
            self.entries[id].step = Step::Waiting(None);
            return self.look(&target, None);
        }
        let entry = &mut self.entries[id];
        let throttled = error.kind == ErrorKind::Throttled && timing.time_left;
        if error.kind.is_transient() && (entry.tries + 1 < TRIES || throttled) {
            entry.tries += 1;
            let pause = match error.kind {
                ErrorKind::NoAnswer => Pause::Unanswered,
                _ => Pause::Failed(entry.tries),
            };
            entry.last_error = Some(error);
            self.release(id);
            return self.observe(id, Some(pause));
        }
        let error = match entry.last_error.take() {
            Some(last) if error.kind == ErrorKind::OutOfTime => last,
            _ => error,
        };
        self.entries[id].target = Some(target);
        self.fail_update(id, error);
    }

    pub(super) fn fail_update(&mut self, id: usize, error: ServiceError) {
        let entry = &self.entries[id];
        let target = entry.target.as_ref();
        let grant = target.and_then(|target| match &self.targets.get(target)?.grant {
            Grant::Done(error) => error.clone(),
            Grant::No | Grant::Asked(_) => None,
        });
        let source = entry.source.clone();
        let failure = Failure::Update {
            error,
            grant,
            source,
        };
        self.fail(id, failure);
    }
}
