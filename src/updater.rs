//! The way of one event.

use std::cell::Cell;
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::{StreamExt, stream};
use lambda_runtime::{Context, LambdaEvent};

use crate::appflow::{AppFlow, DescribeError};
use crate::client_token::ClientToken;
use crate::deadline::Deadline;
use crate::decision::{self, Decision};
use crate::description::Description;
use crate::error::Error;
use crate::function_arn::{FunctionArn, Qualifier};
use crate::functions::{Functions, NotReady, Ready};
use crate::lambda::{AllowAppFlowCommand, Lambda};
use crate::metrics::Metrics;
use crate::outcome::{Connector, Failure, FailureKind, Outcome};
use crate::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::report::{Answer, all_done};
use crate::service_error::{Operation, ServiceError};
use crate::settings::Settings;
use crate::trigger::{self, Deployment, Ignored, InvalidEvent, Sweep, Trigger};

/// How many registrations are worked on at the same time: enough that a thousand of them take
/// seconds, few enough that AppFlow's request rate is not used up at once.
const CONCURRENCY: usize = 16;

/// Keeps AppFlow's registrations in step with their functions.
#[derive(Debug)]
pub struct Updater {
    settings: Settings,
    appflow: AppFlow,
    lambda: Lambda,
}

/// One invocation's work, and all that it needs.
struct Work<'a> {
    settings: &'a Settings,
    appflow: &'a AppFlow,
    functions: Functions<'a>,
    lambda: &'a Lambda,
    deadline: Deadline,
    occasion: Occasion<'a>,
    /// Whether nothing is to be written.
    dry_run: bool,
    /// What client tokens are made of: see [`ClientToken::new`].
    cause: &'a str,
    /// The day of the event, for descriptions.
    date: String,
    /// Where this runs, which is where the registrations are.
    own_arn: Option<FunctionArn>,
}

/// Why registrations are looked at.
enum Occasion<'a> {
    Deployment(&'a Deployment),
    Sweep,
}

impl Updater {
    /// An updater for the registrations that `settings` allow.
    pub fn new(settings: Settings, appflow: AppFlow, lambda: Lambda) -> Self {
        Self {
            settings,
            appflow,
            lambda,
        }
    }

    /// Handles one invocation: an EventBridge event, or a sweep by hand, as JSON text.
    ///
    /// # Errors
    /// When the event cannot be used, when the connectors cannot be listed, and when a registration
    /// that should have been updated was not, after all others were tried.
    pub async fn handle(&self, event: LambdaEvent<String>) -> Result<Answer, Error> {
        let LambdaEvent { payload, context } = event;
        let trigger = trigger::read(&payload);
        let deployed_at = match &trigger {
            Ok(Trigger::Deployment(deployment)) => deployment.time,
            Ok(Trigger::Sweep(_) | Trigger::Ignored(_)) | Err(_) => None,
        };
        let result = match trigger {
            Ok(Trigger::Ignored(ignored)) => Ok(self.ignore(ignored, &context)),
            Ok(Trigger::Deployment(deployment)) => self.deployed(&deployment, &context).await,
            Ok(Trigger::Sweep(sweep)) => self.sweep(sweep, &context).await,
            Err(error) => Err(error.into()),
        };
        let connectors = match &result {
            Ok(answer) => answer.connectors.as_deref().unwrap_or_default(),
            Err(error) => error.connectors(),
        };
        let metrics = Metrics::of(connectors, deployed_at, SystemTime::now());
        // Standard output is where CloudWatch takes metrics from, beside the log's lines.
        println!(
            "{}",
            metrics.line(&context.env_config.function_name, self.settings.log_level)
        );
        result
    }

    fn ignore(&self, ignored: Ignored, context: &Context) -> Answer {
        tracing::info!(
            requestId = context.request_id,
            eventId = ignored.event_id,
            eventName = ignored.event_name,
            reason = ignored.reason,
            "event ignored"
        );
        Answer {
            event_id: ignored.event_id,
            event_name: ignored.event_name,
            function_arn: None,
            dry_run: self.settings.dry_run,
            connectors: None,
            ignored: Some(ignored.reason),
        }
    }

