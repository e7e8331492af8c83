//! A state of the search: the world, the invocations in progress, and what can still happen.

use std::rc::Rc;

use connector_updater::decide::Cause;
use connector_updater::model::change::Change;
use connector_updater::model::function_arn::Version;
use connector_updater::model::update::Update;

use crate::budget::{Budget, Setup, Without};
use crate::invocation::{Event, Invocation};
use crate::lambda::{Code, To};
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
    PointAlias(To),
    Recreate,
    Settle,
    /// The minute of the last change of `$LATEST` is over.
    MinuteOfLatest,
    /// The minute of the oldest move of the alias is over.
    MinuteOfAlias,
    /// Lambda has provisioned the alias's concurrency, and takes its own weights away.
    Provisioned,
    /// Lambda knows the newest version.
    Known,
    Operate(usize),
    /// An event begins an invocation, and may be delivered again.
    Begin(usize, bool),
    Drop(usize),
    Sweep,
    /// A call is handled and answered.
    Answer(usize),
    /// An update ends.
    Update(usize, Ending),
    /// The answer to whether the observation is fresh.
    Fresh(usize, bool),
    /// AppFlow stores what it read, and responds if that is awaited.
    Store(usize),
    EndProcess(usize),
}

/// How an update ends, other than by an error of AppFlow's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// AppFlow throttles it.
    Throttled,
    /// It never reaches AppFlow.
    Dropped,
    /// AppFlow reads the configuration, from this code.
    Read {
        code: Code,
        /// Whether AppFlow stores it later.
        is_late: bool,
        /// Whether the response is lost.
        is_lost: bool,
    },
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
            && self.world.function.is_settled()
    }

    /// Everything that can happen next.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        self.deployments(&mut moves);
        self.passing(&mut moves);
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
        if self.world.function.is_settling() {
            moves.push(Move::Settle);
            return;
        }
        let budget = &self.budget;
        for (left, deployment) in [
            (budget.publish, Move::Publish),
            (budget.change_latest, Move::ChangeLatest),
            (budget.recreate, Move::Recreate),
        ] {
            if left > 0 {
                moves.push(deployment);
            }
        }
        for (left, to) in [
            (budget.move_alias, To::Next),
            (budget.roll_back, To::First),
            (budget.point_at_latest, To::Latest),
            (budget.split, To::Split),
            (u8::from(!self.is_alias_moving()), To::Additional),
        ] {
            if left > 0 && self.world.function.can_point(to) {
                moves.push(Move::PointAlias(to));
            }
        }
        // An operator who updates a registration just after a deployment makes AppFlow read the old code,
        // and the deployment's event may have been handled already.
        if self.world.function.is_settled() {
            moves.extend((0..budget.operator.len()).map(Move::Operate));
        }
    }

    /// Whether an event of the alias is not handled that would take a weight of 1.0 for Lambda's own, and
    /// would end in the failure queue, although the registration is right.
    fn is_alias_moving(&self) -> bool {
        let under_way = self.invocations.iter().map(|invocation| &invocation.event);
        let mut events = self.events.iter().chain(under_way);
        events.any(|event| {
            matches!(
                event.cause,
                Cause::Changed(Change::AliasMoved { split: false, .. })
            )
        })
    }

    /// What happens as time passes.
    fn passing(&self, moves: &mut Vec<Move>) {
        let function = &self.world.function;
        for (can_happen, passes) in [
            (
                function.is_latest_recent() && !function.is_settling(),
                Move::MinuteOfLatest,
            ),
            (function.is_alias_recent(), Move::MinuteOfAlias),
            (function.is_provisioning(), Move::Provisioned),
            (function.has_unknown(), Move::Known),
        ] {
            if can_happen {
                moves.push(passes);
            }
        }
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
            Call::Update(update) => {
                let endings = self.endings(update);
                moves.extend(endings.into_iter().map(|ending| Move::Update(id, ending)));
                if self.world.function.runs(&update.target).is_err() {
                    moves.push(Move::Answer(id));
                }
            }
            _ if self.waits_on(invocation) => {}
            _ => moves.push(Move::Answer(id)),
        }
    }

    /// How an update can end.
    fn endings(&self, update: &Update) -> Vec<Ending> {
        let Budget {
            late,
            lose,
            throttle,
            ..
        } = self.budget;
        let mut endings = Vec::new();
        if throttle > 0 {
            endings.push(Ending::Throttled);
        }
        if lose > 0 {
            endings.push(Ending::Dropped);
        }
        for code in self.world.function.runs(&update.target).unwrap_or_default() {
            for (is_late, is_lost) in [(false, false), (false, true), (true, false), (true, true)] {
                if (!is_late || late > 0) && (!is_lost || lose > 0) {
                    endings.push(Ending::Read {
                        code,
                        is_late,
                        is_lost,
                    });
                }
            }
        }
        endings
    }
}
