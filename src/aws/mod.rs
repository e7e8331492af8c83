//! AWS, as far as it is called from here: the only room that knows the SDK.

pub mod appflow;
pub mod credentials;
pub mod deadline;
pub mod https;
pub mod lambda;
pub mod patience;
pub mod service_error;