    async fn deployed(&self, deployment: &Deployment, context: &Context) -> Result<Answer, Error> {
        let own_arn: Option<FunctionArn> = context.invoked_function_arn.parse().ok();
        // The event may name its function without a partition. It is the one that this runs in: no
        // event crosses from one to another.
        let partition = own_arn.as_ref().map_or("aws", FunctionArn::partition);
        let function_arn = deployment.function.arn(partition);
        let work = self.work(
            Occasion::Deployment(deployment),
            self.settings.dry_run,
            &deployment.event_id,
            deployment.time,
            context,
        );
        let labels = self.labels(None, work.deadline).await?;
        let connectors = work
            .converge(labels, &context.request_id, Some(&deployment.event_id))
            .await;
        if connectors.is_empty() {
            tracing::info!(
                requestId = context.request_id,
                eventId = deployment.event_id,
                functionArn = %function_arn,
                "no registration in scope has this function"
            );
        }
        Ok(Answer {
            event_id: Some(deployment.event_id.clone()),
            event_name: Some(deployment.event_name.clone()),
            function_arn: Some(function_arn),
            dry_run: work.dry_run,
            connectors: Some(all_done(connectors)?),
            ignored: None,
        })
    }

    async fn sweep(&self, sweep: Sweep, context: &Context) -> Result<Answer, Error> {
        if let (Some(allowed), Some(named)) = (&self.settings.labels, &sweep.labels)
            && let Some(other) = named.iter().find(|label| !allowed.contains(label))
        {
            return Err(Error::InvalidEvent(InvalidEvent(format!(
                "the sweep names `{other}`, which is not in CONNECTOR_LABELS"
            ))));
        }
        let work = self.work(
            Occasion::Sweep,
            self.settings.dry_run || sweep.dry_run,
            &context.request_id,
            sweep.time,
            context,
        );
        let labels = self.labels(sweep.labels, work.deadline).await?;
        let connectors = work
            .converge(labels, &context.request_id, sweep.event_id.as_deref())
            .await;
        Ok(Answer {
            event_id: sweep.event_id,
            event_name: Some("sweep".to_owned()),
            function_arn: None,
            dry_run: work.dry_run,
            connectors: Some(all_done(connectors)?),
            ignored: None,
        })
    }

    fn work<'a>(
        &'a self,
        occasion: Occasion<'a>,
        dry_run: bool,
        cause: &'a str,
        time: Option<DateTime>,
        context: &Context,
    ) -> Work<'a> {
        let deadline = Deadline::before(context.deadline());
        let time = time.unwrap_or_else(|| SystemTime::now().into());
        let date = time.fmt(Format::DateTime).unwrap_or_default();
        Work {
            settings: &self.settings,
            appflow: &self.appflow,
            functions: Functions::new(&self.lambda, deadline),
            lambda: &self.lambda,
            deadline,
            occasion,
            dry_run,
            cause,
            date: date.chars().take("2026-01-31".len()).collect(),
            own_arn: context.invoked_function_arn.parse().ok(),
        }
    }

    /// The registrations to look at: those that are named, or all that AppFlow lists.
    async fn labels(
        &self,
        named: Option<Vec<ConnectorLabel>>,
        deadline: Deadline,
    ) -> Result<Scope, Error> {
        if let Some(named) = named.or_else(|| self.settings.labels.clone()) {
            return Ok(Scope::Named(named));
        }
        match deadline.cut(self.appflow.labels()).await {
            Some(Ok(labels)) => Ok(Scope::Listed(labels)),
            Some(Err(error)) => Err(Error::ListFailed(error)),
            None => Err(Error::ListOutOfTime),
        }
    }
}

/// The registrations to look at.
enum Scope {
    /// Named by the settings or the sweep: each has to exist.
    Named(Vec<ConnectorLabel>),
    /// Listed by AppFlow: one may be gone by now.
    Listed(Vec<String>),
}

