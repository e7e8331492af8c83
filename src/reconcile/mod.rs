//! What becomes of each registration.

pub mod decide;
pub mod outcome;
pub mod plan;
pub mod run;
pub mod steps;
mod target;
