//! A state of the search: the world, the invocations in progress, and what can still happen; and the
//! moves from it.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use connector_updater::model::change::{Change, RegisterAs};
use connector_updater::model::function_arn::{FunctionArn, Version};
use connector_updater::model::plan::Plan;
use connector_updater::model::readiness::Look;
use connector_updater::model::registration::Registration;
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};
use connector_updater::model::versions::Versions;
use connector_updater::reconcile::decide::Happened;
use connector_updater::reconcile::outcome::{FailureKind, Outcome};
use connector_updater::reconcile::plan::Common;
use connector_updater::reconcile::steps::{
    Answer, Call, InScope, Job, Of, Pause, Steps, Timing, Why,
};

use crate::shared::{Shared, digest, sum};
use crate::world::{Operator, Read, World, arn, error};

/// How many invocations run at once.
const AT_ONCE: usize = 2;
/// Lambda retries a failed asynchronous invocation twice.
const TRIES: u8 = 3;

/// How often each thing can still happen. Each may also happen less often, or never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// A version is published, with new code.
    pub publish: u8,
    /// The unpublished code changes.
    pub change_latest: u8,
    /// The alias moves to the newest version.
    pub move_alias: u8,
    /// The function is deleted and recreated.
    pub recreate: u8,
    /// An operator changes the first registration, in this way.
    pub operator: Vec<Operator>,
    /// An event is delivered twice.
    pub double: u8,
    /// An event is never delivered.
    pub drop: u8,
    /// AppFlow stores what it read later than it read it.
    pub late: u8,
    /// An update, or AppFlow's response to it, is lost.
    pub lose: u8,
    /// Lambda ends the process of an invocation.
    pub crash: u8,
    /// A sweep runs, once nothing is under way and an event was lost.
    pub sweep: u8,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (times, what) in [
            (self.publish, "published"),
            (self.change_latest, "$LATEST changed"),
            (self.move_alias, "alias moved"),
            (self.recreate, "recreated"),
            (self.double, "event doubled"),
            (self.drop, "event dropped"),
            (self.late, "stored late"),
            (self.lose, "answer lost"),
            (self.crash, "process ended"),
            (self.sweep, "swept"),
        ] {
            if times > 0 {
                write!(f, "{what} {times}x, ")?;
            }
        }
        write!(f, "operator {:?}", self.operator)
    }
}

/// The part of the updater that is left out, to see that the search finds a counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Without {
    /// Nothing: the updater as it is.
    Nothing,
    /// The check after an update: its answer is what was found before the update.
    Check,
    /// The description right before an update: its answer is the first description.
    Observation,
}

/// A state of the search.
#[derive(Clone)]
pub struct State {
    pub world: Shared<World>,
    budget: Budget,
    without: Without,
    deployments: u8,
    /// Under way, oldest first; they are delivered in any order.
    events: Vec<Event>,
    invocations: Vec<Shared<Invocation>>,
    /// Whether an event was lost that no sweep has made up for.
    lost: bool,
    /// The newest version of which an event was handled since an operator changed something, with the
    /// function's generation.
    handled: Option<(u8, Version)>,
    /// The newest version that a sweep reported a registration as behind, by label.
    behind: BTreeMap<String, Version>,
}

/// An event under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Event {
    /// Which deployment it is of.
    number: u8,
    generation: u8,
    happened: Happened,
    /// Invocations that failed.
    tries: u8,
    /// Whether an invocation has begun with it.
    begun: bool,
    /// Whether an operator has changed something since. The operator's change must be kept, whatever
    /// another delivery of the event would do.
    operated: bool,
}

