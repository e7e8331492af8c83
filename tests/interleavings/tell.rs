//! Describes moves, in AWS's terms.

use connector_updater::decide::Cause;
use connector_updater::model::change::Change;

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
            Move::PointAlias => "deployment: moves the alias to the newest version".to_owned(),
            Move::Recreate => "deployment: deletes the function and creates it again".to_owned(),
            Move::Settle => "deployment: is complete".to_owned(),
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
                    Ending::Throttled => "is throttled",
                    Ending::Dropped => "does not arrive",
                    Ending::AnswerLost => "is done, but the response is lost",
                    Ending::Late => "AppFlow reads the configuration",
                    Ending::LateAndLost => {
                        "AppFlow reads the configuration, and its response will be lost"
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
        Cause::Changed(Change::AliasMoved { .. }) => "alias moved".to_owned(),
        Cause::Changed(change) => format!("{change:?}"),
        Cause::Sweep { .. } => "sweep".to_owned(),
    }
}

fn tell_call(call: &Call) -> String {
    match call {
        Call::Observe => "DescribeConnector".to_owned(),
        Call::Evidence => "DescribeConnector, to see what changed".to_owned(),
        Call::IsFresh => "has time passed?".to_owned(),
        Call::Function(arn) => format!("GetFunctionConfiguration, {}", ending(arn)),
        Call::Versions => "ListVersionsByFunction".to_owned(),
        Call::Update(update) => {
            format!("UpdateConnectorRegistration, {}", ending(&update.target))
        }
    }
}
