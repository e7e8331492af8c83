//! Brings each registration up to date: observes, decides, waits, updates, and checks.

pub mod decide;
pub mod outcome;
pub mod plan;
pub mod run;
pub mod steps;
mod target;
