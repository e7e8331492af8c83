//! The steps of an invocation's registrations: observe, decide, wait, observe again, update, check,
//! and start over if the function changed in the meantime.
//!
//! This is a state machine without I/O. [`Steps`] returns the calls to make next, and takes their
//! answers in any order, so that a test can drive it through every order.
//!
//! Why it is correct at any concurrency: after every update, the same invocation reads the function's
//! configuration again. An invocation whose update may be stale therefore sees the newer code or version,
//! and updates again, so the check after the last update that AppFlow stores found nothing newer. This assumes
//! that AppFlow stores what it read before that check (docs/status.md). One race
//! remains, because AppFlow has no conditional update: if a sweep describes a version-pinned
//! registration, and an event's invocation moves it before the sweep's update, then the sweep leaves it
//! at the older version, and reports it as behind.

mod call;
mod check;
mod observe;
mod ready;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::mem;

use crate::model::change::RegisterAs;
use crate::model::client_token::ClientToken;
use crate::model::evidence::Configuration;
use crate::model::function_arn::{Function, FunctionArn, Version};
use crate::model::named_function::NamedFunction;
use crate::model::plan::Plan;
use crate::model::readiness::Found;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::service_error::ServiceError;
use crate::model::versions::Versions;
use crate::reconcile::decide::{Happened, Reply};
use crate::reconcile::outcome::{Connector, Failure, Outcome};
use crate::reconcile::plan::Common;

use crate::reconcile::target::Target;

pub use self::call::{Answer, Call, Of, Pause, Timing, Why};

/// What an invocation has to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// What happened.
    pub happened: Happened,
    /// The function that was deployed; `None` for a sweep.
    pub function: Option<Function>,
    /// The functions that a sweep names; `None` for all.
    pub functions: Option<Vec<NamedFunction>>,
    /// `FUNCTION_NAME_PREFIX`; empty for all functions.
    pub function_name_prefix: String,
    /// `REGISTER_AS`.
    pub register_as: RegisterAs,
    /// `GRANT_INVOKE`.
    pub grant_invoke: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// What plans have in common.
    pub common: Common,
    /// The AppFlow of the updater's own account and Region, for registrations whose description has no
    /// connector ARN; `None` if it is unknown, as under an emulator.
    pub beside: Option<AppFlowSource>,
}

/// A registration to describe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InScope {
    /// Its label.
    pub label: ConnectorLabel,
    /// Whether the settings or the sweep name it, so that it must exist.
    pub named: bool,
}

/// All registrations of an invocation and where each stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    job: Job,
    entries: Vec<Entry>,
    targets: BTreeMap<FunctionArn, Target>,
    /// The versions of each function; `None` while Lambda is being asked.
    versions: BTreeMap<FunctionArn, Option<Reply<Versions>>>,
    /// Whether each registered version exists; `None` while Lambda is being asked.
    existence: BTreeMap<FunctionArn, Option<Reply<bool>>>,
    /// How many registrations are undecided: checks wait for them for a while, so that one check serves
    /// all registrations with the same target.
    undecided: usize,
    calls: Vec<Call>,
    finished: Vec<Connector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    label: ConnectorLabel,
    named: bool,
    /// What happened: the invocation's reason, or a version that was published in the meantime.
    happened: Happened,
    step: Step,
    decided: bool,
    /// The ARN that AppFlow had before the first update.
    registered: Option<FunctionArn>,
    before: Option<Configuration>,
    source: Option<AppFlowSource>,
    /// The target of the update that is waited for or under way.
    target: Option<FunctionArn>,
    /// The newest version at the time of the decision.
    newest: Option<Version>,
    behind: Option<Version>,
    /// What the target was when the update was planned.
    found: Option<Found>,
    /// Updates done.
    rounds: u32,
    updated_to: Option<FunctionArn>,
    token: Option<ClientToken>,
    /// Failed tries of the update under way, and the last error.
    tries: u32,
    last_error: Option<ServiceError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// It is being described.
    Observing,
    /// Lambda is being asked what the decision needs.
    Asking(Box<Registration>),
    /// It waits until its target is ready. `None` once the description is outdated.
    Waiting(Option<Box<Registration>>),
    /// AppFlow is being granted permission to invoke the target.
    Granting(Box<Registration>),
    /// It is being updated.
    Updating(Box<Plan>),
    /// It was updated, and the function is being checked.
    Checking {
        /// Whether the function was found unchanged.
        passed: bool,
        /// The description after the update; `Some(None)` if DescribeConnector failed.
        after: Option<Option<Box<Registration>>>,
    },
    /// It has an outcome, or is not concerned.
    Done,
}