#[derive(Clone)]
struct Invocation {
    event: Event,
    steps: Steps,
    calls: Vec<Pending>,
    /// What it described last, by label, until the update that follows.
    described: BTreeMap<String, Described>,
    /// What it described first, and what it read last of each target before its update: the answers for
    /// a part of the updater that is left out.
    described_first: BTreeMap<String, Registration>,
    looked: BTreeMap<FunctionArn, Look>,
    failed: Option<FailureKind>,
    /// What it last updated a registration to, and the same before an operator changed it.
    updated_to: Option<FunctionArn>,
    left: Option<FunctionArn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Described {
    arn: FunctionArn,
    description: Option<String>,
    /// Whether a call or a pause took long since.
    time_passed: bool,
}

/// A call that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    call: Call,
    /// Whether a registration has changed while it was under way.
    disturbed: bool,
    /// Whether it was under way before a registration was described: then a delay of it says nothing
    /// about the time since the description.
    older: bool,
    /// What AppFlow has read for it and not yet stored.
    read: Option<Read>,
}

/// Something that can happen next. Numbers are positions in the lists of the [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Publish,
    ChangeLatest,
    PointAlias,
    Recreate,
    Settle,
    Operate(u8),
    /// An event begins an invocation, and may be delivered again.
    Begin(u8, bool),
    Drop(u8),
    Sweep,
    /// A call is handled and answered, perhaps after a delay.
    Answer(u8, u8, bool),
    /// An update ends in another way.
    Update(u8, u8, Ending),
    /// AppFlow stores what it read for a call that is still in progress, and answers it.
    Store(u8, u8),
    /// AppFlow stores what it read for a call whose response was lost.
    StoreUnclaimed(u8),
    Crash(u8),
}

/// How an update ends, other than by an immediate answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It never reaches AppFlow.
    Dropped,
    /// It is done, and the response is lost.
    AnswerLost,
    /// AppFlow reads the configuration now, and stores it and responds later.
    Late,
    /// AppFlow reads the configuration now, and stores it later, and the response is lost.
    LateAndLost,
}

/// A promise that is broken.
pub type Violation = String;

impl State {
    pub fn new(world: World, budget: Budget, without: Without) -> Self {
        Self {
            world: Shared::new(world),
            budget,
            without,
            deployments: 0,
            events: Vec::new(),
            invocations: Vec::new(),
            lost: false,
            handled: None,
            behind: BTreeMap::new(),
        }
    }

    /// A digest that two states share if the same can happen in them. The order of the invocations does
    /// not matter.
    pub fn digest(&self) -> u64 {
        let invocations = sum(self.invocations.iter().map(Shared::digest));
        let found = (self.lost, &self.handled, &self.behind);
        let under_way = (&self.events, invocations, &self.budget);
        digest(&(self.world.digest(), under_way, found))
    }

    /// Whether nothing is under way.
    pub fn is_quiet(&self) -> bool {
        self.events.is_empty()
            && self.invocations.is_empty()
            && self.world.unclaimed.is_empty()
            && !self.world.is_settling()
    }

