//! Describes moves, in AWS's terms.

use connector_updater::decide::Cause;
use connector_updater::model::change::Change;

use crate::lambda::To;
use crate::script::Call;
use crate::state::{Ending, Move, State};
use crate::world::ending;

impl State {
    /// Describes a move.
    pub fn tell(&self, happens: Move) -> String {
        let about = |id: usize| {
            format!(
                "updater ({})",
                tell_cause(&self.invocations[id].event.cause)
            )
        };
        let call = |id: usize| tell_call(&self.invocations[id].asking.call);
        match happens {
            Move::Publish => "deployment: publishes a version".to_owned(),
            Move::ChangeLatest => "deployment: changes $LATEST".to_owned(),
            Move::PointAlias(to) => format!("deployment: {}", tell_alias(to)),
            Move::Recreate => "deployment: deletes the function and creates it again".to_owned(),
            Move::Settle => "deployment: is complete".to_owned(),
            Move::MinuteOfLatest => "the minute of the change of $LATEST is over".to_owned(),
            Move::MinuteOfAlias => "the minute of the alias's move is over".to_owned(),
            Move::Provisioned => "Lambda takes its own weights from the alias".to_owned(),
            Move::Known => "Lambda knows the newest version".to_owned(),
            Move::Operate(position) => format!("operator: {}", self.budget.operator[position]),
            Move::Begin(position, again) => {
                let again = if again { ", and will be again" } else { "" };
                let cause = tell_cause(&self.events[position].cause);
                format!("event: {cause}; is delivered{again}")
            }
            Move::Drop(position) => {
                let cause = tell_cause(&self.events[position].cause);
                format!("event: {cause}; is lost")
            }
            Move::Sweep => "a sweep begins".to_owned(),
            Move::Answer(id) => format!("{}: {}", about(id), call(id)),
            Move::Update(id, ending) => {
                let ending = match ending {
                    Ending::Throttled => "is throttled".to_owned(),
                    Ending::Dropped => "does not arrive".to_owned(),
                    Ending::Read {
                        code,
                        is_late,
                        is_lost,
                    } => {
                        let stores = if is_late { "" } else { " and stores it" };
                        let lost = if is_lost {
                            ", but its response is lost"
                        } else {
                            ""
                        };
                        format!("AppFlow reads code {code}{stores}{lost}")
                    }
                };
                format!("{}: {}: {ending}", about(id), call(id))
            }
            Move::Fresh(id, true) => format!("{}: no time has passed", about(id)),
            Move::Fresh(id, false) => format!("{}: time has passed", about(id)),
            Move::Store(position) => {
                let unstored = &self.world.unstored[position];
                let answered = if unstored.is_awaited {
                    " and responds"
                } else {
                    ""
                };
                format!("AppFlow stores what it read{answered}")
            }
            Move::EndProcess(id) => format!("{}: its process ends", about(id)),
        }
    }
}

fn tell_cause(cause: &Cause) -> String {
    match cause {
        Cause::Changed(Change::Published(Some(version))) => format!("version {version} published"),
        Cause::Changed(Change::LatestChanged) => "$LATEST changed".to_owned(),
        Cause::Changed(Change::AliasMoved { split: true, .. }) => "alias split".to_owned(),
        Cause::Changed(Change::AliasMoved { .. }) => "alias moved".to_owned(),
        Cause::Changed(change) => format!("{change:?}"),
        Cause::Sweep { .. } => "sweep".to_owned(),
    }
}

fn tell_alias(to: To) -> &'static str {
    match to {
        To::Next => "moves the alias to the next version",
        To::First => "moves the alias to version 1",
        To::Latest => "moves the alias to $LATEST",
        To::Split => "gives the next version a part of the alias's traffic",
        To::Additional => "gives that version all of the alias's traffic, by its weight",
    }
}

fn tell_call(call: &Call) -> String {
    match call {
        Call::Observe => "DescribeConnector".to_owned(),
        Call::Evidence => "DescribeConnector, to see what changed".to_owned(),
        Call::IsFresh => "has time passed?".to_owned(),
        Call::Alias => "GetAlias".to_owned(),
        Call::Function { runs, .. } => format!("GetFunctionConfiguration, {}", ending(runs)),
        Call::Versions => "ListVersionsByFunction".to_owned(),
        Call::Update(update) => {
            format!("UpdateConnectorRegistration, {}", ending(&update.target))
        }
    }
}
