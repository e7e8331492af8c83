//! Handles one invocation, from event to response.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use lambda_runtime::{Context, LambdaEvent};

use crate::aws::clients::Aws;
use crate::aws::deadline::Deadline;
use crate::decide::Cause;
use crate::event::trigger::{InvalidEvent, Sweep, Trigger};
use crate::event::{self, Event};
use crate::model::function_arn::FunctionArn;
use crate::model::registration::{AppFlowSource, ConnectorLabel, InvalidLabel, Listed};
use crate::reconcile::driver;
use crate::reconcile::job::{Functions, Job};
use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
use crate::report::connector;
use crate::report::counts::Counts;
use crate::report::error::Error;
use crate::report::metrics::{self, Invoked};
use crate::report::response::{Response, all_done};
use crate::report::summary::{self, Connectors, Scope};
use crate::settings::{FUNCTION_NAME_PREFIX, Labels, Settings};

/// The account that AWS's Runtime Interface Emulator names in the invoked ARN.
const EMULATED_ACCOUNT: &str = "012345678912";

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
        let event = event::read(&payload);
        let invoked = match &event {
            Ok(Event {
                trigger: Trigger::Sweep(sweep),
                ..
            }) => Invoked::BySweep {
                finds_stale: sweep.functions.is_none() && !sweep.is_first,
            },
            event => Invoked::ByEvent(event.as_ref().ok().and_then(|event| event.time)),
        };
        if self.settings.dry_run {
            tracing::warn!(
                requestId = context.request_id,
                "DRY_RUN is true: no registration is updated"
            );
        }
        let response = match event {
            Ok(event) => self.respond(event, &context).await,
            Err(error) => Err(error.into()),
        };
        let results = match &response {
            Ok(response) => response.connectors.as_deref().unwrap_or_default(),
            Err(error) => error.connectors(),
        };
        (self.write_metrics)(&metrics::line(
            &Counts::of(results),
            invoked,
            self.aws.now(),
            &context.env_config.function_name,
            self.settings.log_level,
        ));
        response
    }

    async fn respond(&self, event: Event, context: &Context) -> Result<Response, Error> {
        let mut response = Response {
            event_id: event.id,
            event_name: event.name,
            dry_run: self.settings.dry_run,
            ..Response::default()
        };
        let (mut job, mut labels) = (self.job(event.time, context), None);
        let prefix = &self.settings.function_name_prefix;
        match event.trigger {
            Trigger::Deployment { function, .. } if !function.name().starts_with(prefix) => {
                response.ignored = Some(format!(
                    "the name of function `{}` does not begin with {FUNCTION_NAME_PREFIX} (`{prefix}`)",
                    function.name()
                ));
            }
            Trigger::Ignored(reason) => response.ignored = Some(reason),
            Trigger::Deployment { function, change } => {
                // Events do not cross partitions. Emulators give no ARN, and this one is for reports only.
                let partition = own_arn(context);
                let partition = partition.as_ref().map_or("aws", FunctionArn::partition);
                response.function_arn = Some(function.arn(partition));
                job.cause = Cause::Changed(change);
                job.event_time = event.time.and_then(|time| time.try_into().ok());
                job.functions = Functions::Deployed(function);
            }
            Trigger::Sweep(sweep) => {
                self.refuse_out_of_scope(&sweep)?;
                job.cause = Cause::Sweep {
                    to_newest: sweep.to_newest,
                };
                job.functions = sweep.functions.map_or(Functions::All, Functions::Named);
                job.dry_run |= sweep.dry_run;
                response.dry_run = job.dry_run;
                labels = sweep.labels;
            }
        }
        if let Some(reason) = &response.ignored {
            tracing::info!(
                requestId = context.request_id,
                eventId = response.event_id,
                eventName = response.event_name,
                reason,
                "event ignored"
            );
            return Ok(response);
        }
        let event_id = response.event_id.as_deref();
        let names_functions = matches!(job.functions, Functions::Named(_));
        let (results, connectors) = self.reconcile(job, labels, event_id, context).await?;
        let scope = match &response.function_arn {
            Some(function_arn) => Scope::Deployed(function_arn),
            None => Scope::Swept {
                names_functions,
                function_name_prefix: prefix,
            },
        };
        summary::log(
            connectors,
            scope,
            &Counts::of(&results),
            response.dry_run,
            &context.request_id,
            event_id,
        );
        response.connectors = Some(all_done(results)?);
        Ok(response)
    }

    /// Refuses a sweep that names what the settings leave out.
    fn refuse_out_of_scope(&self, sweep: &Sweep) -> Result<(), InvalidEvent> {
        let mut labels = sweep.labels.iter().flatten();
        if let Some(other) = labels.find(|label| !self.settings.labels.include(label.as_str())) {
            return Err(InvalidEvent(format!(
                "the sweep names `{other}`, which CONNECTOR_LABELS leaves out"
            )));
        }
        let prefix = &self.settings.function_name_prefix;
        let mut functions = sweep.functions.iter().flatten();
        if let Some(other) = functions.find(|function| !function.name().starts_with(prefix)) {
            return Err(InvalidEvent(format!(
                "the sweep names function `{}`, which does not begin with {FUNCTION_NAME_PREFIX} \
                 (`{prefix}`)",
                other.name()
            )));
        }
        Ok(())
    }

    /// What every job takes from the settings and the invocation.
    fn job(&self, time: Option<DateTime>, context: &Context) -> Job {
        let time = time.unwrap_or_else(|| self.aws.now().into());
        let date = time.fmt(Format::DateTime).unwrap_or_default();
        Job {
            cause: Cause::Sweep { to_newest: false },
            functions: Functions::All,
            labels_must_exist: false,
            function_name_prefix: self.settings.function_name_prefix.clone(),
            register_as: self.settings.register_as,
            grant_invoke: self.settings.grant_invoke,
            dry_run: self.settings.dry_run,
            description: self.settings.description.clone(),
            date: date.chars().take_while(|letter| *letter != 'T').collect(),
            event_time: None,
            appflow: own_arn(context).as_ref().map(AppFlowSource::of_function),
        }
    }

    /// Brings every registration in scope up to date: those with these labels, or those that AppFlow
    /// lists.
    async fn reconcile(
        &self,
        mut job: Job,
        labels: Option<Vec<ConnectorLabel>>,
        event_id: Option<&str>,
        context: &Context,
    ) -> Result<(Vec<ConnectorResult>, Connectors), Error> {
        let calls = self
            .aws
            .until(Deadline::before(context.deadline(), self.aws.now()));
        let log = |result: &ConnectorResult| {
            connector::log(result, &context.request_id, event_id);
        };
        let mut results = Vec::new();
        let named = match &self.settings.labels {
            Labels::Only(named) => labels.or_else(|| Some(named.clone())),
            Labels::All | Labels::AllBut(_) => labels,
        };
        job.labels_must_exist = named.is_some();
        let mut connectors = Connectors::default();
        let listed = match named {
            Some(named) => {
                let named = named.into_iter().map(|label| Listed {
                    label,
                    owned_by_aws: false,
                });
                named.collect()
            }
            None => {
                let labels = calls.labels().await.map_err(Error::ListFailed)?;
                connectors.listed = Some(labels.len());
                let (listed, invalid) = self.in_scope(labels);
                connectors.with_labels_in_scope = invalid.len();
                for (label, error) in invalid {
                    // It cannot be described, so it is unknown which function it has.
                    if job.functions == Functions::All {
                        let failure = Failure::Label(error);
                        let result = ConnectorResult {
                            label,
                            registered: None,
                            outcome: Outcome::Failed {
                                target: None,
                                failure,
                            },
                        };
                        log(&result);
                        results.push(result);
                    } else {
                        tracing::warn!(
                            connectorLabel = label,
                            "AppFlow lists a label that cannot be described: {error}"
                        );
                    }
                }
                listed
            }
        };
        connectors.with_labels_in_scope += listed.len();
        results.append(&mut driver::reconcile(&job, &listed, &calls, log).await);
        results.sort_by(|a, b| a.label.cmp(&b.label));
        Ok((results, connectors))
    }

    /// The connectors in scope of those that AppFlow lists, and the labels of those that DescribeConnector
    /// would reject, unless they are AWS's own.
    fn in_scope(
        &self,
        labels: BTreeMap<String, bool>,
    ) -> (Vec<Listed>, Vec<(String, InvalidLabel)>) {
        let (mut valid, mut invalid) = (Vec::new(), Vec::new());
        for (label, owned_by_aws) in labels {
            if !self.settings.labels.include(&label) {
                continue;
            }
            match label.parse() {
                Ok(label) => valid.push(Listed {
                    label,
                    owned_by_aws,
                }),
                Err(_) if owned_by_aws => {}
                Err(error) => invalid.push((label, error)),
            }
        }
        (valid, invalid)
    }
}

/// The ARN that the updater was invoked with; `None` if that is not known, as under AWS's Runtime
/// Interface Emulator, which says that it runs in an account of its own.
fn own_arn(context: &Context) -> Option<FunctionArn> {
    let arn: FunctionArn = context.invoked_function_arn.parse().ok()?;
    (arn.function().account() != EMULATED_ACCOUNT).then_some(arn)
}