    /// Everything that can happen next.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        let budget = &self.budget;
        // Lambda refuses a deployment while another is in progress.
        if self.world.is_settling() {
            moves.push(Move::Settle);
        } else {
            for (left, deployment) in [
                (budget.publish, Move::Publish),
                (budget.change_latest, Move::ChangeLatest),
                (budget.move_alias, Move::PointAlias),
                (budget.recreate, Move::Recreate),
            ] {
                if left > 0 {
                    moves.push(deployment);
                }
            }
            // An operator who updates a registration in the middle of a deployment makes AppFlow read the
            // old code, and the deployment's event may have been handled already.
            moves.extend(numbers(&budget.operator).map(Move::Operate));
        }
        for (position, event) in (0..).zip(&self.events) {
            // AppFlow has stored what it read before Lambda retries.
            let waits = event.tries > 0 && !self.world.unclaimed.is_empty();
            if self.invocations.len() < AT_ONCE && !waits {
                moves.push(Move::Begin(position, false));
                if budget.double > 0 && event.tries == 0 {
                    moves.push(Move::Begin(position, true));
                }
            }
            if budget.drop > 0 {
                moves.push(Move::Drop(position));
            }
        }
        if budget.sweep > 0 && self.lost && self.is_quiet() {
            moves.push(Move::Sweep);
        }
        for (id, invocation) in (0..).zip(&self.invocations) {
            for (position, pending) in (0..).zip(&invocation.calls) {
                if pending.read.is_some() {
                    moves.push(Move::Store(id, position));
                    continue;
                }
                // By then, AppFlow has stored what it read for an update whose response was lost.
                if let Call::Describe {
                    pause: Some(Pause::Unanswered),
                    ..
                } = &pending.call
                    && self.world.is_storing(invocation.event.number)
                {
                    continue;
                }
                moves.push(Move::Answer(id, position, false));
                if let Call::Update { .. } = &pending.call {
                    if budget.late > 0 {
                        moves.push(Move::Update(id, position, Ending::Late));
                    }
                    if budget.lose > 0 {
                        moves.push(Move::Update(id, position, Ending::Dropped));
                        moves.push(Move::Update(id, position, Ending::AnswerLost));
                    }
                    if budget.late > 0 && budget.lose > 0 {
                        moves.push(Move::Update(id, position, Ending::LateAndLost));
                    }
                } else if pending.disturbed && !pending.older {
                    moves.push(Move::Answer(id, position, true));
                }
            }
            if budget.crash > 0 {
                moves.push(Move::Crash(id));
            }
        }
        moves.extend(numbers(&self.world.unclaimed).map(Move::StoreUnclaimed));
        moves
    }

    /// The state after a move.
    pub fn after(&self, happens: Move) -> Result<Self, Violation> {
        let mut state = self.clone();
        state.happen(happens)?;
        if state.is_quiet() && !state.lost {
            state.check_end()?;
        }
        Ok(state)
    }

    fn happen(&mut self, happens: Move) -> Result<(), Violation> {
        match happens {
            Move::Publish => {
                self.budget.publish -= 1;
                let change = self.world.change().publish();
                self.deployed(change);
            }
            Move::ChangeLatest => {
                self.budget.change_latest -= 1;
                let change = self.world.change().change_latest();
                self.deployed(change);
            }
            Move::PointAlias => {
                self.budget.move_alias -= 1;
                if let Some(change) = self.world.change().move_alias() {
                    self.deployed(change);
                }
            }
            Move::Recreate => {
                self.budget.recreate -= 1;
                let change = self.world.change().recreate();
                self.deployed(change);
            }
            Move::Settle => self.world.change().settle(),
            Move::Operate(position) => {
                let change = self.budget.operator.remove(position.into());
                let label = self.world.registrations.keys().next().cloned();
                if self
                    .world
                    .change()
                    .operate(&label.unwrap_or_default(), &change)
                {
                    self.handled = None;
                    for event in self.events.iter_mut().filter(|event| event.begun) {
                        event.operated = true;
                    }
                    for invocation in &mut self.invocations {
                        let invocation = invocation.change();
                        invocation.event.operated = true;
                        invocation.left = invocation.updated_to.take();
                    }
                    self.registration_changed();
                }
            }
            Move::Begin(position, again) => {
                let event = if again {
                    self.budget.double -= 1;
                    let event = &mut self.events[usize::from(position)];
                    event.begun = true;
                    event.clone()
                } else {
                    self.events.remove(position.into())
                };
                self.begin(event)?;
            }
            Move::Drop(position) => {
                self.budget.drop -= 1;
                self.events.remove(position.into());
                self.lost = true;
            }
            Move::Sweep => {
                self.budget.sweep -= 1;
                self.lost = false;
                self.begin(Event {
                    number: u8::MAX,
                    generation: self.world.function.generation,
                    happened: Happened::Sweep { to_newest: false },
                    tries: 0,
                    begun: true,
                    operated: false,
                })?;
            }
            Move::Answer(id, position, delayed) => {
                let pending = self.take(id, position);
                let answer = self.answer(id, &pending.call);
                self.answered(id, &pending.call, answer, delayed)?;
            }
            Move::Update(id, position, ending) => self.update(id, position, ending)?,
            Move::Store(id, position) => {
                let pending = self.take(id, position);
                let Pending {
                    call: Call::Update { id: of, .. },
                    read: Some(read),
                    ..
                } = &pending
                else {
                    unreachable!("only updates store");
                };
                self.store(read.clone());
                self.answered(id, &pending.call, Answer::Updated(*of, Ok(())), false)?;
            }
            Move::StoreUnclaimed(position) => {
                let read = self.world.change().unclaimed.remove(position.into());
                self.store(read);
            }
            Move::Crash(id) => {
                self.budget.crash -= 1;
                let invocation = self.invocations.remove(id.into());
                let reads = invocation.calls.iter();
                let reads = reads.filter_map(|pending| pending.read.clone());
                self.world.change().unclaimed.extend(reads);
                self.try_again(&invocation.event, FailureKind::OutOfTime)?;
            }
        }
        Ok(())
    }

    fn deployed(&mut self, change: Change) {
        self.deployments += 1;
        self.events.push(Event {
            number: self.deployments,
            generation: self.world.function.generation,
            happened: Happened::Changed(change),
            tries: 0,
            begun: false,
            operated: false,
        });
    }

    fn begin(&mut self, event: Event) -> Result<(), Violation> {
        let sweeps = matches!(event.happened, Happened::Sweep { .. });
        let job = Job {
            happened: event.happened.clone(),
            function: (!sweeps).then(|| arn().function().clone()),
            functions: None,
            function_name_prefix: String::new(),
            register_as: RegisterAs::Follow,
            grant_invoke: false,
            dry_run: false,
            common: Common {
                cause: format!("event {}", event.number),
                template: None,
                date: String::new(),
            },
            beside: None,
        };
        let scope = self.world.registrations.keys().map(|label| InScope {
            label: label.parse().expect("a label"),
            named: false,
        });
        let invocation = Invocation {
            event,
            steps: Steps::new(job, scope.collect()),
            calls: Vec::new(),
            described: BTreeMap::new(),
            described_first: BTreeMap::new(),
            looked: BTreeMap::new(),
            failed: None,
            updated_to: None,
            left: None,
        };
        self.invocations.push(Shared::new(invocation));
        self.go_on(self.invocations.len() - 1)
    }

    fn take(&mut self, id: u8, position: u8) -> Pending {
        let invocation = self.invocations[usize::from(id)].change();
        invocation.calls.remove(position.into())
    }

    /// The answer to a call that is handled now.
    fn answer(&mut self, id: u8, call: &Call) -> Answer {
        match call {
            Call::Describe {
                id: of, label, why, ..
            } => Answer::Described(*of, *why, Ok(self.world.describe(label.as_str()))),
            Call::Versions { function, of } => {
                Answer::Versions(function.clone(), of.clone(), Ok(self.world.versions()))
            }
            Call::Exists(registered) => {
                Answer::Exists(registered.clone(), self.world.look(registered).map(drop))
            }
            Call::Look {
                target, at, check, ..
            } => Answer::Looked(target.clone(), *check, self.world.look(at)),
            Call::Linger { target, pause } => Answer::Lingered(target.clone(), *pause),
            Call::Grant { .. } => unreachable!("nothing is granted here"),
            Call::Update { id: of, plan, .. } => {
                let result = match self.read(id, plan) {
                    Ok(Some(read)) => {
                        self.store(read);
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                Answer::Updated(*of, result)
            }
        }
    }

    fn update(&mut self, id: u8, position: u8, ending: Ending) -> Result<(), Violation> {
        let mut pending = self.take(id, position);
        let Call::Update { id: of, plan, .. } = &pending.call else {
            unreachable!("only updates end in these ways");
        };
        let no_answer = error(Operation::UpdateConnectorRegistration, ErrorKind::NoAnswer);
        let lost = Answer::Updated(*of, Err(no_answer));
        if ending != Ending::Late {
            self.budget.lose -= 1;
        }
        if ending == Ending::Dropped {
            return self.answered(id, &pending.call, lost, false);
        }
        let read = match self.read(id, plan) {
            Ok(Some(read)) => read,
            // There is nothing to store, so the response is immediate or lost.
            Ok(None) | Err(_) if ending != Ending::Late => {
                return self.answered(id, &pending.call, lost, false);
            }
            result => {
                let answer = Answer::Updated(*of, result.map(drop));
                return self.answered(id, &pending.call, answer, false);
            }
        };
        match ending {
            Ending::AnswerLost => self.store(read),
            Ending::Late => {
                self.budget.late -= 1;
                pending.read = Some(read);
                let invocation = self.invocations[usize::from(id)].change();
                invocation.calls.push(pending);
                return Ok(());
            }
            Ending::LateAndLost => {
                self.budget.late -= 1;
                self.world.change().unclaimed.push(read);
            }
            Ending::Dropped => {}
        }
        self.answered(id, &pending.call, lost, false)
    }

    /// AppFlow reads the configuration for an update.
    fn read(&self, id: u8, plan: &Plan) -> Result<Option<Read>, ServiceError> {
        let cause = self.invocations[usize::from(id)].event.number;
        let calls = self.invocations.iter().flat_map(|other| &other.calls);
        let in_progress = calls.filter_map(|pending| pending.read.as_ref());
        self.world.read(cause, plan, in_progress)
    }

    fn store(&mut self, read: Read) {
        self.behind.remove(read.label());
        self.world.change().store(read);
        self.registration_changed();
    }

    fn registration_changed(&mut self) {
        for invocation in &mut self.invocations {
            for pending in &mut invocation.change().calls {
                pending.disturbed = true;
            }
        }
    }

    /// Passes the answer to a call to its invocation.
    fn answered(
        &mut self,
        id: u8,
        call: &Call,
        answer: Answer,
        delayed: bool,
    ) -> Result<(), Violation> {
        let id = usize::from(id);
        let invocation = self.invocations[id].change();
        let paused = matches!(call, Call::Look { wait: Some(_), .. } | Call::Linger { .. });
        if delayed || paused {
            for described in invocation.described.values_mut() {
                described.time_passed = true;
            }
        }
        match &answer {
            Answer::Described(_, Why::Observe, Ok(registration)) => {
                if let Call::Describe { label, .. } = call {
                    let described = Described {
                        arn: registration.function_arn.clone(),
                        description: registration.description.clone(),
                        time_passed: false,
                    };
                    invocation.described.insert(label.to_string(), described);
                    for pending in &mut invocation.calls {
                        pending.older = true;
                    }
                    if self.without == Without::Observation {
                        let first = invocation.described_first.entry(label.to_string());
                        first.or_insert_with(|| registration.clone());
                    }
                }
            }
            Answer::Updated(_, Ok(())) => {
                if let Call::Update { plan, .. } = call {
                    invocation.updated_to = Some(plan.target.clone());
                }
            }
            Answer::Looked(target, false, Ok(look)) if self.without == Without::Check => {
                invocation.looked.insert(target.clone(), look.clone());
            }
            _ => {}
        }
        let timing = Timing {
            delayed,
            time_left: true,
        };
        invocation.steps.answer(answer, timing);
        self.go_on(id)
    }

    /// Takes the calls that an invocation makes next, and ends it if it is done.
    fn go_on(&mut self, id: usize) -> Result<(), Violation> {
        let invocation = self.invocations[id].change();
        loop {
            let calls = invocation.steps.calls();
            if calls.is_empty() {
                break;
            }
            for call in calls {
                match invocation.instead(&call, self.without) {
                    Some(answer) => {
                        let timing = Timing {
                            delayed: false,
                            time_left: true,
                        };
                        invocation.steps.answer(answer, timing);
                    }
                    None => {
                        invocation.check_call(&call, &self.world)?;
                        invocation.calls.push(Pending {
                            call,
                            disturbed: false,
                            older: false,
                            read: None,
                        });
                    }
                }
            }
        }
        for connector in invocation.steps.finished() {
            match connector.outcome {
                Outcome::Failed { failure, .. } => invocation.failed = Some(failure.kind()),
                Outcome::Updated {
                    behind: Some(newest),
                    ..
                } => {
                    self.behind.insert(connector.label, newest);
                }
                _ => {}
            }
        }
        if invocation.steps.is_done() {
            let invocation = self.invocations.remove(id);
            self.ended(&invocation)?;
            self.forget_tokens(&invocation.event);
            return Ok(());
        }
        if invocation.calls.is_empty() {
            return Err("an invocation waits for nothing and does not end".to_owned());
        }
        Ok(())
    }

    /// Forgets the tokens of an event that will not be delivered again, because no other call has them.
    fn forget_tokens(&mut self, event: &Event) {
        let same = |other: &Event| other.number == event.number;
        let invocations = &mut self.invocations.iter();
        if !self.events.iter().any(same) && !invocations.any(|other| same(&other.event)) {
            self.world.change().forget_tokens(event.number);
        }
    }

    fn ended(&mut self, invocation: &Invocation) -> Result<(), Violation> {
        if let Some(kind) = invocation.failed {
            return self.try_again(&invocation.event, kind);
        }
        if let Happened::Changed(Change::Published(Some(version))) = invocation.event.happened
            && !invocation.event.operated
        {
            self.handled = self
                .handled
                .max(Some((invocation.event.generation, version)));
        }
        Ok(())
    }

    fn try_again(&mut self, event: &Event, kind: FailureKind) -> Result<(), Violation> {
        let mut event = event.clone();
        event.begun = true;
        event.tries += 1;
        if event.tries < TRIES {
            self.events.push(event);
            self.events.sort_by_key(|event| (event.number, event.tries));
            return Ok(());
        }
        // The event of a function that was deleted since may end in the failure queue.
        if kind == FailureKind::FunctionNotFound
            && event.generation < self.world.function.generation
        {
            return Ok(());
        }
        Err(format!(
            "an event ends in the failure queue: {}",
            kind.name()
        ))
    }

    /// Checks the promises for a final state.
    fn check_end(&self) -> Result<(), Violation> {
        for (label, registered) in &self.world.registrations {
            let answers = self.world.answers(&registered.arn);
            if answers != Ok(registered.code) {
                return Err(format!(
                    "{label} holds code {}, and its function returns {answers:?}",
                    registered.code
                ));
            }
            if let (Some(pinned), Some((generation, handled))) =
                (registered.arn.version(), self.handled)
                && pinned < handled
                && self.world.has(generation, handled)
                // A sweep that described the registration before the event's update, and updated it
                // afterward, cannot know of it. But it must report the registration as behind.
                && self.behind.get(label).is_none_or(|told| *told < handled)
            {
                return Err(format!(
                    "{label} is at version {pinned}, and the event of version {handled} was handled"
                ));
            }
        }
        Ok(())
    }

    /// Describes a move.
    pub fn tell(&self, happens: Move) -> String {
        let event = |event: &Event| format!("{:?}", event.happened);
        let about = |id: u8| {
            let invocation = &self.invocations[usize::from(id)];
            format!("updater ({})", event(&invocation.event))
        };
        let call = |id: u8, position: u8| {
            &self.invocations[usize::from(id)].calls[usize::from(position)].call
        };
        match happens {
            Move::Begin(position, again) => format!(
                "event: {}{}",
                event(&self.events[usize::from(position)]),
                if again {
                    ", which will be delivered again"
                } else {
                    ""
                }
            ),
            Move::Drop(position) => {
                format!("lost: {}", event(&self.events[usize::from(position)]))
            }
            Move::Operate(position) => {
                format!(
                    "operator: {:?}",
                    self.budget.operator[usize::from(position)]
                )
            }
            Move::Answer(id, position, delayed) => format!(
                "{}: {}{}",
                about(id),
                name(call(id, position)),
                if delayed { ", after a delay" } else { "" }
            ),
            Move::Update(id, position, ending) => {
                format!("{}: {}, {ending:?}", about(id), name(call(id, position)))
            }
            Move::Store(id, position) => {
                format!(
                    "{}: {} is stored and answered",
                    about(id),
                    name(call(id, position))
                )
            }
            Move::StoreUnclaimed(_) => "AppFlow stores what it read".to_owned(),
            Move::Crash(id) => format!("{} crashes", about(id)),
            other => format!("{other:?}"),
        }
    }
}

/// The order of the calls under way makes no difference.
impl Hash for Invocation {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.event, &self.steps, &self.failed).hash(hasher);
        (&self.described, &self.described_first, &self.looked).hash(hasher);
        (&self.updated_to, &self.left).hash(hasher);
        sum(self.calls.iter().map(digest)).hash(hasher);
    }
}

