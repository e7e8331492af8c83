//! How requests fare on their way: how long they take, and what goes wrong with them.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use tokio::time::Instant;

use crate::network::{Call, UPDATE};
use crate::random::Random;

/// The longest that a request, or an answer, is on its way: both together are less than the SDK's
/// shortest timeout, so that only faults make calls fail.
pub const LONGEST_WAY: Duration = Duration::from_millis(2400);
/// The longest that AppFlow stores after it has read: what it gives a connector to answer.
pub const LATEST_STORE: Duration = Duration::from_secs(10);

/// How requests fare.
pub struct Weather {
    random: Random,
    /// How many times the usual number of faults there are.
    rough: u64,
    outages: Vec<Outage>,
}

/// A time in which a service fails every request.
struct Outage {
    until: Instant,
    /// A service, an operation, or everything.
    of: &'static str,
    error: &'static str,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        Self {
            rough: *random.of(&[0, 1, 1, 3]),
            random,
            outages: Vec::new(),
        }
    }

    /// From now on and for some time, requests fail.
    pub fn fails(&mut self) -> String {
        let of = *self
            .random
            .of(&["*", "AppFlow", "Lambda", "Lambda", UPDATE]);
        let error = *self
            .random
            .of(&["dropped", "internal", "throttled", "throttled"]);
        let lasts = self.random.between(3_000, 45_000);
        let until = Instant::now() + lasts;
        self.outages.push(Outage { until, of, error });
        format!("for {lasts:?}, requests fail: {of} {error}")
    }

    /// The time that a request or an answer takes.
    pub fn way(&mut self) -> Duration {
        match self.random.below(100) {
            0..80 => self.random.between(5, 100),
            80..95 => self.random.between(100, 1_000),
            _ => self.random.between(1_000, LONGEST_WAY.as_millis() as u64),
        }
    }

    /// What goes wrong with a request that arrives.
    pub fn fault(&mut self, call: &Call) -> Option<Fault> {
        let drawn = self.random.below(1_000) as u64;
        let late = self.random.between(50, LATEST_STORE.as_millis() as u64);
        let now = Instant::now();
        let names = ["*", call.service, call.operation];
        let outage = self
            .outages
            .iter()
            .find(|outage| outage.until > now && names.contains(&outage.of));
        if let Some(outage) = outage {
            return Some(call.fails(outage.error));
        }
        // Per mille of the requests in usual weather.
        let mut bound = 0;
        let mut within = |share: u64| {
            bound += share * self.rough;
            drawn < bound
        };
        let of = |kind| Some(Fault::of("*", kind));
        if within(15) {
            Some(call.fails("dropped"))
        } else if within(10) {
            Some(call.fails("internal"))
        } else if within(10) {
            Some(call.fails("throttled"))
        } else if within(15) {
            of(Kind::AnswerLost)
        } else if within(3) {
            // Longer than any try of the SDK's.
            of(Kind::Slow(Duration::from_secs(25)))
        } else if call.operation != UPDATE {
            None
        } else if within(20) {
            Some(Fault::error("*", "ConnectorServerException"))
        } else if within(80) {
            of(Kind::StoredLate(late))
        } else if within(60) {
            of(Kind::AnswerLostStoredLate(late))
        } else {
            None
        }
    }
}
