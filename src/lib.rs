//! Re-registers Amazon AppFlow custom connectors when their Lambda functions are deployed, so that
//! AppFlow re-reads each connector's configuration.
//!
//! How an event is handled, and the module for each step:
//!
//! 1. [`event`]: parse the JSON into a deployment, a sweep, or a reason to ignore it.
//! 2. [`updater`]: list the registrations, or take those that the settings or the sweep name.
//! 3. [`reconcile`]: run [`round`](reconcile::round) after round for each registration by itself:
//!    observe, decide (the table in [`decide`](mod@decide)), is the function ready, grant, update, check.
//! 4. [`report`]: return the outcomes as one response, or as an error once every registration was
//!    tried, and write one line of metrics.
//!
//! [`updater`] runs these steps for each invocation, [`aws`] makes the calls, [`model`] has the values
//! that the other modules share, and [`settings`] are read once at startup.
//!
//! | variable | default | |
//! |---|---|---|
//! | `CONNECTOR_LABELS` | all | connector labels, separated by commas; with a leading `!` on each, all but these |
//! | `FUNCTION_NAME_PREFIX` | all | prefix of the names of the connectors' functions |
//! | `REGISTER_AS` | `follow` | or `version`: the form to keep registrations in |
//! | `UPDATE_DESCRIPTION` | the connector's own | with the placeholders `{function}`, `{version}`, `{date}` |
//! | `GRANT_INVOKE` | `false` | `true`: allow AppFlow to invoke each version that a registration moves to |
//! | `DRY_RUN` | `false` | `true`: decide, and write nothing |
//! | `AWS_LAMBDA_LOG_LEVEL` | `INFO` | `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL` |
//! | `AWS_LAMBDA_LOG_FORMAT` | `JSON` | or `Text` |
//!
//! The library exists for the program and its tests. It is not an API for others, and has no version
//! of its own.

pub mod aws;
pub mod decide;
pub mod event;
pub mod model;
pub mod reconcile;
pub mod report;
pub mod settings;
pub mod updater;
