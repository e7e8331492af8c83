//! What becomes of each registration.

pub mod convergence;
pub mod decision;
pub mod functions;
pub mod outcome;
