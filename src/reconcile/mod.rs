//! Brings each registration up to date. [`driver`] runs [`round`] after [`round`] for each registration,
//! until there is an outcome.

mod answers;
pub mod aws_services;
mod checks;
pub mod driver;
mod ends;
pub mod job;
pub mod outcome;
pub mod progress;
mod recent;
pub mod round;
pub mod services;
#[cfg(test)]
mod tests;
