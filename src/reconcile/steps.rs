//! The steps of an invocation's registrations: observe, decide, wait, observe again, update, check,
//! and again if the function changed meanwhile.
//!
//! Nothing here waits or calls anybody. [`Steps`] says which calls to make next and is given their
//! answers, in whatever order they come, so that a test can drive it through every order.
//!
//! Why it is right at any concurrency: every update is followed, by the same invocation, by a look at
//! the function that is no older than the update. An invocation whose update could be stale therefore
//! sees the newer code or version and updates again; the last update to be stored is followed by a
//! look that saw nothing newer.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use crate::model::change::{Change, RegisterAs};
use crate::model::client_token::ClientToken;
use crate::model::description::Unsendable;
use crate::model::evidence::Configuration;
use crate::model::function_arn::{Function, FunctionArn, Version};
use crate::model::named_function::NamedFunction;
use crate::model::plan::Plan;
use crate::model::readiness::{Found, Look, Readiness};
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration, Undescribed};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::model::versions::Versions;
use crate::reconcile::decide::{Decision, Happened, Known, Question, Told, decide};
use crate::reconcile::outcome::{Connector, Failure, Gone, Outcome};
use crate::reconcile::plan::{Common, Readied, names_the_newest};
use crate::reconcile::target::{Check, Grant, Looked, Seen, State, Target, Unusable, Wait};

/// How often a registration is updated before a function that changes each time is an error.
const ROUNDS: u32 = 8;
/// How often a call that changes something is tried before its error is final. With pauses of up to
/// 1, 2, 4 and 8 seconds, this is enough for a cold connector that missed AppFlow's 10 seconds.
const TRIES: u32 = 5;

/// How long updated registrations wait for others that share their target, before one look serves
/// them all.
const LINGER: Duration = Duration::from_secs(1);
/// The same while other registrations are still being described, any of which may share it.
const LINGER_UNDECIDED: Duration = Duration::from_secs(10);

/// What an invocation is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Why registrations are looked at.
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
    /// The AppFlow that registrations belong to where AppFlow does not tell: the updater's own;
    /// `None` where that is unknown, as under an emulator.
    pub beside: Option<AppFlowSource>,
}

/// A registration to look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InScope {
    /// Its label.
    pub label: ConnectorLabel,
    /// Whether the settings or the sweep name it: then it has to exist.
    pub named: bool,
}

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

