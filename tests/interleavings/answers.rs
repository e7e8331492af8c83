//! What AWS answers to a round, and to what `src/reconcile/aws_services.rs` makes of that: whether time has
//! passed is a property of the world here.

use connector_updater::decide::Cause;
use connector_updater::model::alias::Traffic;
use connector_updater::model::change::Change;
use connector_updater::model::function_arn::{FunctionArn, Qualifier, Version};
use connector_updater::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};

use crate::budget::{Budget, Without};
use crate::invocation::Invocation;
use crate::script::{Answer, Call, may_be_provisioning, not_ready};
use crate::state::State;
use crate::world::error;

impl State {
    /// The answer to a call that is handled now.
    pub fn answer(&self, invocation: &Invocation) -> Answer {
        let world = &self.world;
        match &invocation.asking.call {
            Call::Observe | Call::Evidence => Answer::Described(world.describe()),
            Call::Alias => Answer::Alias(
                world
                    .function
                    .alias(self.without != Without::WaitForWeights),
            ),
            Call::Function { target, runs } => {
                Answer::Function(self.function(invocation, target, runs))
            }
            Call::Versions => Answer::Versions(world.function.versions()),
            Call::IsFresh => Answer::Fresh(true),
            Call::Update(update) => {
                let refused = world.function.runs(&update.target);
                let refused =
                    refused.map_err(|kind| error(Operation::UpdateConnectorRegistration, kind));
                Answer::Updated(refused.map(|_| ()))
            }
        }
    }

    /// Whether the answer to a call is the same whatever happens first.
    pub fn is_final(&self, call: &Call) -> bool {
        let function = &self.world.function;
        let Budget {
            publish,
            change_latest,
            recreate,
            move_alias,
            roll_back,
            point_at_latest,
            split,
            ..
        } = self.budget;
        let moves = recreate + move_alias + roll_back + point_at_latest + split;
        let is_alias_final = moves == 0 && function.is_alias_settled() && !function.is_split();
        match call {
            Call::Alias => is_alias_final,
            Call::Function { .. } | Call::Versions => {
                is_alias_final && publish + change_latest == 0 && function.is_settled()
            }
            _ => false,
        }
    }

    /// Whether an invocation polls, and would find that it has to wait on.
    pub fn waits_on(&self, invocation: &Invocation) -> bool {
        let asking = &invocation.asking;
        let Some(waiting) = &asking.progress.waiting else {
            return false;
        };
        let is_read = asking
            .answers
            .iter()
            .any(|answer| !matches!(answer, Answer::Alias(_)));
        !is_read && self.is_unready(invocation, &waiting.target)
    }

    fn is_unready(&self, invocation: &Invocation, target: &FunctionArn) -> bool {
        let mut runs = target.clone();
        if let Some(Qualifier::Alias(_)) = target.qualifier() {
            let alias = self
                .world
                .function
                .alias(self.without != Without::WaitForWeights);
            match alias.traffic {
                Traffic::Split => return false,
                Traffic::All(behind)
                    if behind != alias.version
                        && may_be_provisioning(&invocation.asking.job, &behind) =>
                {
                    return true;
                }
                Traffic::All(behind) => runs = target.with_qualifier(Some(behind)),
            }
        }
        let read = self.function(invocation, target, &runs);
        read.is_ok_and(|read| matches!(read.readiness, Readiness::NotYet(_)))
    }

    /// GetFunctionConfiguration of what an invocation of `target` runs, and whether that is settled.
    fn function(
        &self,
        invocation: &Invocation,
        target: &FunctionArn,
        runs: &FunctionArn,
    ) -> Result<FunctionState, ServiceError> {
        let read = self.world.function.read(runs);
        match (&read, runs.version()) {
            (Ok(state), _)
                if state.readiness.is_ready()
                    && self.may_run_old_code(invocation, target, &state.code) =>
            {
                Ok(not_ready(Readiness::NotYet(Unready::JustChanged)))
            }
            (Err(error), Some(version))
                if error.kind == ErrorKind::NotFound
                    && self.may_become_known(invocation, version) =>
            {
                Ok(not_ready(Readiness::NotYet(Unready::Unknown)))
            }
            _ => read,
        }
    }

    fn may_run_old_code(
        &self,
        invocation: &Invocation,
        target: &FunctionArn,
        code: &DeployedCode,
    ) -> bool {
        let function = &self.world.function;
        let (event, _) = invocation.event.delivery;
        let may = match (target.qualifier(), &invocation.event.cause) {
            (Some(Qualifier::Version(_)), _) => false,
            (Some(Qualifier::Alias(_)), Cause::Changed(Change::AliasMoved { .. }))
                if function.is_move_recent(event, self.without != Without::StoringTime) =>
            {
                true
            }
            (Some(Qualifier::Alias(_)), _) => {
                code.version == "$LATEST" && function.is_latest_recent()
            }
            _ => function.is_latest_recent(),
        };
        may && self.without != Without::Minute
    }

    /// Whether a version that Lambda does not know may have been published a moment ago. One that does not
    /// exist does not become known while it is waited for.
    fn may_become_known(&self, invocation: &Invocation, version: Version) -> bool {
        let may = match invocation.version_read {
            Some((last, was_known)) if last == version => {
                !was_known && self.world.function.exists(version)
            }
            _ => true,
        };
        may && self.without != Without::WaitForVersion
    }

    /// The answer to a call that is not made, because its part of the updater is left out.
    pub fn instead(&self, invocation: &Invocation) -> Option<Answer> {
        let asking = &invocation.asking;
        let last = |is: fn(&Answer) -> bool| {
            let mut before = asking.answers.iter().rev();
            before.find(|answer| is(answer)).cloned()
        };
        match (self.without, &asking.call) {
            (Without::Check, Call::Alias) if asking.is_checking() => {
                last(|answer| matches!(answer, Answer::Alias(_)))
            }
            (Without::Check, Call::Function { .. }) if asking.is_checking() => {
                last(|answer| matches!(answer, Answer::Function(_)))
            }
            (Without::Check, Call::Versions) if asking.is_checking() => {
                Some(Answer::Versions(Default::default()))
            }
            (Without::Observation, Call::Observe) => {
                let first = invocation.described_first.clone();
                first.map(Answer::Described)
            }
            _ => None,
        }
    }
}

/// Whether a read tells that Lambda knows the version.
pub fn is_known(read: &Result<FunctionState, ServiceError>) -> bool {
    match read {
        Ok(state) => state.readiness != Readiness::NotYet(Unready::Unknown),
        Err(_) => false,
    }
}
