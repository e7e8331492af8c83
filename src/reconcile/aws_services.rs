//! The questions of a round, asked of AWS.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::aws::call::Calls;
use crate::decide::Cause;
use crate::model::alias::{Alias, Traffic};
use crate::model::change::Change;
use crate::model::function_arn::{FunctionArn, Qualifier, Versions};
use crate::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::service_error::{ErrorKind, Operation, ServiceError};
use crate::model::update::Update;
use crate::reconcile::job::Job;
use crate::reconcile::recent::Recent;
use crate::reconcile::services::Services;

/// How old an observation may be when its update is due: if more time has passed, calls were retried or
/// waited for their turn, and an operator may have changed the registration.
const FRESH: Duration = Duration::from_secs(2);
/// How long a finished update waits for its evidence.
const EVIDENCE: Duration = Duration::from_secs(5);

/// AWS, for one registration.
#[derive(Debug)]
pub struct AwsServices<'a> {
    calls: &'a Calls<'a>,
    job: &'a Job,
    /// Whether AppFlow lists the connector with AWS as its owner.
    owned_by_aws: bool,
    /// When the last observation began.
    observed: Cell<Instant>,
    recent: Recent<'a>,
}

impl<'a> AwsServices<'a> {
    /// The calls of an invocation with this job.
    pub fn new(calls: &'a Calls<'a>, job: &'a Job, owned_by_aws: bool) -> Self {
        Self {
            calls,
            job,
            owned_by_aws,
            observed: Cell::new(Instant::now()),
            recent: Recent::new(job),
        }
    }

    /// What an invocation of an alias runs, or else why that is not settled. The version is read under its own
    /// name: the alias may move between the two reads, and then the check after the update has to find a
    /// difference.
    async fn what_alias_runs(
        &self,
        arn: &FunctionArn,
    ) -> Result<Result<FunctionArn, Readiness>, ServiceError> {
        let Alias { version, traffic } = match self.calls.alias(arn).await {
            Err(error) if error.kind == ErrorKind::AccessDenied => return Ok(Ok(arn.clone())),
            read => read?,
        };
        Ok(match traffic {
            Traffic::Split => Err(Readiness::Split),
            Traffic::All(runs) if runs != version && self.may_be_provisioning(&runs) => {
                Err(Readiness::NotYet(Unready::Provisioning { runs, version }))
            }
            Traffic::All(runs) => Ok(arn.with_qualifier(Some(runs))),
        })
    }

    /// Whether Lambda itself may send all traffic of an alias to this additional version: it does so only
    /// after a call that points the alias at a version, and only what that call did not ask for is Lambda's
    /// doing.
    fn may_be_provisioning(&self, runs: &Qualifier) -> bool {
        match &self.job.cause {
            Cause::Changed(Change::AliasMoved { asked, points, .. }) => {
                *points && asked.as_deref() != Some(runs.to_string().as_str())
            }
            _ => false,
        }
    }
}

impl Services for AwsServices<'_> {
    async fn observe(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError> {
        use ErrorKind::{AccessDenied, Invalid, NoFunction, NotFound, Other};
        self.observed.set(Instant::now());
        let described = self.calls.describe(label).await;
        match described {
            Err(error)
                if self.owned_by_aws
                    && matches!(
                        error.kind,
                        AccessDenied | Invalid | NotFound | NoFunction | Other
                    ) =>
            {
                Err(ServiceError::provided_by_aws())
            }
            described => described,
        }
    }

    async fn is_fresh(&self) -> bool {
        self.observed.get().elapsed() <= FRESH
    }

    async fn evidence(&self, label: &ConnectorLabel) -> Result<Registration, ServiceError> {
        let described = timeout(EVIDENCE, self.calls.describe(label)).await;
        described.unwrap_or(Err(ServiceError::too_slow(
            Operation::DescribeConnector,
            EVIDENCE,
        )))
    }

    async fn alias(&self, alias: &FunctionArn) -> Result<Alias, ServiceError> {
        self.calls.alias(alias).await
    }

    async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let not_ready = |readiness| FunctionState {
            readiness,
            code: DeployedCode::default(),
        };
        let mut runs = arn.clone();
        if let Some(Qualifier::Alias(_)) = arn.qualifier() {
            match self.what_alias_runs(arn).await? {
                Ok(behind) => runs = behind,
                Err(readiness) => return Ok(not_ready(readiness)),
            }
        }
        let read = self.calls.function(&runs).await;
        if let (Ok(_), Some(version)) = (&read, runs.version()) {
            self.recent.remember(version);
        }
        let may_run_old_code = |code| {
            let now = self.calls.now();
            self.recent.may_run_old_code(arn, code, now)
        };
        match (read, runs.version()) {
            (Ok(state), _) if state.readiness.is_ready() && may_run_old_code(Some(&state.code)) => {
                Ok(not_ready(Readiness::NotYet(Unready::JustChanged)))
            }
            (Err(error), _) if error.kind == ErrorKind::AccessDenied && may_run_old_code(None) => {
                Ok(not_ready(Readiness::NotYet(Unready::JustChanged)))
            }
            (Err(error), Some(version))
                if error.kind == ErrorKind::NotFound
                    && self.recent.may_become_known(version, Instant::now()) =>
            {
                Ok(not_ready(Readiness::NotYet(Unready::Unknown)))
            }
            (read, _) => read,
        }
    }

    async fn versions(&self, arn: &FunctionArn) -> Result<Versions, ServiceError> {
        use ErrorKind::{AccessDenied, NotFound};
        let mut versions = self.calls.versions(arn).await?;
        // The list may be behind: a version that it lacks is gone only if it cannot be read either.
        if let Some(version) = arn.version()
            && !versions.contains(&version)
        {
            match self.calls.function(arn).await {
                Ok(_) => {
                    versions.insert(version);
                }
                Err(error) if matches!(error.kind, NotFound | AccessDenied) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(versions)
    }

    async fn grant(
        &self,
        version: &FunctionArn,
        appflow: &AppFlowSource,
    ) -> Result<(), ServiceError> {
        self.calls.allow_appflow(version, appflow).await
    }

    async fn update(&self, update: &Update) -> Result<(), ServiceError> {
        self.calls.update(update).await
    }
}
