//! AWS, as far as it is called from here: the only room that knows the SDK.

mod appflow;
pub mod call;
pub mod credentials;
pub mod deadline;
mod error;
pub mod https;
pub mod lambda;
