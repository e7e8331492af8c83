//! Registrations are brought to where they should be: describe, decide, wait, grant, update.

use std::cell::Cell;
use std::time::SystemTime;

use aws_smithy_types::date_time::Format;
use futures_util::{StreamExt, stream};

use crate::aws::appflow::{AppFlow, DescribeError};
use crate::aws::deadline::Deadline;
use crate::aws::lambda::{AllowAppFlowCommand, Lambda};
use crate::aws::service_error::{Operation, ServiceError};
use crate::event::{Deployment, Sweep};
use crate::model::client_token::ClientToken;
use crate::model::description::Description;
use crate::model::function_arn::{FunctionArn, Qualifier};
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::reconcile::decision::{self, Decision};
use crate::reconcile::functions::{Functions, NotReady, Ready};
use crate::reconcile::outcome::{Connector, Failure, FailureKind, Outcome};
use crate::settings::Settings;

/// How many registrations are worked on at the same time: enough that a thousand of them take
/// seconds, few enough that AppFlow's request rate is not used up at once.
const CONCURRENCY: usize = 16;

/// One invocation's work on the registrations, and all that it needs.
pub struct Convergence<'a> {
    /// What the function was told.
    pub settings: &'a Settings,
    /// Where registrations are.
    pub appflow: &'a AppFlow,
    /// Where permissions are given.
    pub lambda: &'a Lambda,
    /// What is known about functions.
    pub functions: Functions<'a>,
    /// When to stop.
    pub deadline: Deadline,
    /// Why registrations are looked at.
    pub occasion: Occasion<'a>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Lambda's id of the invocation, which its own retries keep.
    pub request_id: &'a str,
    /// The updater's own ARN, where Lambda tells a real one.
    pub own_arn: Option<FunctionArn>,
}

/// Why registrations are looked at.
#[derive(Clone, Copy)]
pub enum Occasion<'a> {
    /// A function was deployed: those that have it are concerned.
    Deployment(&'a Deployment),
    /// A sweep: all are.
    Sweep(&'a Sweep),
}

impl Occasion<'_> {
    fn event_id(&self) -> Option<&str> {
        match self {
            Self::Deployment(deployment) => Some(&deployment.event_id),
            Self::Sweep(sweep) => sweep.event_id.as_deref(),
        }
    }

    /// The day of the event, for descriptions, as in `2026-01-31`.
    fn date(&self) -> String {
        let time = match self {
            Self::Deployment(deployment) => deployment.time,
            Self::Sweep(sweep) => sweep.time,
        };
        let time = time.unwrap_or_else(|| SystemTime::now().into());
        let text = time.fmt(Format::DateTime).unwrap_or_default();
        text.chars()
            .take_while(|character| *character != 'T')
            .collect()
    }
}

/// The registrations to look at.
pub enum Scope {
    /// Named by the settings or the sweep: each has to exist.
    Named(Vec<ConnectorLabel>),
    /// Listed by AppFlow: one may be gone by now.
    Listed(Vec<String>),
}

impl Convergence<'_> {
    /// The partition that this runs in, which is that of every event: none crosses to another. Where
    /// an emulator gives no ARN, `aws`; it is for reports alone.
    pub fn partition(&self) -> &str {
        self.own_arn.as_ref().map_or("aws", FunctionArn::partition)
    }

    /// Brings every registration in scope to where it should be, and tells what became of each that
    /// the occasion concerns, in the order of their labels.
    pub async fn run(&self, scope: Scope) -> Vec<Connector> {
        let (labels, named): (Vec<String>, bool) = match scope {
            Scope::Named(labels) => (labels.iter().map(ToString::to_string).collect(), true),
            Scope::Listed(labels) => (labels, false),
        };
        let mut connectors: Vec<Connector> = stream::iter(labels)
            .map(|label| self.registration(label, named))
            .buffer_unordered(CONCURRENCY)
            .filter_map(async |connector| connector)
            .inspect(|connector| connector.log(self.request_id, self.occasion.event_id()))
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
                         not enough, sweep some labels at a time, or give the function a longer \
                         timeout where it has less than Lambda's 15 minutes",
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
        let registration = match self.appflow.describe(&label, self.deadline).await {
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

        progress.step.set("looking up the function's versions");
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
            Occasion::Sweep(_) => decision::decide_sweep(registered, register_as),
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
                .allow_appflow(target, &source, self.deadline)
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
        let cause = match self.occasion {
            Occasion::Deployment(deployment) => &deployment.event_id,
            Occasion::Sweep(_) => self.request_id,
        };
        let token = ClientToken::new(cause, label, target, description.as_ref());
        let update = || {
            self.appflow
                .update(label, target, description.as_ref(), &token, self.deadline)
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
                Occasion::Sweep(_) => None,
            };
            let version = match (target.qualifier(), deployed) {
                (Some(Qualifier::Version(version)), _) => version.to_string(),
                (_, Some(version)) => version.to_string(),
                (Some(Qualifier::Alias(alias)), None) => alias.clone(),
                (None | Some(Qualifier::Latest), None) => "LATEST".to_owned(),
            };
            return Some(template.render(
                target.function().name(),
                &version,
                &self.occasion.date(),
            ));
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
                ". If AppFlow may not invoke {target} yet, this lets it: {command}"
            ));
            if matches!(target.qualifier(), Some(Qualifier::Version(_))) {
                message.push_str(". GRANT_INVOKE=true does so for every version to come");
            }
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
