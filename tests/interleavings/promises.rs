//! What must be true whatever happens.

use connector_updater::model::function_arn::{FunctionArn, Qualifier, Version};
use connector_updater::model::update::Update;

use crate::invocation::{Described, Invocation};
use crate::state::State;
use crate::world::{World, ending};

/// A promise that is broken.
pub type Violation = String;

/// A version that an operator has registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rollback {
    generation: u8,
    arn: FunctionArn,
    /// The newest version at that time.
    newest: Option<Version>,
}

impl Rollback {
    /// What an operator has just registered.
    pub fn now(world: &World) -> Option<Self> {
        let arn = world.registered.arn.clone();
        arn.version().is_some().then(|| Self {
            generation: world.function.generation,
            arn,
            newest: Some(world.function.newest()),
        })
    }
}

impl State {
    /// Checks the promises for a final state.
    pub fn check_end(&self) -> Result<(), Violation> {
        let registered = &self.world.registered;
        let follows_alias = matches!(registered.arn.qualifier(), Some(Qualifier::Alias(_)));
        let runs = self.world.function.runs(&registered.arn);
        // Either version of a split could have answered.
        if runs != Ok(vec![registered.code]) && !(follows_alias && self.world.function.is_split()) {
            return Err(format!(
                "AppFlow holds code {}, and the function returns {runs:?}",
                registered.code
            ));
        }
        if let (Some(pinned), Some((generation, handled))) =
            (registered.arn.version(), self.handled)
            && pinned < handled
            && self.world.function.generation == generation
            && self.world.function.exists(handled)
        {
            return Err(format!(
                "the registration is at version {pinned}, and the event of version {handled} was handled"
            ));
        }
        Ok(())
    }

    /// Checks the promises for an update that is about to be made. It cannot know of a change during the
    /// update itself.
    pub fn check_update(&self, invocation: &Invocation, update: &Update) -> Result<(), Violation> {
        let target = &update.target;
        let ending = ending(target);
        let Some(described) = &invocation.described else {
            return Err("the registration is updated without a description of it".to_owned());
        };
        if invocation.left.as_ref() == Some(target) && described.arn != *target {
            return Err(format!(
                "the registration is updated with {ending}, which an operator has changed"
            ));
        }
        if described.time_passed && !described.is(&self.world.describe()) {
            return Err(format!(
                "the registration is updated with {ending}, as it was described before somebody changed it"
            ));
        }
        if self.moves_too_far(invocation, described, target) {
            return Err(format!(
                "a sweep moves the registration to {ending}, which existed when it began"
            ));
        }
        if self.undoes_a_rollback(invocation, described, target) {
            return Err(format!(
                "the registration is updated with {ending}, although an operator rolled it back"
            ));
        }
        Ok(())
    }

    /// Whether a sweep moves a registration between versions that existed when it began. Versions are
    /// numbered without gaps.
    fn moves_too_far(
        &self,
        invocation: &Invocation,
        described: &Described,
        target: &FunctionArn,
    ) -> bool {
        let Some((generation, newest)) = invocation.newest_at_first else {
            return false;
        };
        described.arn != *target
            && generation == self.world.function.generation
            && described.arn.version() <= Some(newest)
            && target.version() <= Some(newest)
    }

    /// Whether an invocation knows that an operator rolled the registration back, and moves it to a
    /// version that the operator knew. An event may do so, unless it was done with it already.
    fn undoes_a_rollback(
        &self,
        invocation: &Invocation,
        described: &Described,
        target: &FunctionArn,
    ) -> bool {
        let Some(rollback) = &self.rollback else {
            return false;
        };
        described.arn == rollback.arn
            && *target != rollback.arn
            && target.version() <= rollback.newest
            && self.world.function.generation == rollback.generation
            && (invocation.is_sweep() || invocation.left.is_some())
    }
}
