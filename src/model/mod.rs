//! The values that the rooms hand on.

pub mod client_token;
pub mod description;
pub mod function_arn;
pub mod readiness;
pub mod registration;