impl Steps {
    /// The steps of these registrations.
    pub fn new(job: Job, scope: Vec<InScope>) -> Self {
        let entries: Vec<Entry> = scope
            .into_iter()
            .map(|InScope { label, named }| Entry {
                label,
                named,
                happened: job.happened.clone(),
                step: Step::Observing,
                decided: false,
                registered: None,
                before: None,
                source: None,
                target: None,
                newest: None,
                behind: None,
                found: None,
                rounds: 0,
                updated_to: None,
                token: None,
                tries: 0,
                last_error: None,
            })
            .collect();
        let mut steps = Self {
            job,
            undecided: entries.len(),
            entries,
            targets: BTreeMap::new(),
            versions: BTreeMap::new(),
            existence: BTreeMap::new(),
            calls: Vec::new(),
            finished: Vec::new(),
        };
        for id in 0..steps.entries.len() {
            steps.observe(id, None);
        }
        steps
    }

    /// The calls to make now. Each is returned once.
    pub fn calls(&mut self) -> Vec<Call> {
        mem::take(&mut self.calls)
    }

    /// Whether all registrations are done. Pauses that are still under way do not matter then.
    pub fn is_done(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| matches!(entry.step, Step::Done))
    }

    /// The registrations that were finished since the last call of this method.
    pub fn finished(&mut self) -> Vec<Connector> {
        mem::take(&mut self.finished)
    }

    /// Takes back an update that waited too long for its turn: its registration is described again.
    pub fn overdue(&mut self, call: &Call) {
        if let Call::Update { id, .. } = call {
            self.observe(*id, None);
        }
    }

    /// Takes the answer to a call.
    pub fn answer(&mut self, answer: Answer, timing: Timing) {
        match answer {
            Answer::Described(id, Why::Observe, result) => self.observed(id, result),
            Answer::Described(id, Why::Evidence(round), result) => self.evident(id, round, result),
            Answer::Versions(function, Of::Decision, result) => {
                self.versions_known(&function, result, timing);
            }
            Answer::Versions(_, Of::Description(target), result) => {
                self.named(&target, result.ok(), timing);
            }
            Answer::Versions(function, Of::Check(target), result) => {
                self.newest_checked(&function, &target, result);
            }
            Answer::Exists(registered, result) => {
                self.existence_known(&registered, result, timing);
            }
            Answer::Looked(target, false, result) => self.looked(&target, result, timing),
            Answer::Looked(target, true, result) => self.looked_after(&target, result),
            Answer::Lingered(target, pause) => self.lingered(&target, pause),
            Answer::Granted(target, result) => self.granted(&target, result, timing),
            Answer::Updated(id, result) => self.updated(id, result, timing),
        }
    }

    /// Ends a registration that was updated. `after` is its description now, if there is one. If that has
    /// another ARN, somebody else wrote it, and it is left unchanged.
    fn finish_updated(&mut self, id: usize, target: FunctionArn, after: Option<&Registration>) {
        let entry = &self.entries[id];
        let since = after
            .map(|after| &after.function_arn)
            .filter(|arn| **arn != target);
        let after = after.filter(|_| since.is_none());
        let evidence = entry.before.as_ref().zip(after);
        let outcome = Outcome::Updated {
            behind: entry.behind.filter(|_| since.is_none()),
            since: since.cloned(),
            evidence: evidence.map(|(before, after)| before.evidence(&after.configuration)),
            target,
        };
        self.finish(id, Some(outcome));
    }

    fn fail(&mut self, id: usize, failure: Failure) {
        let target = self.entries[id].target.clone();
        self.finish(id, Some(Outcome::Failed { target, failure }));
    }

    /// Ends a registration, with no outcome if it is not concerned.
    fn finish(&mut self, id: usize, outcome: Option<Outcome>) {
        let entry = &mut self.entries[id];
        entry.step = Step::Done;
        entry.before = None;
        if let Some(outcome) = outcome {
            self.finished.push(Connector {
                label: entry.label.to_string(),
                registered: entry.registered.clone(),
                outcome,
            });
        }
        self.release(id);
        self.decided(id);
    }

    /// Removes a registration from its target. The target's check may have waited for it only.
    fn release(&mut self, id: usize) {
        if let Some(target) = self.entries[id].target.take() {
            if let Some(known) = self.targets.get_mut(&target) {
                known.members.remove(&id);
            }
            self.check_if_due(&target);
        }
    }

    fn is_sweep(&self) -> bool {
        self.job.function.is_none()
    }

    fn target(&mut self, target: &FunctionArn) -> &mut Target {
        self.targets
            .entry(target.clone())
            .or_insert_with(|| Target::new(target))
    }
}

impl Job {
    /// Whether registrations of this function are in scope.
    fn concerns(&self, function: &Function) -> bool {
        let deployed = self.function.as_ref();
        let named = self.functions.as_ref();
        function.name().starts_with(&self.function_name_prefix)
            && deployed.is_none_or(|deployed| deployed == function)
            && named.is_none_or(|named| named.iter().any(|named| named.is(function)))
    }
}
