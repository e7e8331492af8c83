//! When the Lambda function behind an Amazon AppFlow custom connector is deployed, AppFlow re-reads the
//! connector's configuration.
//!
//! How an event is handled, and the room for each step:
//!
//! 1. [`event`]: JSON becomes what happened: a deployment, a sweep, or a reason to ignore it.
//! 2. [`aws`]: which registrations are there, and which function has each.
//! 3. `reconcile`: observe, decide (the table), wait until the function is ready, observe again,
//!    update, check whether the function is still what it was, and again if it is not.
//! 4. [`report`]: what became of each as one response, or an error after everything was tried, and one
//!    line of metrics.
//!
//! [`updater`] goes that way with each invocation; `model` has the values that the rooms hand on;
//! [`settings`] are read once at the start.
//!
//! | variable | default | |
//! |---|---|---|
//! | `CONNECTOR_LABELS` | all | connector labels, separated by commas; with a leading `!` on each, all but these |
//! | `FUNCTION_NAME_PREFIX` | all | what the names of the connectors' functions begin with |
//! | `REGISTER_AS` | `follow` | or `version`, `unqualified`: the form that registrations are kept in |
//! | `UPDATE_DESCRIPTION` | the connector's own | with the placeholders `{function}`, `{version}`, `{date}` |
//! | `GRANT_INVOKE` | `false` | `true`: allow AppFlow to invoke each version that a registration moves to |
//! | `DRY_RUN` | `false` | `true`: read everything, write nothing |
//! | `AWS_LAMBDA_LOG_LEVEL` | `INFO` | `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL` |
//! | `AWS_LAMBDA_LOG_FORMAT` | `JSON` | or `Text` |
//!
//! The library is the program's own and not an API for others: it follows the program's version.

pub mod aws;
pub mod event;
pub mod model;
pub mod reconcile;
pub mod report;
pub mod settings;
pub mod updater;
