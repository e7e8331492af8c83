//! What the parts of a history share: AWS in memory, the trace, and the record of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_local::Aws;
use aws_local::lambda::{Name, Reference};
use aws_local::place::ACCOUNT;
use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::conditions::Conditions;
use crate::operator::Change;

/// A history's world.
pub struct World {
    pub aws: Aws,
    /// The time of the updater, the SDK, and AWS.
    pub clock: Clock,
    state: Mutex<State>,
}

/// The record of what happened.
pub struct State {
    began: Instant,
    pub trace: Vec<String>,
    /// The first violation.
    pub violation: Option<String>,
    pub conditions: Conditions,
    /// All invocations so far, and the one that each execution environment is at.
    pub invocations: Vec<Invocation>,
    pub environments: Vec<usize>,
    /// The number of requests in flight, responses included.
    pub requests: usize,
    /// When each request to Lambda was sent.
    pub sent_to_lambda: Vec<Instant>,
    /// Until when AppFlow may store something for a label.
    pub stores: BTreeMap<String, Instant>,
    /// The latest operator's change of each label.
    pub operators: BTreeMap<String, Change>,
    /// How often each function was created.
    pub lives: BTreeMap<String, u32>,
    /// The published versions whose events were handled.
    pub handled: Vec<Handled>,
    /// Functions of which an event has ended in the failure queue.
    pub given_up: BTreeSet<String>,
    /// Until when the alias of each function may come to run something else without a call.
    pub unsettled: BTreeMap<String, Instant>,
    /// Functions whose alias has weights of Lambda's own, until the end of the history.
    pub provisioning: BTreeSet<String>,
    /// How many things happened that the updater did not do.
    pub happenings: usize,
}

/// One try of one invocation.
pub struct Invocation {
    /// Whether it has no faults.
    pub calm: bool,
    /// The number of requests with an error, or without a response.
    pub faults: u32,
    /// Whether no other invocation, and no store for an earlier one, was in progress since it began.
    pub alone: bool,
    /// `happenings` when it began.
    pub happenings: usize,
    pub ended: bool,
}

/// A published version whose event was handled, by an invocation that began at this time.
pub struct Handled {
    pub function: String,
    pub life: u32,
    pub version: u64,
    pub began: Instant,
}

impl World {
    pub fn new(conditions: Conditions) -> Arc<Self> {
        let (aws, clock) = (Aws::new(), Clock::new());
        aws.set_time(clock.now());
        Arc::new(Self {
            aws,
            clock,
            state: Mutex::new(State {
                began: Instant::now(),
                trace: Vec::new(),
                violation: None,
                conditions,
                invocations: Vec::new(),
                environments: Vec::new(),
                requests: 0,
                sent_to_lambda: Vec::new(),
                stores: BTreeMap::new(),
                operators: BTreeMap::new(),
                lives: BTreeMap::new(),
                handled: Vec::new(),
                given_up: BTreeSet::new(),
                unsettled: BTreeMap::new(),
                provisioning: BTreeSet::new(),
                happenings: 0,
            }),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tell(&self, text: impl AsRef<str>) {
        self.state().tell(text);
    }

    /// Records a violation. The first one ends the history.
    pub fn violated(&self, what: impl Into<String>) {
        self.state().violated(what);
    }

    /// The versions that a function has, lowest first.
    pub fn versions(&self, function: &str) -> Vec<u64> {
        self.aws.state().lambda.versions(&name(function))
    }

    /// The label, function and qualifier of each registration.
    pub fn registrations(&self) -> Vec<(String, String, Option<String>)> {
        let aws = self.aws.state();
        let registrations = aws.appflow.registrations().iter();
        registrations
            .map(|(label, registration)| {
                let (function, qualifier) = split(&registration.lambda_arn);
                (label.clone(), function, qualifier)
            })
            .collect()
    }
}

impl State {
    pub fn tell(&mut self, text: impl AsRef<str>) {
        let time = self.began.elapsed();
        let line = format!("{:>9.3} {}", time.as_secs_f64(), text.as_ref());
        self.trace.push(line);
    }

    pub fn violated(&mut self, what: impl Into<String>) {
        if self.violation.is_none() {
            let what = what.into();
            self.tell(format!("VIOLATION: {what}"));
            self.violation = Some(what);
        }
    }

    /// Records that something happened that the updater did not do.
    pub fn happened(&mut self) {
        self.happenings += 1;
    }

    /// The invocation of an execution environment.
    pub fn invocation(&mut self, environment: usize) -> &mut Invocation {
        let number = self.environments[environment];
        &mut self.invocations[number]
    }

    /// Whether AppFlow may still store something that it read earlier, for this label or any.
    pub fn stores_later(&self, label: Option<&str>) -> bool {
        let now = Instant::now();
        self.stores.iter().any(|(stored, until)| {
            label.is_none_or(|label| label == stored) && *until + Duration::from_millis(1) >= now
        })
    }

    /// How often a function was created so far.
    pub fn life(&self, function: &str) -> u32 {
        self.lives.get(function).copied().unwrap_or_default()
    }
}

/// A function of the account.
pub fn name(function: &str) -> Name {
    Name {
        account: ACCOUNT.to_owned(),
        name: function.to_owned(),
    }
}

/// The function's name and the qualifier of an ARN.
pub fn split(arn: &str) -> (String, Option<String>) {
    match Reference::parse(arn) {
        Some(reference) => (reference.name.name, reference.qualifier),
        None => (arn.to_owned(), None),
    }
}