/// All registrations of an invocation and where each stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    job: Job,
    entries: Vec<Entry>,
    targets: BTreeMap<FunctionArn, Target>,
    /// What is known of functions, or being asked.
    versions: BTreeMap<FunctionArn, Option<Told<Versions>>>,
    existence: BTreeMap<FunctionArn, Option<Told<bool>>>,
    /// How many registrations have not been decided on: no check begins before all are, so that one
    /// check serves all that share a target.
    undecided: usize,
    calls: Vec<Call>,
    finished: Vec<Connector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    label: ConnectorLabel,
    named: bool,
    /// Why it is looked at: the invocation's reason, or the version that was published meanwhile.
    happened: Happened,
    step: Step,
    decided: bool,
    /// What AppFlow had when the first update was tried.
    registered: Option<FunctionArn>,
    before: Option<Configuration>,
    source: Option<AppFlowSource>,
    /// The target it is on its way to.
    target: Option<FunctionArn>,
    /// The newest version that the decision took into account.
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
    /// A question is being answered.
    Asking(Box<Registration>),
    /// Its target is not ready. What was described no longer counts once that takes time.
    Waiting(Option<Box<Registration>>),
    /// AppFlow is being granted permission to invoke the target.
    Granting(Box<Registration>),
    /// It is being updated.
    Updating(Box<Plan>),
    /// It was updated; whether that was right is being looked at.
    Checking {
        /// Whether the function is what it was.
        passed: bool,
        /// What AppFlow has now: `Some(None)` if it does not tell.
        after: Option<Option<Box<Registration>>>,
    },
    /// Nothing more is to be done.
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

    /// The calls to make now, each once. When all are answered and there are no more, all is done.
    pub fn calls(&mut self) -> Vec<Call> {
        mem::take(&mut self.calls)
    }

    /// Whether all is done; pauses that are still under way are for nothing.
    pub fn is_done(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| matches!(entry.step, Step::Done))
    }

    /// What became of registrations since this was last asked.
    pub fn finished(&mut self) -> Vec<Connector> {
        mem::take(&mut self.finished)
    }

    /// Takes back an update that waited for its turn for long: its registration is described again.
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

    // Observe.

    fn observe(&mut self, id: usize, pause: Option<Pause>) {
        let entry = &mut self.entries[id];
        entry.step = Step::Observing;
        self.calls.push(Call::Describe {
            id,
            label: entry.label.clone(),
            why: Why::Observe,
            pause,
        });
    }

    fn observed(&mut self, id: usize, result: Result<Registration, Undescribed>) {
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
                // The time was up between two tries: the update's own error says more.
                return match (entry.last_error.clone(), error.kind) {
                    (Some(last), ErrorKind::OutOfTime) => self.fail_update(id, last),
                    _ => self.fail(id, Failure::Describe(error)),
                };
            }
            Err(Undescribed::NoFunction(why)) => {
                // Among the registrations of others it is theirs to repair.
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

    /// Leaves a registration alone that turns out not to be concerned, or no longer.
    fn leave(&mut self, id: usize) {
        match self.entries[id].updated_to.clone() {
            Some(target) => self.finish_updated(id, target, None),
            None => self.finish(id, None),
        }
    }

    // Decide.

    fn decide(&mut self, id: usize, registration: Box<Registration>) {
        let entry = &self.entries[id];
        let registered = &registration.function_arn;
        let function = registered.with_qualifier(None);
        let versions = self.versions.get(&function).and_then(Option::as_ref);
        let versions = versions.map(|told| match told {
            Told::Yes(versions) => Told::Yes(versions),
            Told::No => Told::No,
        });
        let known = Known {
            registered: self.existence.get(registered).copied().flatten(),
            versions,
        };
        match decide(registered, &entry.happened, self.job.register_as, known) {
            Decision::Update { target, behind } => {
                let newest = match (&entry.happened, versions) {
                    (Happened::Changed(Change::Published(Some(version))), _) => Some(*version),
                    (_, Some(Told::Yes(versions))) => versions.newest(),
                    _ => None,
                };
                let entry = &mut self.entries[id];
                entry.newest = newest;
                entry.behind = behind;
                self.head_for(id, target, registration);
                self.decided(id);
            }
            Decision::Skip(reason) => match entry.updated_to.clone() {
                // Somebody changed it after the update: it stays as they left it.
                Some(target) => self.finish_updated(id, target, Some(&registration)),
                None => {
                    // After a failed update it may be another ARN than the one before it.
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

    fn existence_known(
        &mut self,
        registered: &FunctionArn,
        result: Result<(), ServiceError>,
        timing: Timing,
    ) {
        let told = match result {
            Ok(()) => Ok(Told::Yes(true)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Told::Yes(false)),
            Err(error) if error.kind == ErrorKind::AccessDenied => Ok(Told::No),
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

    fn versions_known(
        &mut self,
        function: &FunctionArn,
        result: Result<Versions, ServiceError>,
        timing: Timing,
    ) {
        let told = match result {
            Ok(versions) => Ok(Told::Yes(versions)),
            // A sweep refreshes what it cannot look up; a deployment must not be lost that way.
            Err(error) if error.kind == ErrorKind::AccessDenied && self.is_sweep() => Ok(Told::No),
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

    /// Goes on with the registrations whose question was answered.
    fn go_on(
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

    fn decided(&mut self, id: usize) {
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

    // Wait until the target is ready.

    fn head_for(&mut self, id: usize, target: FunctionArn, registration: Box<Registration>) {
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
        let known = self.target(&target);
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

    fn look(&mut self, target: &FunctionArn, wait: Option<Wait>) {
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

    fn looked(&mut self, target: &FunctionArn, result: Result<Look, ServiceError>, timing: Timing) {
        let looked = self.target(target).looked(target, result);
        if timing.delayed || matches!(looked, Looked::Again(Some(_))) {
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

    fn named(&mut self, target: &FunctionArn, versions: Option<Versions>, timing: Timing) {
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

    /// Time has passed: what was described before a target was ready has to be described again.
    fn forget_descriptions(&mut self, target: &FunctionArn) {
        for id in self.target(target).members.clone() {
            if let Step::Waiting(registration) = &mut self.entries[id].step {
                *registration = None;
            }
        }
    }

    fn go_on_with_members(&mut self, target: &FunctionArn) {
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

    fn finish_unusable(&mut self, id: usize, why: Unusable) {
        match why {
            Unusable::Gone(error) if self.is_sweep() => {
                self.finish(id, Some(Outcome::Orphaned(Gone::Missing(error))));
            }
            Unusable::Gone(error) => self.fail(id, Failure::Function(error)),
            Unusable::Failed(failure) => self.fail(id, failure),
        }
    }

    // Observe again, grant, update.

    /// The target of a waiting registration is ready.
    fn is_ready(&mut self, id: usize) {
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

    fn grant(&mut self, target: &FunctionArn, source: AppFlowSource, tries: u32) {
        self.target(target).grant = Grant::Asked(tries);
        let target = target.clone();
        let pause = (tries > 0).then_some(Pause::Failed(tries));
        self.calls.push(Call::Grant {
            target,
            source,
            pause,
        });
    }

    fn granted(&mut self, target: &FunctionArn, result: Result<(), ServiceError>, timing: Timing) {
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
        // A grant that failed does not prove that AppFlow cannot invoke the version: somebody else
        // may have granted it.
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

    fn update(&mut self, id: usize, registration: &Registration, target: &FunctionArn) {
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

    fn updated(&mut self, id: usize, result: Result<(), ServiceError>, timing: Timing) {
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
        if let State::Ready { inactive, .. } = &mut self.target(&target).state
            && *inactive
        {
            // AppFlow's invocation has woken the function: now it is Pending, and then Active.
            *inactive = false;
            self.target(&target).state = State::Looking;
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

    fn fail_update(&mut self, id: usize, error: ServiceError) {
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

    // Check.

    /// Begins the check of a target when all updates to it are done; or some time after the first of
    /// them, so that one that takes long holds up no other.
    fn check_if_due(&mut self, target: &FunctionArn) {
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

    fn lingered(&mut self, target: &FunctionArn, pause: Duration) {
        let known = self.target(target);
        // Another pause may have begun meanwhile.
        if known.lingers != Some(pause) {
            return;
        }
        known.lingers = None;
        if known.can_be_checked() {
            self.check(target);
        }
    }

    fn check(&mut self, target: &FunctionArn) {
        let known = self.target(target);
        known.lingers = None;
        let of = mem::take(&mut known.updated);
        let at = known.at.clone();
        let seen = match &known.state {
            State::Ready { readied, .. } if readied.found.is_some() => None,
            State::Ready { .. } => Some(Ok(Seen::NotTold)),
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

    fn looked_after(&mut self, target: &FunctionArn, result: Result<Look, ServiceError>) {
        let seen = Seen::of(&result);
        let known = self.target(target);
        let changed = match &seen {
            Ok(Seen::Ready(found)) => !known.is(found),
            Ok(Seen::Changing) => true,
            Ok(Seen::NotTold) | Err(_) => false,
        };
        if let Some(check) = &mut known.check {
            check.seen = Some(seen);
        }
        if changed && matches!(known.state, State::Ready { .. }) {
            known.state = State::Looking;
            known.at = target.clone();
            known.grant = Grant::No;
            let managed = |look: &Look| look.readiness == Readiness::NonInvocable;
            if result.as_ref().is_ok_and(managed) {
                // It has become one on Lambda Managed Instances: look from the start.
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

    fn newest_checked(
        &mut self,
        function: &FunctionArn,
        target: &FunctionArn,
        result: Result<Versions, ServiceError>,
    ) {
        let newest = match result {
            Ok(versions) => {
                let newest = versions.newest();
                self.versions
                    .insert(function.clone(), Some(Told::Yes(versions)));
                Ok(newest)
            }
            // As for a function of another account: nothing can be known.
            Err(error) if error.kind == ErrorKind::AccessDenied => Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        if let Some(check) = &mut self.target(target).check {
            check.newest = Some(newest);
        }
        self.conclude_check(target);
    }

    fn conclude_check(&mut self, target: &FunctionArn) {
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
                Ok(Seen::NotTold) => Ok(true),
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

    fn evident(&mut self, id: usize, round: u32, result: Result<Registration, Undescribed>) {
        let entry = &mut self.entries[id];
        if let Step::Checking { after, .. } = &mut entry.step
            && round + 1 == entry.rounds
        {
            *after = Some(result.ok().map(Box::new));
            self.conclude(id);
        }
    }

    /// Ends a registration whose check has passed and of which AppFlow has told what it holds.
    fn conclude(&mut self, id: usize) {
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

    /// Once more, from the observation on; after `target` is ready again, if it is given.
    fn again(&mut self, id: usize, target: Option<&FunctionArn>) {
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
        }
    }

    // The end.

    /// Ends a registration that was updated. `after` is what AppFlow has now, where it tells: if that is
    /// another ARN, somebody else wrote it, and has the last word.
    fn finish_updated(&mut self, id: usize, target: FunctionArn, after: Option<&Registration>) {
        let entry = &self.entries[id];
        let since = after
            .map(|after| &after.function_arn)
            .filter(|arn| **arn != target);
        let after = after.filter(|_| since.is_none());
        let evidence = entry.before.as_ref().zip(after);
        let outcome = Outcome::Updated {
            behind: entry.behind,
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

    /// Takes a registration off the way to its target, whose check may have waited for it alone.
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
    /// Whether a registration of this function is to be looked at.
    fn concerns(&self, function: &Function) -> bool {
        let deployed = self.function.as_ref();
        let named = self.functions.as_ref();
        function.name().starts_with(&self.function_name_prefix)
            && deployed.is_none_or(|deployed| deployed == function)
            && named.is_none_or(|named| named.iter().any(|named| named.is(function)))
    }
}

impl Call {
    /// How urgent it is: what was begun is finished first, so that little time passes between a
    /// description and the update that it led to.
    pub fn urgency(&self) -> u8 {
        match self {
            Self::Describe {
                why: Why::Observe,
                pause: None,
                ..
            } => 0,
            Self::Describe { .. } => 1,
            Self::Versions { .. } | Self::Exists(_) | Self::Linger { .. } => 2,
            Self::Look { .. } => 3,
            Self::Grant { .. } => 4,
            Self::Update { .. } => 5,
        }
    }
}
