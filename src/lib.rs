//! When the Lambda function behind an Amazon AppFlow custom connector is deployed, AppFlow is told
//! to read the connector's configuration anew.
//!
//! The way of one event, and the module for each step:
//!
//! 1. [`event`]: JSON becomes what happened: a deployment, a sweep, or a reason to do nothing.
//! 2. [`aws::appflow`]: which [`model::registration`]s have that function.
//! 3. [`reconcile::decision`]: move to another version, refresh, or leave alone. The table, and no I/O.
//! 4. [`reconcile::functions`]: the function is ready to be invoked ([`aws::lambda`], [`model::readiness`]), or AppFlow
//!    would store the old configuration without an error.
//! 5. [`aws::appflow`]: UpdateConnectorRegistration, with a [`model::description`] and a [`model::client_token`].
//! 6. [`report::response`]: what became of each ([`reconcile::outcome`]) as one answer, or an [`report::error`] after everything
//!    was tried, and one line of [`report::metrics`].
//!
//! [`updater`] walks that way, and [`reconcile::convergence`] its steps 2 to 5 with each registration, within
//! the invocation's [`aws::deadline`]; [`settings`] are read once at the start and decide the [`report::log`];
//! [`model::function_arn`] and [`aws::service_error`] are the values that the steps hand on. Calls have [`aws::patience`]
//! with services that throttle. All calls go through
//! one [`aws::https`] client with one source of [`aws::credentials`], and a [`report::panics`] is reported like any other
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

pub mod aws;
pub mod event;
pub mod model;
pub mod reconcile;
pub mod report;
pub mod settings;
pub mod updater;
