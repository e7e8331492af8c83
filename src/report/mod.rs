//! What an operator reads: response, errors, metrics, log.

pub mod error;
pub mod log;
pub mod metrics;
pub mod panics;
pub mod response;
