//! Brings each registration to where it should be: observes, decides, waits, updates, and checks.

pub mod decide;
pub mod outcome;
pub mod plan;
pub mod run;
pub mod steps;
mod target;