impl Invocation {
    /// Checks that an update does not undo a change that somebody made before time passed since the
    /// description. It cannot know of a change during the update itself.
    fn check_call(&mut self, call: &Call, world: &World) -> Result<(), Violation> {
        let Call::Update { plan, .. } = call else {
            return Ok(());
        };
        let label = plan.label.as_str();
        let now = world.describe(label);
        let Some(described) = self.described.remove(label) else {
            return Err(format!("{label} is updated without a description of it"));
        };
        if self.left.as_ref() == Some(&plan.target) && described.arn != plan.target {
            return Err(format!(
                "{label} is updated to {}, which an operator has changed",
                plan.target
            ));
        }
        if described.time_passed
            && (described.arn, described.description) != (now.function_arn, now.description)
        {
            return Err(format!(
                "{label} is updated to {} as it was described before somebody changed it",
                plan.target
            ));
        }
        Ok(())
    }

    /// The answer to a call that is not made, because its part of the updater is left out.
    fn instead(&self, call: &Call, without: Without) -> Option<Answer> {
        match (without, call) {
            (
                Without::Check,
                Call::Look {
                    target,
                    check: true,
                    ..
                },
            ) => {
                let look = self.looked[target].clone();
                Some(Answer::Looked(target.clone(), true, Ok(look)))
            }
            (
                Without::Check,
                Call::Versions {
                    function,
                    of: of @ Of::Check(_),
                },
            ) => {
                let none = Versions::default();
                Some(Answer::Versions(function.clone(), of.clone(), Ok(none)))
            }
            (
                Without::Observation,
                Call::Describe {
                    id,
                    label,
                    why: Why::Observe,
                    ..
                },
            ) => {
                let first = self.described_first.get(label.as_str())?.clone();
                Some(Answer::Described(*id, Why::Observe, Ok(first)))
            }
            _ => None,
        }
    }
}

/// Describes a call in AWS's terms.
fn name(call: &Call) -> String {
    match call {
        Call::Describe { label, why, .. } => format!("DescribeConnector {label} ({why:?})"),
        Call::Versions { of, .. } => format!("ListVersionsByFunction ({of:?})"),
        Call::Exists(arn) => format!("GetFunctionConfiguration {arn}, to see if it exists"),
        Call::Look { at, check, .. } => format!(
            "GetFunctionConfiguration {at}{}",
            if *check { ", the check" } else { "" }
        ),
        Call::Linger { .. } => "a pause".to_owned(),
        Call::Grant { .. } => "AddPermission".to_owned(),
        Call::Update { plan, .. } => {
            format!(
                "UpdateConnectorRegistration {} to {}",
                plan.label, plan.target
            )
        }
    }
}

fn numbers<T>(list: &[T]) -> impl Iterator<Item = u8> {
    (0..).take(list.len())
}
