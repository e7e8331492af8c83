//! The simulation's clock: tokio's, paused, so that it advances as soon as everything waits.

use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::Instant;

/// Runs hours of simulated time at once. Everything is on one thread, so that each run is the same.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, work)
}

/// The wall clock of a history: tokio's time, from a fixed day on. The updater, the SDK, and AWS have the
/// same one, because the updater compares its time with those of AWS.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that shows the beginning of the fixed day now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.0.elapsed()
    }
}
