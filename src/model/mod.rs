//! The values that the other modules share. Nothing here calls a service or awaits.

pub mod alias;
pub mod change;
pub mod description;
pub mod evidence;
pub mod function_arn;
pub mod function_selector;
pub mod function_state;
pub mod registration;
pub mod service_error;
pub mod update;
