//! A state of the search: the world, the invocations in progress, and what can still happen.

use std::rc::Rc;

use connector_updater::model::function_arn::{FunctionArn, Version};

use crate::budget::{Budget, Setup, Without};
use crate::invocation::{Event, Invocation};
use crate::promises::Rollback;
use crate::script::{Call, Rounds};
use crate::shared::{Shared, digest, sum};
use crate::world::World;

/// A state of the search.
#[derive(Clone)]
pub struct State {
    pub world: Shared<World>,
    pub budget: Budget,
    pub at_once: usize,
    pub without: Without,
    /// The rounds that the search has run; the same for all of its states.
    pub rounds: Rc<Rounds>,
    /// How many events there have been.
    pub events_so_far: u8,
    /// Under way, by delivery; they are delivered in any order.
    pub events: Vec<Event>,
    pub invocations: Vec<Shared<Invocation>>,
    /// Whether an event was lost that no sweep has made up for.
    pub lost: bool,
    /// The newest version of which an event was handled since an operator changed something, with the
    /// function's generation.
    pub handled: Option<(u8, Version)>,
    /// The operator's last change, if it was to a version.
    pub rollback: Option<Rollback>,
}

/// Something that can happen next. Numbers are positions in the lists of the [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Publish,
    ChangeLatest,
    PointAlias,
    Recreate,
    Settle,
    Operate(usize),
    /// An event begins an invocation, and may be delivered again.
    Begin(usize, bool),
    Drop(usize),
    Sweep,
    /// A call is handled and answered.
    Answer(usize),
    /// An update ends in another way.
    Update(usize, Ending),
    /// The answer to whether the observation is fresh.
    Fresh(usize, bool),
    /// AppFlow stores what it read, and responds if that is awaited.
    Store(usize),
    EndProcess(usize),
}

/// How an update ends, other than by an immediate answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// AppFlow throttles it.
    Throttled,
    /// It never reaches AppFlow.
    Dropped,
    /// It is done, and the response is lost.
    AnswerLost,
    /// AppFlow reads the configuration now, and stores it and responds later.
    Late,
    /// AppFlow reads the configuration now, and stores it later, and the response is lost.
    LateAndLost,
}

impl State {
    pub fn new(setup: &Setup) -> Self {
        Self {
            world: Shared::new(World::new(setup.registered)),
            budget: setup.budget.clone(),
            at_once: setup.at_once,
            without: setup.without,
            rounds: Rc::new(Rounds::default()),
            events_so_far: 0,
            events: Vec::new(),
            invocations: Vec::new(),
            lost: false,
            handled: None,
            rollback: None,
        }
    }

    /// A digest that two states share if the same can happen in them. The order of the invocations does
    /// not matter.
    pub fn digest(&self) -> u64 {
        let invocations = sum(self.invocations.iter().map(Shared::digest));
        let found = (self.lost, &self.handled, &self.rollback);
        let under_way = (&self.events, invocations, &self.budget);
        digest(&(self.world.digest(), under_way, found))
    }

    /// Whether nothing is under way.
    pub fn is_quiet(&self) -> bool {
        self.events.is_empty()
            && self.invocations.is_empty()
            && self.world.unstored.is_empty()
            && !self.world.is_settling()
    }

    /// Everything that can happen next.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        self.deployments(&mut moves);
        self.beginnings(&mut moves);
        for (id, invocation) in self.invocations.iter().enumerate() {
            self.answers(id, invocation, &mut moves);
            if self.budget.crash > 0 {
                moves.push(Move::EndProcess(id));
            }
        }
        moves.extend((0..self.world.unstored.len()).map(Move::Store));
        moves
    }

    fn deployments(&self, moves: &mut Vec<Move>) {
        // Lambda refuses a deployment while another is in progress.
        if self.world.is_settling() {
            moves.push(Move::Settle);
            return;
        }
        let budget = &self.budget;
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
        moves.extend((0..budget.operator.len()).map(Move::Operate));
    }

    fn beginnings(&self, moves: &mut Vec<Move>) {
        let budget = &self.budget;
        let is_full = self.invocations.len() >= self.at_once;
        for (position, event) in self.events.iter().enumerate() {
            // AppFlow has stored what it read before Lambda retries.
            if !is_full && !self.world.is_storing(event.delivery) {
                moves.push(Move::Begin(position, false));
                if budget.double > 0 && event.tries == 0 {
                    moves.push(Move::Begin(position, true));
                }
            }
            if budget.drop > 0 {
                moves.push(Move::Drop(position));
            }
        }
        if budget.sweep > 0 && !is_full {
            moves.push(Move::Sweep);
        }
    }

    /// How what an invocation asks can be answered.
    fn answers(&self, id: usize, invocation: &Invocation, moves: &mut Vec<Move>) {
        let is_storing = self.world.is_storing(invocation.event.delivery);
        match &invocation.asking.call {
            // By then, AppFlow has stored what it read for the update whose response was lost.
            _ if invocation.waits_for_store && is_storing => {}
            Call::IsFresh => {
                moves.push(Move::Fresh(id, true));
                moves.push(Move::Fresh(id, false));
            }
            // It is answered when AppFlow has stored it.
            Call::Update(_) if is_storing => {}
            Call::Update(_) => {
                moves.push(Move::Answer(id));
                let Budget {
                    late,
                    lose,
                    throttle,
                    ..
                } = self.budget;
                for (is_possible, ending) in [
                    (throttle > 0, Ending::Throttled),
                    (lose > 0, Ending::Dropped),
                    (lose > 0, Ending::AnswerLost),
                    (late > 0, Ending::Late),
                    (late > 0 && lose > 0, Ending::LateAndLost),
                ] {
                    if is_possible {
                        moves.push(Move::Update(id, ending));
                    }
                }
            }
            // It would wait on.
            Call::Function(target) if self.is_polling(invocation, target) => {}
            _ => moves.push(Move::Answer(id)),
        }
    }

    /// Whether an invocation waits for this function, and would find it not ready again.
    fn is_polling(&self, invocation: &Invocation, target: &FunctionArn) -> bool {
        let asking = &invocation.asking;
        let read = self.world.function(target);
        asking.answers.is_empty()
            && asking.progress.waiting.is_some()
            && read.is_ok_and(|read| !read.readiness.is_ready())
    }
}