impl Work<'_> {
    /// Brings every registration in scope to where it should be, and tells what became of each that
    /// the occasion concerns, in the order of their labels.
    async fn converge(
        &self,
        scope: Scope,
        request_id: &str,
        event_id: Option<&str>,
    ) -> Vec<Connector> {
        let (labels, named): (Vec<String>, bool) = match scope {
            Scope::Named(labels) => (labels.iter().map(ToString::to_string).collect(), true),
            Scope::Listed(labels) => (labels, false),
        };
        let mut connectors: Vec<Connector> = stream::iter(labels)
            .map(|label| self.registration(label, named))
            .buffer_unordered(CONCURRENCY)
            .filter_map(async |connector| connector)
            .inspect(|connector| connector.log(request_id, event_id))
            .collect()
            .await;
        connectors.sort_by(|a, b| a.label.cmp(&b.label));
        connectors
    }

    /// One registration, within the invocation's time. `None` when the occasion does not concern it.
    async fn registration(&self, label: String, named: bool) -> Option<Connector> {
        let progress = Progress::default();
        let outcome = match self
            .deadline
            .cut(self.register(&label, named, &progress))
            .await
        {
            Some(outcome) => outcome?,
            None => Outcome::Failed(
                progress.target.take(),
                Failure {
                    kind: FailureKind::OutOfTime,
                    message: format!(
                        "time was up before {} was done. Lambda tries the event again; if that is \
                         not enough, give the function a longer timeout",
                        progress.step.get()
                    ),
                },
            ),
        };
        Some(Connector {
            label,
            registered: progress.registered.take(),
            outcome,
        })
    }

    /// Describe, decide, wait, grant, update.
    async fn register(&self, label: &str, named: bool, progress: &Progress) -> Option<Outcome> {
        let failed = |failure| Some(Outcome::Failed(None, failure));
        let label: ConnectorLabel = match label.parse() {
            Ok(label) => label,
            Err(error) => {
                return failed(Failure {
                    kind: FailureKind::DescribeFailed,
                    message: format!("AppFlow lists it, but {error}"),
                });
            }
        };
        let registration = match self.appflow.describe(&label).await {
            Ok(registration) => registration,
            // Unregistered since it was listed.
            Err(DescribeError::NotFound) if !named => return None,
            Err(error) => return failed(describe_failure(error)),
        };
        let registered = &registration.function_arn;
        if let Occasion::Deployment(deployment) = self.occasion
            && deployment.function != *registered.function()
        {
            return None;
        }
        progress.registered.set(Some(registered.clone()));

        progress.step.set(Operation::ListVersionsByFunction.name());
        let target = match self.target(registered).await {
            Ok(Ok(target)) => target,
            Ok(Err(reason)) => return Some(Outcome::Skipped(reason)),
            Err(failure) => return failed(failure),
        };
        progress.target.set(Some(target.clone()));
        match self.update(&label, &registration, &target, progress).await {
            Ok(()) if self.dry_run => Some(Outcome::Planned(target)),
            Ok(()) => Some(Outcome::Updated(target)),
            Err(failure) => Some(Outcome::Failed(Some(target), failure)),
        }
    }

    /// The ARN that the registration is to have, or why it is left alone.
    async fn target(
        &self,
        registered: &FunctionArn,
    ) -> Result<Result<FunctionArn, String>, Failure> {
        let register_as = self.settings.register_as;
        let mut decision = match self.occasion {
            Occasion::Deployment(deployment) => {
                decision::decide(registered, &deployment.change, register_as)
            }
            Occasion::Sweep => decision::decide_sweep(registered, register_as),
        };
        loop {
            decision = match decision {
                Decision::Update(target) => return Ok(Ok(target)),
                Decision::Skip(reason) => return Ok(Err(reason.to_string())),
                Decision::FindNewest => {
                    let newest = self
                        .functions
                        .newest_version(registered)
                        .await
                        .map_err(|error| lambda_failure(&error))?;
                    decision::with_newest(registered, newest).ok_or_else(|| Failure {
                        kind: FailureKind::FunctionNotFound,
                        message: format!(
                            "{} has no published version to move to. Publish one, or register the \
                             connector anew",
                            registered.with_qualifier(None)
                        ),
                    })?
                }
                Decision::UpdateIfGone { target, otherwise } => {
                    match self.functions.exists(registered).await {
                        Ok(false) => Decision::Update(target),
                        Ok(true) => Decision::Skip(otherwise),
                        // To stay is better than to go back to an older version.
                        Err(error) => {
                            tracing::warn!(
                                registeredArn = %registered,
                                "may not ask whether the registered version still exists: {error}"
                            );
                            return Ok(Err(format!(
                                "{otherwise}; whether that one still exists is not known: {error}"
                            )));
                        }
                    }
                }
            };
        }
    }

    /// Makes AppFlow read the connector's configuration from the target, once it is ready.
    async fn update(
        &self,
        label: &ConnectorLabel,
        registration: &Registration,
        target: &FunctionArn,
        progress: &Progress,
    ) -> Result<(), Failure> {
        progress.step.set("waiting for the function to be ready");
        let ready = self.functions.ready(target).await;
        let ready = ready.map_err(|not_ready| readiness_failure(&not_ready, target))?;
        let description = self.description(label, registration, target);
        if self.dry_run {
            return Ok(());
        }

        let versioned = matches!(target.qualifier(), Some(Qualifier::Version(_)));
        if self.settings.grant_invoke && versioned {
            progress.step.set(Operation::AddPermission.name());
            let source = self.appflow_source(registration);
            self.lambda
                .allow_appflow(target, &source)
                .await
                .map_err(|error| Failure {
                    kind: FailureKind::GrantFailed,
                    message: format!(
                        "{error}. {}. By hand: {}",
                        error.advice(),
                        AllowAppFlowCommand {
                            arn: target,
                            source: &source
                        }
                    ),
                })?;
        }

        progress
            .step
            .set(Operation::UpdateConnectorRegistration.name());
        let token = ClientToken::new(self.cause, label, target, description.as_ref());
        let update = || {
            self.appflow
                .update(label, target, description.as_ref(), &token)
        };
        let mut result = update().await;
        if ready == Ready::OnceWoken && result.is_err() {
            // AppFlow's invocation has woken the function: now it is Pending, and then Active.
            progress.step.set("waiting for the function to wake up");
            let ready = self.functions.ready_again(target).await;
            ready.map_err(|not_ready| readiness_failure(&not_ready, target))?;
            progress
                .step
                .set(Operation::UpdateConnectorRegistration.name());
            result = update().await;
        }
        result.map_err(|error| self.update_failure(&error, registration, target))
    }

    /// The description to send: what the settings say, or else what the connector has.
    fn description(
        &self,
        label: &ConnectorLabel,
        registration: &Registration,
        target: &FunctionArn,
    ) -> Option<Description> {
        if let Some(template) = &self.settings.description {
            let deployed = match self.occasion {
                Occasion::Deployment(deployment) => deployment.change.version(),
                Occasion::Sweep => None,
            };
            let version = match (target.qualifier(), deployed) {
                (Some(Qualifier::Version(version)), _) => version.to_string(),
                (_, Some(version)) => version.to_string(),
                (Some(Qualifier::Alias(alias)), None) => alias.clone(),
                (None | Some(Qualifier::Latest), None) => "LATEST".to_owned(),
            };
            return Some(template.render(target.function().name(), &version, &self.date));
        }
        let own = registration.description.as_deref()?;
        Description::unchanged(own)
            .inspect_err(|reason| {
                tracing::warn!(
                    connectorLabel = label.as_str(),
                    "the connector's description is left out of the update: {reason}"
                );
            })
            .ok()
    }

    /// The AppFlow that a registration belongs to, which need not be in its function's account: what
    /// AppFlow says, or else where this function runs.
    fn appflow_source(&self, registration: &Registration) -> AppFlowSource {
        registration.source.clone().unwrap_or_else(|| {
            AppFlowSource::beside(self.own_arn.as_ref().unwrap_or(&registration.function_arn))
        })
    }

    fn update_failure(
        &self,
        error: &ServiceError,
        registration: &Registration,
        target: &FunctionArn,
    ) -> Failure {
        let mut message = format!("{error}. {}", error.advice());
        // A permission covers only the ARN that it was given for, so a new version has none.
        let refused = error.is("AccessDeniedException")
            || error.is("ConnectorServerException")
            || error.is("ValidationException");
        let granted =
            self.settings.grant_invoke && matches!(target.qualifier(), Some(Qualifier::Version(_)));
        if refused && target.qualifier().is_some() && !granted {
            let source = self.appflow_source(registration);
            let command = AllowAppFlowCommand {
                arn: target,
                source: &source,
            };
            message.push_str(&format!(
                ". If AppFlow may not invoke {target} yet, this lets it, and GRANT_INVOKE=true does \
                 so for every version to come: {command}"
            ));
        }
        Failure {
            kind: FailureKind::UpdateFailed,
            message,
        }
    }
}

