//! The values that the rooms hand on. Nothing here knows a service or waits for anything.

pub mod change;
pub mod client_token;
pub mod description;
pub mod evidence;
pub mod function_arn;
pub mod named_function;
pub mod plan;
pub mod readiness;
pub mod registration;
pub mod service_error;
pub mod versions;
