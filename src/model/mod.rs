//! The values that the other modules share. Nothing here calls a service or awaits.

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
