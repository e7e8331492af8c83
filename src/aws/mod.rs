//! Calls AppFlow and Lambda. No other module uses the SDK.

mod appflow;
pub mod call;
pub mod clients;
pub mod deadline;
mod error;
mod give_up;
pub mod https;
pub mod lambda;
mod pace;
