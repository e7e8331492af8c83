//! Random numbers from a seed.

use std::time::Duration;

/// SplitMix64: small, and the same on every machine.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The random numbers of one part of a history. Each part has its own, so that the draws of one part
    /// do not affect another.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut random = Self(seed);
        Self(random.next() ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A duration in whole milliseconds, which is the resolution of tokio's timers.
    pub fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.next() % (most - least + 1))
    }
}
