//! AWS, as far as it is called from here: the only room that knows the SDK.

pub mod access;
mod appflow;
pub mod call;
pub mod deadline;
mod error;
pub mod https;
pub mod lambda;
