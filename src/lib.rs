//! When the Lambda function behind an Amazon AppFlow custom connector is deployed, AppFlow is told
//! to read the connector's configuration anew.
//!
//! The way of one event, and the module for each step:
//!
//! 1. [`trigger`]: JSON becomes what happened: a deployment, a sweep, or a reason to do nothing.
//! 2. [`appflow`]: which [`registration`]s have that function.
//! 3. [`decision`]: move to another version, refresh, or leave alone. The table, and no I/O.
//! 4. [`functions`]: the function is ready to be invoked ([`lambda`], [`readiness`]), or AppFlow
//!    would store the old configuration without an error.
//! 5. [`appflow`]: UpdateConnectorRegistration, with a [`description`] and a [`client_token`].
//! 6. [`report`]: what became of each ([`outcome`]) as one answer, or an [`error`] after everything
//!    was tried, and one line of [`metrics`].
//!
//! [`updater`] walks that way, and [`convergence`] its steps 2 to 5 with each registration, within
//! the invocation's [`deadline`]; [`settings`] are read once at the start and decide the [`log`];
//! [`function_arn`] and [`service_error`] are the values that the steps hand on. Calls have [`patience`]
//! with services that throttle. All calls go through
//! one [`https`] client with one source of [`credentials`], and a [`crash`] is reported like any other
//! error.
//!
//! | variable | default | |
//! |---|---|---|
//! | `CONNECTOR_LABELS` | all | connector labels, separated by commas |
//! | `REGISTER_AS` | `follow` | or `version`, `unqualified`: the form that registrations are kept in |
//! | `UPDATE_DESCRIPTION` | the connector's own | with the placeholders `{function}`, `{version}`, `{date}` |
//! | `GRANT_INVOKE` | `false` | `true`: let AppFlow invoke each version that a registration moves to |
//! | `DRY_RUN` | `false` | `true`: read everything, write nothing |
//! | `AWS_LAMBDA_LOG_LEVEL` | `INFO` | `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL` |
//! | `AWS_LAMBDA_LOG_FORMAT` | `JSON` | or `Text` |
//!
//! The library is the program's own and not an API for others: it follows the program's version.

#![warn(missing_docs)]

pub mod appflow;
pub mod client_token;
pub mod convergence;
pub mod crash;
pub mod credentials;
pub mod deadline;
pub mod decision;
pub mod description;
pub mod error;
pub mod function_arn;
pub mod functions;
pub mod https;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod outcome;
pub mod patience;
pub mod readiness;
pub mod registration;
pub mod report;
pub mod service_error;
pub mod settings;
pub mod trigger;
pub mod updater;
