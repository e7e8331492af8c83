//! The way of one event: what happened, which registrations, what became of them.

use std::time::SystemTime;

use lambda_runtime::{Context, LambdaEvent};

use crate::aws::appflow::AppFlow;
use crate::aws::deadline::Deadline;
use crate::aws::lambda::Lambda;
use crate::event::{self, Deployment, Ignored, InvalidEvent, Sweep, Trigger};
use crate::model::registration::ConnectorLabel;
use crate::reconcile::convergence::{Convergence, Occasion, Scope};
use crate::reconcile::functions::Functions;
use crate::report::error::Error;
use crate::report::metrics::Metrics;
use crate::report::response::{Answer, all_done};
use crate::settings::Settings;

/// Keeps AppFlow's registrations in step with their functions.
#[derive(Debug)]
pub struct Updater {
    settings: Settings,
    appflow: AppFlow,
    lambda: Lambda,
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
        let trigger = event::read(&payload);
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
        let convergence = self.convergence(
            Occasion::Deployment(deployment),
            self.settings.dry_run,
            context,
        );
        let function_arn = deployment.function.arn(convergence.partition());
        let scope = self.scope(None, convergence.deadline).await?;
        let connectors = convergence.run(scope).await;
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
            dry_run: convergence.dry_run,
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
        let dry_run = self.settings.dry_run || sweep.dry_run;
        let convergence = self.convergence(Occasion::Sweep(&sweep), dry_run, context);
        let scope = self
            .scope(sweep.labels.clone(), convergence.deadline)
            .await?;
        let connectors = convergence.run(scope).await;
        Ok(Answer {
            event_id: sweep.event_id.clone(),
            event_name: Some("sweep".to_owned()),
            function_arn: None,
            dry_run,
            connectors: Some(all_done(connectors)?),
            ignored: None,
        })
    }

    fn convergence<'a>(
        &'a self,
        occasion: Occasion<'a>,
        dry_run: bool,
        context: &'a Context,
    ) -> Convergence<'a> {
        let deadline = Deadline::before(context.deadline());
        Convergence {
            settings: &self.settings,
            appflow: &self.appflow,
            lambda: &self.lambda,
            functions: Functions::new(&self.lambda, deadline),
            deadline,
            occasion,
            dry_run,
            request_id: &context.request_id,
            own_arn: context.invoked_function_arn.parse().ok(),
        }
    }

    /// The registrations to look at: those that are named, or all that AppFlow lists.
    async fn scope(
        &self,
        named: Option<Vec<ConnectorLabel>>,
        deadline: Deadline,
    ) -> Result<Scope, Error> {
        if let Some(named) = named.or_else(|| self.settings.labels.clone()) {
            return Ok(Scope::Named(named));
        }
        match deadline.cut(self.appflow.labels(deadline)).await {
            Some(Ok(labels)) => Ok(Scope::Listed(labels)),
            Some(Err(error)) => Err(Error::ListFailed(error)),
            None => Err(Error::ListOutOfTime),
        }
    }
}
