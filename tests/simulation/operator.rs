//! Operators' changes to registrations, and the check that they are kept.
//!
//! AppFlow has no conditional update: an invocation that describes a registration and then updates it
//! cannot know what an operator did in between. So only this is required: an update must keep a change
//! that an operator made before the description, which precedes the update by at most [`UNSEEN`]. To
//! keep a change is to keep its description, and to keep its ARN or move its version forward.
//!
//! If a change is lost within that time, to an update or to something that AppFlow had read before and
//! stored later, nobody can know of it, and it is no longer checked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::conditions::LONGEST_WAY;
use crate::deployments::arn;
use crate::history::{History, LIVE};
use crate::world::{World, split};

/// The longest time between AppFlow's response to a description and the arrival of the update that it
/// led to: the latency of the response, and that of the update. There may be calls of Lambda between
/// them, but an observation that began more than two seconds ago is repeated right before the update.
const UNSEEN: Duration = Duration::from_millis(2 * LONGEST_WAY.as_millis() as u64);

/// An operator's latest change of a registration.
pub struct Change {
    pub at: Instant,
    /// Whether it must still be kept.
    pub stands: bool,
    pub function: String,
    pub qualifier: Option<String>,
    pub description: Option<String>,
    /// How often the function had been created.
    pub life: u32,
}

impl History {
    /// An operator changes a registration's ARN or description. The function must be ready, and no longer
    /// serve old code: otherwise AppFlow would read that, and the updater would get no event for it.
    pub fn operate(&mut self) {
        let registrations = self.world.registrations();
        let (label, function, registered) = self.random.of(&registrations).clone();
        let mut choices = vec![None, Some("$LATEST".to_owned()), Some(LIVE.to_owned())];
        let versions = self.world.versions(&function);
        choices.extend(versions.iter().map(|version| Some(version.to_string())));
        let qualifier = match self.random.chance(30) {
            true => registered,
            false => self.random.of(&choices).clone(),
        };
        if !self.is_ready(&function, qualifier.as_deref()) {
            return;
        }
        self.allow(&function, qualifier.as_deref());
        let mut input = json!({
            "connectorLabel": label,
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn(&function, qualifier.as_deref()) } },
        });
        if self.random.chance(60) {
            input["description"] = format!("By hand {}", self.requests).into();
            self.requests += 1;
        }
        if self.call("UpdateConnectorRegistration", input).is_none() {
            return;
        }
        let description = self
            .world
            .aws
            .state()
            .appflow
            .registration(&label)
            .and_then(|registration| registration.description.clone());
        let mut state = self.world.state();
        let change = Change {
            at: Instant::now(),
            // AppFlow may still overwrite it with what it has read before.
            stands: !state.stores_later(Some(&label)),
            life: state.life(&function),
            function,
            qualifier,
            description,
        };
        state.operators.insert(label, change);
    }

    fn is_ready(&self, function: &str, qualifier: Option<&str>) -> bool {
        let is_version = qualifier.is_some_and(|qualifier| qualifier.parse::<u64>().is_ok());
        let changed = self.changed.get(function);
        let is_settled = changed.is_none_or(|at| at.elapsed() >= self.old_code_served);
        if !is_version && !is_settled {
            return false;
        }
        let input = json!({ "FunctionName": function, "Qualifier": qualifier, "Name": qualifier });
        let alias = self.world.aws.call("GetAlias", input.clone());
        let found = self.world.aws.call("GetFunctionConfiguration", input);
        let ready =
            |found: Value| found["State"] == "Active" && found["LastUpdateStatus"] == "Successful";
        found.is_ok_and(ready) && alias.map_or(true, |alias| alias["RoutingConfig"].is_null())
    }
}

/// Checks that an update with this target and description keeps the operator's change, if there is one.
pub fn is_respected(world: &Arc<World>, label: &str, target: &str, description: Option<&str>) {
    let state = world.state();
    let Some(change) = state.operators.get(label).filter(|change| change.stands) else {
        return;
    };
    let (function, qualifier) = split(target);
    let number = |qualifier: &Option<String>| qualifier.as_deref().and_then(|q| q.parse().ok());
    let moved = match (number(&change.qualifier), number(&qualifier)) {
        (Some(set), Some(written)) => {
            let set: u64 = set;
            let recreated = state.life(&function) != change.life;
            let exists = || world.versions(&function).contains(&set);
            written > set || recreated || !exists()
        }
        _ => false,
    };
    let same = function == change.function && (moved || qualifier == change.qualifier);
    let described = description.is_none() || description == change.description.as_deref();
    let unseen = change.at.elapsed() <= UNSEEN;
    let set = format!("{:?} {:?}", change.qualifier, change.description);
    drop(state);
    if same && described {
        return;
    }
    if unseen {
        world.tell(format!(
            "the operator's change of {label} is lost to an update that was under way"
        ));
        if let Some(change) = world.state().operators.get_mut(label) {
            change.stands = false;
        }
    } else {
        world.violated(format!(
            "an operator's change of {label}, which is {set}, is undone: {qualifier:?} \
             {description:?}"
        ));
    }
}
