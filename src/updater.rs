//! Handles one invocation, from event to response.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use lambda_runtime::{Context, LambdaEvent};

use crate::aws::call::{Aws, Calls};
use crate::aws::deadline::Deadline;
use crate::event::sweep::Sweep;
use crate::event::{self, Deployment, Ignored, InvalidEvent, Trigger};
use crate::model::function_arn::FunctionArn;
use crate::model::registration::{AppFlowSource, ConnectorLabel, NotALabel};
use crate::reconcile::decide::Happened;
use crate::reconcile::outcome::{Connector, Failure, Outcome};
use crate::reconcile::plan::Common;
use crate::reconcile::run::run;
use crate::reconcile::steps::{InScope, Job, Steps};
use crate::report::connector;
use crate::report::error::Error;
use crate::report::metrics::{About, Metrics};
use crate::report::response::{Response, all_done};
use crate::settings::{FUNCTION_NAME_PREFIX, Labels, Settings};

/// Keeps AppFlow's registrations up to date with their functions.
#[derive(Debug)]
pub struct Updater {
    settings: Settings,
    aws: Aws,
    write_metrics: fn(&str),
}

impl Updater {
    /// An updater for the registrations that are in the scope of `settings`.
    pub fn new(settings: Settings, aws: Aws) -> Self {
        Self {
            settings,
            aws,
            // CloudWatch extracts metrics from the function's log, which is standard output.
            write_metrics: |line| println!("{line}"),
        }
    }

    /// The same, but each invocation's line of metrics goes to `write_metrics` instead of standard
    /// output.
    pub fn with_metrics_to(self, write_metrics: fn(&str)) -> Self {
        Self {
            write_metrics,
            ..self
        }
    }

    /// Handles one invocation: an EventBridge event, or a sweep by hand, as JSON text.
    ///
    /// # Errors
    /// When the event is invalid, when the connectors cannot be listed, and when a registration that
    /// should have been updated was not, after all others were tried.
    pub async fn handle(&self, event: LambdaEvent<String>) -> Result<Response, Error> {
        let LambdaEvent { payload, context } = event;
        let trigger = event::read(&payload);
        let about = match &trigger {
            Ok(Trigger::Deployment(deployment)) => About::Event(deployment.time),
            Ok(Trigger::Sweep(sweep)) => About::Sweep {
                of_functions: sweep.functions.is_some(),
            },
            Ok(Trigger::Ignored(_)) | Err(_) => About::Event(None),
        };
        if self.settings.dry_run {
            tracing::warn!(
                requestId = context.request_id,
                "DRY_RUN is true: no registration is updated"
            );
        }
        let result = match trigger {
            Ok(Trigger::Ignored(ignored)) => Ok(self.ignore(ignored, &context)),
            Ok(Trigger::Deployment(deployment)) => self.deployed(deployment, &context).await,
            Ok(Trigger::Sweep(sweep)) => self.sweep(sweep, &context).await,
            Err(error) => Err(error.into()),
        };
        let connectors = match &result {
            Ok(response) => response.connectors.as_deref().unwrap_or_default(),
            Err(error) => error.connectors(),
        };
        let metrics = Metrics::of(connectors, about, SystemTime::now());
        let function_name = &context.env_config.function_name;
        (self.write_metrics)(&metrics.line(function_name, self.settings.log_level));
        result
    }

    fn ignore(&self, ignored: Ignored, context: &Context) -> Response {
        tracing::info!(
            requestId = context.request_id,
            eventId = ignored.event_id,
            eventName = ignored.event_name,
            reason = ignored.reason,
            "event ignored"
        );
        Response {
            event_id: ignored.event_id,
            event_name: ignored.event_name,
            function_arn: None,
            dry_run: self.settings.dry_run,
            connectors: None,
            ignored: Some(ignored.reason),
        }
    }

    async fn deployed(&self, deployment: Deployment, context: &Context) -> Result<Response, Error> {
        let prefix = &self.settings.function_name_prefix;
        if !deployment.function.name().starts_with(prefix) {
            let ignored = Ignored {
                event_id: deployment.event_id,
                event_name: Some(deployment.event_name),
                reason: format!(
                    "the name of function `{}` does not begin with {FUNCTION_NAME_PREFIX} (`{prefix}`)",
                    deployment.function.name()
                ),
            };
            return Ok(self.ignore(ignored, context));
        }
        let own_arn = own_arn(context);
        // Events do not cross partitions. Emulators give no ARN, and this one is for reports only.
        let partition = own_arn.as_ref().map_or("aws", FunctionArn::partition);
        let function_arn = deployment.function.arn(partition);
        let job = Job {
            happened: Happened::Changed(deployment.change),
            function: Some(deployment.function),
            ..self.job(deployment.event_id.as_deref(), deployment.time, context)
        };
        let event_id = deployment.event_id.as_deref();
        let connectors = self.reconcile(job, None, event_id, context).await?;
        if connectors.is_empty() {
            tracing::info!(
                requestId = context.request_id,
                eventId = deployment.event_id,
                functionArn = %function_arn,
                "no registration in scope has this function"
            );
        }
        Ok(Response {
            event_id: deployment.event_id,
            event_name: Some(deployment.event_name),
            function_arn: Some(function_arn),
            dry_run: self.settings.dry_run,
            connectors: Some(all_done(connectors)?),
            ignored: None,
        })
    }

