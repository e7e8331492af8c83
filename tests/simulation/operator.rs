//! What operators do to registrations, and that it is respected.
//!
//! AppFlow has no conditional update: an invocation that has described a registration and then writes
//! cannot know what an operator did in between. So only this can be asked of it: whoever writes has
//! described the registration shortly before, and what an operator did before that stays. A write
//! that arrives more than [`UNSEEN`] after an operator's change must build on it: keep its description,
//! and its ARN, or move its version forward.
//!
//! A change that was lost within that time, to a write or to something that AppFlow had read before
//! and stored later, is gone for whoever looks later; nothing is asked about it any more.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::deployments::arn;
use crate::history::{History, LIVE};
use crate::weather::LONGEST_WAY;
use crate::world::{State, World, split};

/// The longest time between AppFlow's answer to a description and the arrival of the update that it
/// led to: the answer's way back, up to three calls of Lambda that do not count as a delay (whether
/// the version exists, the look at the function, the grant), and the update's way.
const UNSEEN: Duration = Duration::from_millis(2 * LONGEST_WAY.as_millis() as u64 + 3 * 2_000);

/// What an operator did last to a registration.
pub struct Change {
    pub at: Instant,
    /// Whether it still stands, as far as is known here.
    pub stands: bool,
    pub function: String,
    pub qualifier: Option<String>,
    pub description: Option<String>,
    /// How often the function had been created.
    pub life: u32,
}

impl History {
    /// An operator points a registration elsewhere, or describes it differently. What AppFlow would
    /// read has to be ready: an operator who registers a function in the middle of its update has
    /// AppFlow read the code before it, and nobody tells the updater.
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
            // What AppFlow has read before it stores over it.
            stands: !state.stores_later(Some(&label)),
            life: state.life(&function),
            function,
            qualifier,
            description,
        };
        state.operators.insert(label, change);
    }

    fn is_ready(&self, function: &str, qualifier: Option<&str>) -> bool {
        let input = json!({ "FunctionName": function, "Qualifier": qualifier, "Name": qualifier });
        let alias = self.world.aws.call("GetAlias", input.clone());
        let found = self.world.aws.call("GetFunctionConfiguration", input);
        let ready =
            |found: Value| found["State"] == "Active" && found["LastUpdateStatus"] == "Successful";
        found.is_ok_and(ready) && alias.map_or(true, |alias| alias["RoutingConfig"].is_null())
    }
}

/// An update arrives that would point a registration at a target, with a description.
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
            "the operator's change of {label} is lost to a write that was under way"
        ));
        if let Some(change) = world.state().operators.get_mut(label) {
            change.stands = false;
        }
    } else {
        world.violated(format!(
            "an operator's change of {label}, which is {set}, is put back to {qualifier:?} \
             {description:?}"
        ));
    }
}

/// A plain sweep refreshes a registration where it is, and AppFlow has no conditional update: where an
/// event moves the registration to a newer version between the sweep's description and what AppFlow
/// stores for the sweep, that puts it back to the older one, and both are content. That may be so for a
/// movement of which the sweep could not know when it wrote; then nothing is asked of the versions
/// before it any more.
///
/// `moved` is when the registration came to the place that it had until now.
pub fn is_put_back_by_sweep(state: &State, label: &str, moved: (&str, Instant), now: &str) -> bool {
    let version = |arn: &str| {
        split(arn)
            .1
            .and_then(|qualifier| qualifier.parse::<u64>().ok())
    };
    let (was, since) = moved;
    version(was) > version(now)
        && state
            .swept
            .get(label)
            .is_some_and(|(target, at)| target == now && since + UNSEEN >= *at)
}
