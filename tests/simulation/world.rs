//! What the parts of a history share: AWS in memory, the trace, and what is known of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_local::Aws;
use aws_local::lambda::{Name, Reference};
use aws_local::place::ACCOUNT;
use tokio::time::Instant;

use crate::operator::{Change, is_put_back_by_sweep};
use crate::weather::Weather;

/// A history's world.
pub struct World {
    pub aws: Aws,
    state: Mutex<State>,
}

/// What is known of what happened.
pub struct State {
    began: Instant,
    pub trace: Vec<String>,
    /// The first thing that was not right.
    pub violation: Option<String>,
    pub weather: Weather,
    /// All invocations so far, and the one that each execution environment is at.
    pub invocations: Vec<Invocation>,
    pub environments: Vec<usize>,
    /// Requests that are on their way, or whose answers are.
    pub requests: usize,
    /// Until when AppFlow may store something for a label.
    pub stores: BTreeMap<String, Instant>,
    /// Client tokens in the order in which they came, to name them in the trace.
    pub tokens: Vec<String>,
    /// What operators did last to each label.
    pub operators: BTreeMap<String, Change>,
    /// Where each registration was seen last, and since when.
    pub places: BTreeMap<String, (String, Instant)>,
    /// Where a sweep last wrote each registration to be, and when.
    pub swept: BTreeMap<String, (String, Instant)>,
    /// When a sweep last put a registration back to an older version: see [`is_put_back_by_sweep`].
    pub put_back: BTreeMap<String, Instant>,
    /// How often each function was created.
    pub lives: BTreeMap<String, u32>,
    /// The published versions whose events were handled.
    pub handled: Vec<Handled>,
    /// Functions of which an event has ended in the failure queue.
    pub given_up: BTreeSet<String>,
    /// How many things have happened that were not the updater's.
    pub happenings: usize,
}

/// One try of one invocation.
pub struct Invocation {
    /// Whether it meets no faults.
    pub calm: bool,
    pub sweeps: bool,
    /// The requests that were answered with an error or not at all.
    pub faults: u32,
    /// Whether anything else happened since it began, another invocation included.
    pub alone: bool,
    /// `happenings` when it began.
    pub happenings: usize,
    pub ended: bool,
}

/// A published version whose event was handled by an invocation that began then.
pub struct Handled {
    pub function: String,
    pub life: u32,
    pub version: u64,
    pub began: Instant,
}

impl World {
    pub fn new(weather: Weather) -> Arc<Self> {
        Arc::new(Self {
            aws: Aws::new(),
            state: Mutex::new(State {
                began: Instant::now(),
                trace: Vec::new(),
                violation: None,
                weather,
                invocations: Vec::new(),
                environments: Vec::new(),
                requests: 0,
                stores: BTreeMap::new(),
                tokens: Vec::new(),
                operators: BTreeMap::new(),
                places: BTreeMap::new(),
                swept: BTreeMap::new(),
                put_back: BTreeMap::new(),
                lives: BTreeMap::new(),
                handled: Vec::new(),
                given_up: BTreeSet::new(),
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

    /// Something is not right. The first such thing ends the history.
    pub fn violated(&self, what: impl Into<String>) {
        self.state().violated(what);
    }

    /// The versions that a function has, lowest first.
    pub fn versions(&self, function: &str) -> Vec<u64> {
        self.aws.state().lambda.versions(&name(function))
    }

    /// Notes where each registration is.
    pub fn look(&self) {
        let registrations: Vec<(String, String)> = {
            let aws = self.aws.state();
            let registrations = aws.appflow.registrations().iter();
            let arn = |(label, registration): (&String, &aws_local::appflow::Registration)| {
                (label.clone(), registration.lambda_arn.clone())
            };
            registrations.map(arn).collect()
        };
        let mut state = self.state();
        for (label, arn) in registrations {
            let known = state.places.get(&label);
            if let Some((was, since)) = known
                && is_put_back_by_sweep(&state, &label, (was, *since), &arn)
            {
                state.tell(format!(
                    "a sweep has put {label} back that was moved meanwhile"
                ));
                state.put_back.insert(label.clone(), Instant::now());
            }
            if state.places.get(&label).is_none_or(|(was, _)| *was != arn) {
                state.places.insert(label, (arn, Instant::now()));
            }
        }
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
            self.tell(format!("NOT RIGHT: {what}"));
            self.violation = Some(what);
        }
    }

    /// Notes that something happened that is not the updater's.
    pub fn happened(&mut self) {
        self.happenings += 1;
    }

    /// The invocation of an execution environment.
    pub fn invocation(&mut self, environment: usize) -> &mut Invocation {
        let number = self.environments[environment];
        &mut self.invocations[number]
    }

    /// The number by which the trace names a client token.
    pub fn token(&mut self, token: &str) -> usize {
        let known = self.tokens.iter().position(|known| known == token);
        known.unwrap_or_else(|| {
            self.tokens.push(token.to_owned());
            self.tokens.len() - 1
        })
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
