//! What each move does to a state.

use std::rc::Rc;

use connector_updater::decide::Cause;
use connector_updater::model::change::Change;
use connector_updater::model::service_error::{ErrorKind, Operation};
use connector_updater::reconcile::outcome::Outcome;
use connector_updater::reconcile::progress::{Pause, Progress};

use crate::answers::is_known;
use crate::budget::Without;
use crate::invocation::{Described, Event, Invocation, job};
use crate::lambda::To;
use crate::promises::{Rollback, Violation};
use crate::script::{Answer, Call, Step};
use crate::shared::Shared;
use crate::state::{Ending, Move, State};
use crate::world::{Operator, Unstored, error};

/// Lambda retries a failed asynchronous invocation twice.
const TRIES: u8 = 3;

impl State {
    /// The state after a move.
    ///
    /// # Errors
    /// When a promise is broken.
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
                let is_known = self.budget.unknown == 0;
                self.budget.unknown = self.budget.unknown.saturating_sub(1);
                let change = self.world.change().function.publish(is_known);
                self.deployed(change);
            }
            Move::ChangeLatest => {
                self.budget.change_latest -= 1;
                let change = self.world.change().function.change_latest();
                self.deployed(change);
            }
            Move::PointAlias(to) => self.point_alias(to),
            Move::Recreate => {
                self.budget.recreate -= 1;
                let change = self.world.change().function.recreate();
                self.deployed(change);
            }
            Move::Settle => self.world.change().settle(),
            Move::MinuteOfLatest => self.world.change().function.end_minute_of_latest(),
            Move::MinuteOfAlias => self.world.change().end_minute_of_alias(),
            Move::Provisioned => self.world.change().function.end_provisioning(),
            Move::Known => self.world.change().function.become_known(),
            Move::Operate(position) => self.operate(position),
            Move::Begin(position, again) => {
                let mut event = self.events.remove(position);
                event.begun = true;
                if again {
                    self.budget.double -= 1;
                    let (number, delivery) = event.delivery;
                    let delivery = (number, delivery + 1);
                    self.queue(Event {
                        delivery,
                        ..event.clone()
                    });
                }
                self.begin(event)?;
            }
            Move::Drop(position) => {
                self.budget.drop -= 1;
                self.events.remove(position);
                self.lost = true;
            }
            Move::Sweep => {
                self.budget.sweep -= 1;
                // A sweep cannot see that an alias has just moved.
                self.lost &= !self.world.function.is_alias_settled();
                let event = self.event(Cause::Sweep { to_newest: false });
                self.begin(event)?;
            }
            Move::Answer(id) => {
                let answer = self.answer(&self.invocations[id]);
                self.answered(id, answer)?;
            }
            Move::Update(id, ending) => self.update(id, ending)?,
            Move::Fresh(id, is_fresh) => {
                if !is_fresh && let Some(described) = &mut self.invocations[id].change().described {
                    described.time_passed = true;
                }
                self.answered(id, Answer::Fresh(is_fresh))?;
            }
            Move::Store(position) => {
                let world = self.world.change();
                let read = world.unstored.remove(position);
                let awaited = read.is_awaited.then_some(read.of);
                world.store(read);
                let mut invocations = self.invocations.iter();
                if let Some(delivery) = awaited
                    && let Some(id) = invocations.position(|one| one.event.delivery == delivery)
                {
                    self.answered(id, Answer::Updated(Ok(())))?;
                }
            }
            Move::EndProcess(id) => {
                self.budget.crash -= 1;
                let invocation = self.invocations.remove(id);
                for unstored in &mut self.world.change().unstored {
                    unstored.is_awaited &= unstored.of != invocation.event.delivery;
                }
                self.try_again(&invocation.event, "its process ended three times")?;
            }
        }
        Ok(())
    }

    fn point_alias(&mut self, to: To) {
        match to {
            To::Next => self.budget.move_alias -= 1,
            To::First => self.budget.roll_back -= 1,
            To::Latest => self.budget.point_at_latest -= 1,
            To::Split => self.budget.split -= 1,
            To::Additional => {}
        }
        let event = self.events_so_far + 1;
        let function = &mut self.world.change().function;
        let change = function.point_alias(to, event, self.budget.provision > 0);
        if function.is_provisioning() {
            self.budget.provision -= 1;
        }
        self.deployed(change);
    }

    fn operate(&mut self, position: usize) {
        let change = self.budget.operator.remove(position);
        if !self.world.change().operate(&change) {
            return;
        }
        if let Operator::Point(_) = change {
            self.rollback = Rollback::now(&self.world);
        }
        self.handled = None;
        for event in self.events.iter_mut().filter(|event| event.begun) {
            event.operated = true;
        }
        for invocation in &mut self.invocations {
            let invocation = invocation.change();
            invocation.event.operated = true;
            invocation.left = invocation.updated_to.take();
        }
    }

    fn event(&mut self, cause: Cause) -> Event {
        self.events_so_far += 1;
        Event {
            delivery: (self.events_so_far, 0),
            tries: 0,
            generation: self.world.function.generation,
            cause,
            begun: false,
            operated: false,
        }
    }

    fn deployed(&mut self, change: Change) {
        let event = self.event(Cause::Changed(change));
        self.queue(event);
    }

    fn queue(&mut self, event: Event) {
        self.events.push(event);
        self.events.sort_by_key(|event| event.delivery);
    }

    fn begin(&mut self, event: Event) -> Result<(), Violation> {
        let job = Rc::new(job(&event.cause));
        let asking = self.rounds.begin(&job, Progress::default());
        let mut invocation = Invocation::new(event, asking);
        if invocation.is_sweep() {
            let function = &self.world.function;
            invocation.newest_at_first = Some((function.generation, function.known()));
        }
        self.invocations.push(Shared::new(invocation));
        self.go_on(self.invocations.len() - 1)
    }

    fn update(&mut self, id: usize, ending: Ending) -> Result<(), Violation> {
        let Call::Update(update) = &self.invocations[id].asking.call else {
            unreachable!("only updates end in these ways");
        };
        let failed =
            |kind| Answer::Updated(Err(error(Operation::UpdateConnectorRegistration, kind)));
        let answer = match ending {
            Ending::Throttled => {
                self.budget.throttle -= 1;
                failed(ErrorKind::Throttled)
            }
            Ending::Dropped => {
                self.budget.lose -= 1;
                failed(ErrorKind::NoAnswer)
            }
            Ending::Read {
                code,
                is_late,
                is_lost,
            } => {
                let mut read = Unstored::new(self.invocations[id].event.delivery, update, code);
                read.is_awaited = !is_lost;
                self.budget.late -= u8::from(is_late);
                self.budget.lose -= u8::from(is_lost);
                match is_late {
                    true => self.world.change().unstored.push(read),
                    false => self.world.change().store(read),
                }
                match (is_late, is_lost) {
                    (_, true) => failed(ErrorKind::NoAnswer),
                    (false, false) => Answer::Updated(Ok(())),
                    (true, false) => return Ok(()),
                }
            }
        };
        self.answered(id, answer)
    }

    /// Passes an answer to the round that asks.
    fn answered(&mut self, id: usize, answer: Answer) -> Result<(), Violation> {
        let rounds = Rc::clone(&self.rounds);
        let invocation = self.invocations[id].change();
        match (&answer, &invocation.asking.call) {
            (Answer::Described(registration), Call::Observe) => {
                invocation.described = Some(Described {
                    arn: registration.function_arn.clone(),
                    description: registration.description.clone(),
                    time_passed: false,
                });
                if self.without == Without::Observation {
                    let first = &mut invocation.described_first;
                    first.get_or_insert_with(|| registration.clone());
                }
            }
            (Answer::Function(read), Call::Function { runs, .. }) => {
                if let Some(version) = runs.version() {
                    invocation.version_read = Some((version, is_known(read)));
                }
            }
            (Answer::Updated(Ok(())), Call::Update(update)) => {
                invocation.updated_to = Some(update.target.clone());
            }
            _ => {}
        }
        let step = rounds.answer(&invocation.asking, answer);
        self.step(id, step)
    }

    /// Takes a step, and those after it that need no move of their own.
    fn step(&mut self, id: usize, step: Step) -> Result<(), Violation> {
        let invocation = self.invocations[id].change();
        match step {
            Step::Asks(asking) => {
                invocation.asking = asking;
                invocation.waits_for_store = false;
                self.go_on(id)
            }
            Step::Again(asking, pause) => {
                invocation.asking = asking;
                invocation.waits_for_store = pause == Pause::Unanswered;
                match (self.without, &mut invocation.described) {
                    (Without::Observation, Some(described)) => described.time_passed = true,
                    // The round describes it itself.
                    (_, described) => *described = None,
                }
                self.go_on(id)
            }
            Step::Done(outcome) => {
                let invocation = self.invocations.remove(id);
                self.ended(&invocation, outcome.as_deref())
            }
        }
    }

    /// Answers what an invocation asks, if only one answer is possible whatever happens first.
    fn go_on(&mut self, id: usize) -> Result<(), Violation> {
        let invocation = &self.invocations[id];
        if let Some(answer) = self.instead(invocation) {
            let step = self.rounds.answer(&invocation.asking, answer);
            return self.step(id, step);
        }
        match &invocation.asking.call {
            Call::Update(update) => {
                self.check_update(invocation, update)?;
                self.invocations[id].change().described = None;
                Ok(())
            }
            // If nobody has changed the registration, another look would find it as it was.
            Call::IsFresh => {
                let now = self.world.describe();
                let described = &invocation.described;
                match described.as_ref().is_none_or(|before| before.is(&now)) {
                    true => self.answered(id, Answer::Fresh(true)),
                    false => Ok(()),
                }
            }
            // What an update changed makes no difference to what the updater does.
            Call::Evidence => self.answered(id, Answer::Described(self.world.describe())),
            call if self.is_final(call) && !self.waits_on(invocation) => {
                let answer = self.answer(invocation);
                self.answered(id, answer)
            }
            Call::Observe | Call::Alias | Call::Function { .. } | Call::Versions => Ok(()),
        }
    }

    fn ended(
        &mut self,
        invocation: &Invocation,
        outcome: Option<&Outcome>,
    ) -> Result<(), Violation> {
        let event = &invocation.event;
        if let Some(Outcome::Failed { failure, .. }) = outcome {
            return self.try_again(event, failure.name());
        }
        if let Cause::Changed(Change::Published(Some(version))) = event.cause
            && !event.operated
        {
            self.handled = self.handled.max(Some((event.generation, version)));
        }
        Ok(())
    }

    /// Lambda retries an event, or puts it into the failure queue.
    fn try_again(&mut self, event: &Event, failure: &str) -> Result<(), Violation> {
        let event = Event {
            tries: event.tries + 1,
            ..event.clone()
        };
        if event.tries == TRIES {
            return Err(format!("an event ends in the failure queue: {failure}"));
        }
        self.queue(event);
        Ok(())
    }
}