/// How far one registration has come, for the report when time is up.
struct Progress {
    step: Cell<&'static str>,
    registered: Cell<Option<FunctionArn>>,
    target: Cell<Option<FunctionArn>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            step: Cell::new(Operation::DescribeConnector.name()),
            registered: Cell::default(),
            target: Cell::default(),
        }
    }
}

fn describe_failure(error: DescribeError) -> Failure {
    let message = match error {
        DescribeError::NotFound => "AppFlow has no registration with this label. Register the \
             connector, or take the label out of CONNECTOR_LABELS or of the sweep"
            .to_owned(),
        DescribeError::Call(error) => {
            format!("{error}. {}", error.advice())
        }
        DescribeError::NoFunction(message) => {
            format!("{message}. Only connectors that a Lambda function provides can be updated")
        }
    };
    Failure {
        kind: FailureKind::DescribeFailed,
        message,
    }
}

fn readiness_failure(not_ready: &NotReady, target: &FunctionArn) -> Failure {
    match not_ready {
        NotReady::Failed(reason) => Failure {
            kind: FailureKind::FunctionFailed,
            message: format!("{target} cannot be used: {reason}. Mend the function and deploy it"),
        },
        NotReady::InTime(state) => Failure {
            kind: FailureKind::FunctionNotReady,
            message: format!(
                "{target} was not ready before time was up: {state}. Lambda tries the event again; \
                 if that is not enough, sweep once the function is Active"
            ),
        },
        NotReady::Unknown(error) => lambda_failure(error),
    }
}

fn lambda_failure(error: &ServiceError) -> Failure {
    let kind = if error.is("ResourceNotFoundException") {
        FailureKind::FunctionNotFound
    } else {
        FailureKind::FunctionUnknown
    };
    Failure {
        kind,
        message: format!("{error}. {}", error.advice()),
    }
}
