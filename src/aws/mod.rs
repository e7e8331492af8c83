//! Calls AppFlow and Lambda. No other module uses the SDK.

pub mod access;
mod appflow;
pub mod call;
pub mod clients;
pub mod deadline;
mod error;
pub mod https;
pub mod lambda;
mod pace;
