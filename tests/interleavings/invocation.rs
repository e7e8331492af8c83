//! An event, and an invocation of the updater with it.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use connector_updater::decide::Cause;
use connector_updater::model::change::RegisterAs;
use connector_updater::model::function_arn::{FunctionArn, Version};
use connector_updater::model::registration::Registration;
use connector_updater::reconcile::job::{Functions, Job};

use crate::script::Asking;
use crate::world::{Delivery, arn};

/// An event under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Which delivery of which event.
    pub delivery: Delivery,
    /// Invocations that failed.
    pub tries: u8,
    /// The function's generation at the deployment.
    pub generation: u8,
    pub cause: Cause,
    /// Whether an invocation has begun with it.
    pub begun: bool,
    /// Whether an operator has changed something since. The operator's change must be kept, whatever
    /// another delivery of the event would do.
    pub operated: bool,
}

/// An invocation of the updater.
#[derive(Clone)]
pub struct Invocation {
    pub event: Event,
    /// The round that it is in.
    pub asking: Rc<Asking>,
    /// Whether the round begins only when AppFlow has stored the update whose response was lost.
    pub waits_for_store: bool,
    /// What it described last, until the update that follows.
    pub described: Option<Described>,
    /// What it described first, if its other observations are left out.
    pub described_first: Option<Registration>,
    /// What it last updated the registration to, and the same before an operator changed it.
    pub updated_to: Option<FunctionArn>,
    pub left: Option<FunctionArn>,
    /// The newest version when a sweep began, with the function's generation.
    pub newest_at_first: Option<(u8, Version)>,
    /// The version that it read last, and whether Lambda knew it.
    pub version_read: Option<(Version, bool)>,
}

/// A registration as an invocation has described it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Described {
    pub arn: FunctionArn,
    pub description: Option<String>,
    /// Whether a call or a pause took long since.
    pub time_passed: bool,
}

impl Described {
    /// Whether the registration is as it was described.
    pub fn is(&self, registration: &Registration) -> bool {
        self.arn == registration.function_arn && self.description == registration.description
    }
}

impl Invocation {
    /// An invocation whose first round asks this.
    pub fn new(event: Event, asking: Rc<Asking>) -> Self {
        Self {
            event,
            asking,
            waits_for_store: false,
            described: None,
            described_first: None,
            updated_to: None,
            left: None,
            newest_at_first: None,
            version_read: None,
        }
    }

    /// Whether it is a sweep.
    pub fn is_sweep(&self) -> bool {
        is_sweep(&self.event.cause)
    }
}

impl Hash for Invocation {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self {
            event,
            asking,
            waits_for_store,
            described,
            described_first,
            updated_to,
            left,
            newest_at_first,
            version_read,
        } = self;
        (event, asking.id, waits_for_store).hash(hasher);
        (described, described_first).hash(hasher);
        (updated_to, left, newest_at_first, version_read).hash(hasher);
    }
}

/// What the updater makes of an event, with the default settings.
pub fn job(cause: &Cause) -> Job {
    let functions = match is_sweep(cause) {
        true => Functions::All,
        false => Functions::Deployed(arn().function().clone()),
    };
    Job {
        cause: cause.clone(),
        functions,
        labels_must_exist: false,
        function_name_prefix: String::new(),
        register_as: RegisterAs::Follow,
        grant_invoke: false,
        dry_run: false,
        description: None,
        // Whether the minute has passed is up to the search.
        event_time: None,
        date: String::new(),
        appflow: None,
    }
}

fn is_sweep(cause: &Cause) -> bool {
    matches!(cause, Cause::Sweep { .. })
}
