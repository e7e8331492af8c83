//! Network conditions: the latencies and faults of requests.

use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use tokio::time::Instant;

use crate::network::{Call, UPDATE};
use crate::random::Random;

/// The longest latency of a request, or of a response. Both together are less than the SDK's shortest
/// timeout, so that only faults make calls fail.
pub const LONGEST_WAY: Duration = Duration::from_millis(2400);
/// The longest time between AppFlow's reading and storing: as long as it gives a connector to respond,
/// which is an assumption.
pub const LATEST_STORE: Duration = Duration::from_secs(10);

/// The network conditions of a history.
pub struct Conditions {
    random: Random,
    /// The factor of the usual number of faults.
    rough: u64,
    outages: Vec<Outage>,
}

/// A time in which requests fail.
struct Outage {
    until: Instant,
    /// A service, an operation, or everything.
    of: &'static str,
    error: &'static str,
}

impl Conditions {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        Self {
            rough: *random.of(&[0, 1, 1, 3]),
            random,
            outages: Vec::new(),
        }
    }

    /// Begins an outage, and returns its description.
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

    /// The latency of a request or a response.
    pub fn way(&mut self) -> Duration {
        match self.random.below(100) {
            0..80 => self.random.between(5, 100),
            80..95 => self.random.between(100, 1_000),
            _ => self.random.between(1_000, LONGEST_WAY.as_millis() as u64),
        }
    }

    /// Draws the fault of a request that arrives.
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
        // Shares in requests per thousand, with the usual number of faults.
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
            // Longer than the SDK's timeout of an attempt.
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