    async fn sweep(&self, sweep: Sweep, context: &Context) -> Result<Response, Error> {
        let refuse = |message: String| Err(Error::InvalidEvent(InvalidEvent(message)));
        let mut labels = sweep.labels.iter().flatten();
        if let Some(other) = labels.find(|label| !self.settings.labels.include(label.as_str())) {
            return refuse(format!(
                "the sweep names `{other}`, which CONNECTOR_LABELS leaves out"
            ));
        }
        let prefix = &self.settings.function_name_prefix;
        let mut functions = sweep.functions.iter().flatten();
        if let Some(other) = functions.find(|function| !function.name().starts_with(prefix)) {
            return refuse(format!(
                "the sweep names function `{}`, which does not begin with {FUNCTION_NAME_PREFIX} \
                 (`{prefix}`)",
                other.name()
            ));
        }
        let dry_run = self.settings.dry_run || sweep.dry_run;
        let job = Job {
            happened: Happened::Sweep {
                to_newest: sweep.to_newest,
            },
            functions: sweep.functions,
            dry_run,
            ..self.job(None, sweep.time, context)
        };
        let event_id = sweep.event_id.as_deref();
        let connectors = self.reconcile(job, sweep.labels, event_id, context).await?;
        Ok(Response {
            event_id: sweep.event_id,
            event_name: Some("sweep".to_owned()),
            function_arn: None,
            dry_run,
            connectors: Some(all_done(connectors)?),
            ignored: None,
        })
    }

    /// What every job takes from the settings and the invocation.
    fn job(&self, event_id: Option<&str>, time: Option<DateTime>, context: &Context) -> Job {
        let time = time.unwrap_or_else(|| SystemTime::now().into());
        let date = time.fmt(Format::DateTime).unwrap_or_default();
        Job {
            happened: Happened::Sweep { to_newest: false },
            function: None,
            functions: None,
            function_name_prefix: self.settings.function_name_prefix.clone(),
            register_as: self.settings.register_as,
            grant_invoke: self.settings.grant_invoke,
            dry_run: self.settings.dry_run,
            common: Common {
                cause: event_id.unwrap_or(&context.request_id).to_owned(),
                template: self.settings.description.clone(),
                date: date.chars().take_while(|letter| *letter != 'T').collect(),
            },
            beside: own_arn(context).as_ref().map(AppFlowSource::beside),
        }
    }

    /// Brings every registration in scope up to date.
    async fn reconcile(
        &self,
        job: Job,
        named: Option<Vec<ConnectorLabel>>,
        event_id: Option<&str>,
        context: &Context,
    ) -> Result<Vec<Connector>, Error> {
        let calls = self.aws.until(Deadline::before(context.deadline()));
        let log = |connector: &Connector| {
            connector::log(connector, &context.request_id, event_id);
        };
        let everything = job.function.is_none() && job.functions.is_none();
        let (scope, odd) = self.scope(named, &calls).await?;
        let mut connectors = Vec::new();
        for (label, error) in odd {
            // It cannot be described, so it is unknown which function it has.
            if everything {
                let connector = Connector {
                    label,
                    registered: None,
                    outcome: Outcome::Failed {
                        target: None,
                        failure: Failure::Label(error),
                    },
                };
                log(&connector);
                connectors.push(connector);
            } else {
                tracing::warn!(
                    connectorLabel = label,
                    "AppFlow lists a label that cannot be described: {error}"
                );
            }
        }
        connectors.append(&mut run(Steps::new(job, scope), &calls, log).await);
        connectors.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(connectors)
    }

    /// The registrations to describe: those that are named, or all that AppFlow lists. The second
    /// value is the listed labels that DescribeConnector would reject.
    async fn scope(
        &self,
        named: Option<Vec<ConnectorLabel>>,
        calls: &Calls<'_>,
    ) -> Result<(Vec<InScope>, Vec<(String, NotALabel)>), Error> {
        let named = match (named, &self.settings.labels) {
            (Some(named), _) => Some(named),
            (None, Labels::Only(labels)) => Some(labels.clone()),
            (None, Labels::All | Labels::AllBut(_)) => None,
        };
        let in_scope = |label, named| InScope { label, named };
        if let Some(named) = named {
            let named = named.into_iter().map(|label| in_scope(label, true));
            return Ok((named.collect(), Vec::new()));
        }
        let (mut listed, mut odd) = (Vec::new(), Vec::new());
        let mut labels = calls.labels().await.map_err(Error::ListFailed)?;
        // A connector that is registered while the list is read can be on two of its pages.
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            match label.parse() {
                Ok(parsed) if self.settings.labels.include(&label) => {
                    listed.push(in_scope(parsed, false));
                }
                Ok(_) => {}
                Err(error) => odd.push((label, error)),
            }
        }
        Ok((listed, odd))
    }
}

/// The updater's own ARN; `None` under an emulator, which gives no real one.
fn own_arn(context: &Context) -> Option<FunctionArn> {
    context.invoked_function_arn.parse().ok()
}
