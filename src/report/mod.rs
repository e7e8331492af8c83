//! Reports to the operator: response, errors, metrics, and log.

mod command;
pub mod connector;
pub mod counts;
pub mod error;
pub mod log;
mod messages;
pub mod metrics;
pub mod panics;
pub mod response;
pub mod summary;
