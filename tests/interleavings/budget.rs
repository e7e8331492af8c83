//! What a search starts with, and how often each thing can happen in it.

use std::fmt;

use crate::world::Operator;

/// What a search starts with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The qualifier that the connector is registered with, with its colon.
    pub registered: &'static str,
    /// How often each thing can happen.
    pub budget: Budget,
    /// How many invocations run at once.
    pub at_once: usize,
    /// The part of the updater that is left out.
    pub without: Without,
}

/// How often each thing can still happen. Each may also happen less often, or never.
///
/// No test combines `crash` with `sweep`. A sweep decides by what it has sent whether it made a
/// registration older itself. Lambda's next try does not know what the process that ended has sent, so it
/// only reports the registration as behind. For the same reason, `crash` comes with two published versions at
/// most: with three, an invocation of the first event can go on to the second version, write it after the
/// event of the third was handled, and end. The next try of the first event finds a newer version
/// registered than its own, and skips; a sweep reports the registration as behind. A check that fails is the
/// same case, because Lambda's next try does not know of it either.
///
/// No test combines `operator` with two moves of the alias. The event of the second move may be skipped
/// because an operator has just registered something else, and an update for the first one may then overwrite
/// that with what the alias returned in the minute of the second.
///
/// No test combines `sweep` with `provision` and `roll_back`. The alias may move and move back between the
/// read before a sweep's update and the check after it. That is no difference to the check, and AppFlow may
/// have read what ran while Lambda provisioned concurrency for the move back. This takes an update that is
/// decided more than a minute before AppFlow reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// A version is published, with new code.
    pub publish: u8,
    /// The unpublished code changes.
    pub change_latest: u8,
    /// The alias moves to the next version.
    pub move_alias: u8,
    /// The alias moves to version 1.
    pub roll_back: u8,
    /// The alias moves to `$LATEST`.
    pub point_at_latest: u8,
    /// The alias gives a part of its traffic to the next version, and later perhaps all of it.
    pub split: u8,
    /// Lambda provisions concurrency after a move of the alias.
    pub provision: u8,
    /// Lambda does not know a version for a while after it was published.
    pub unknown: u8,
    /// The function is deleted and recreated.
    pub recreate: u8,
    /// An operator changes the registration, in this way.
    pub operator: Vec<Operator>,
    /// An event is delivered twice.
    pub double: u8,
    /// An event is never delivered.
    pub drop: u8,
    /// A sweep begins, whatever else is under way.
    pub sweep: u8,
    /// AppFlow stores what it read later than it read it.
    pub late: u8,
    /// An update, or AppFlow's response to it, is lost.
    pub lose: u8,
    /// AppFlow throttles an update.
    pub throttle: u8,
    /// Lambda ends the process of an invocation.
    pub crash: u8,
}

/// The part of the updater that is left out, to see that the search finds a counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Nothing: the updater as it is.
    Nothing,
    /// The check after an update: its answers are what was read before the update, and that no version is
    /// newer.
    Check,
    /// Every observation but the first one of an invocation: its answer is that of the first one.
    Observation,
    /// The minute in which old code may run after a change.
    Minute,
    /// The time after an alias's minute in which AppFlow may store what it read in that minute.
    StoringTime,
    /// The wait until weights of Lambda's own are gone.
    WaitForWeights,
    /// The wait until Lambda knows a version.
    WaitForVersion,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            registered,
            budget,
            at_once,
            ..
        } = self;
        write!(f, "`{registered}`, {budget}{at_once} at once")
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (times, what) in [
            (self.publish, "published"),
            (self.change_latest, "$LATEST changed"),
            (self.move_alias, "alias moved"),
            (self.roll_back, "alias moved back"),
            (self.point_at_latest, "alias moved to $LATEST"),
            (self.split, "alias split"),
            (self.provision, "provisioned"),
            (self.unknown, "version unknown"),
            (self.recreate, "recreated"),
            (self.double, "event doubled"),
            (self.drop, "event dropped"),
            (self.sweep, "swept"),
            (self.late, "stored late"),
            (self.lose, "answer lost"),
            (self.throttle, "throttled"),
            (self.crash, "process ended"),
        ] {
            if times > 0 {
                write!(f, "{what} {times}x, ")?;
            }
        }
        for change in &self.operator {
            write!(f, "operator {change}, ")?;
        }
        Ok(())
    }
}
