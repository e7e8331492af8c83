//! What each answer up to the update means for a round. There is nothing asynchronous here.

use crate::decide::{Cause, Decision, Skip};
use crate::model::alias::Alias;
use crate::model::change::Change;
use crate::model::function_arn::{FunctionArn, Versions};
use crate::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use crate::model::registration::Registration;
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::ends::{End, Round, TRIES};
use crate::reconcile::outcome::{Failure, Outcome};
use crate::reconcile::progress::{LAST_POLL, Pause, Waiting};

/// What a target was when it was found ready.
pub(super) struct Ready {
    /// What is deployed; `None` if the updater is not authorized to read it.
    pub(super) code: Option<DeployedCode>,
    /// Whether the first invocation fails, and wakes it.
    inactive: bool,
}

/// An answer of AWS.
pub(super) type Answer<T> = Result<T, ServiceError>;
/// What the round continues with, or how it ends.
pub(super) type Step<T> = Result<T, End>;

impl Round<'_> {
    /// The function that it waits for was read. Unless it is still not ready, the round continues with
    /// the target and what was read.
    pub(super) fn awaited(
        &mut self,
        waiting: Waiting,
        read: Answer<FunctionState>,
    ) -> Step<(FunctionArn, Answer<FunctionState>)> {
        match read {
            Ok(FunctionState {
                readiness: Readiness::NotYet(unready),
                ..
            }) => Err(if unready == waiting.unready {
                let polls = (waiting.polls + 1).min(LAST_POLL);
                self.progress.waiting = Some(Waiting { polls, ..waiting });
                self.again(Pause::Poll(polls))
            } else {
                self.wait(waiting.target, unready)
            }),
            Err(error) if error.kind == ErrorKind::OutOfTime => {
                Err(self.fail(Some(&waiting.target), Failure::NotReady(waiting.unready)))
            }
            read => Ok((waiting.target, read)),
        }
    }

    /// The registration was described.
    pub(super) fn observed(&mut self, described: Answer<Registration>) -> Step<Registration> {
        match described {
            Ok(registration) if self.job.concerns(registration.function_arn.function()) => {
                if self.progress.updates == 0 && self.progress.tries == 0 {
                    self.progress.before = Some(registration.clone());
                }
                Ok(registration)
            }
            Ok(another) => Err(self.end_unconcerned(Some(&another))),
            Err(error) => Err(self.not_described(error)),
        }
    }

    /// The registration was described again. The round only continues if it is as it was.
    pub(super) fn observed_again(
        &mut self,
        registration: &Registration,
        described: Answer<Registration>,
    ) -> Step<()> {
        let now = self.observed(described)?;
        let is_same = now.function_arn == registration.function_arn
            && now.description == registration.description;
        if is_same {
            Ok(())
        } else {
            Err(self.again(Pause::None))
        }
    }

    /// The versions that the decision needs were listed. `None` if the decision does without them.
    pub(super) fn listed(&mut self, listed: Answer<Versions>) -> Step<Option<Versions>> {
        // An event that tells nothing but that some version was published would be lost.
        let does_without = self.job.is_sweep()
            || matches!(self.cause(), Cause::Changed(Change::Published(Some(_))));
        match listed {
            Ok(versions) => Ok(Some(versions)),
            Err(error) if error.kind == ErrorKind::AccessDenied && does_without => {
                tracing::warn!(
                    connectorLabel = self.label.as_str(),
                    "not authorized to list the function's versions: {error}"
                );
                Ok(None)
            }
            Err(error) if error.kind == ErrorKind::NotFound && self.job.is_sweep() => {
                Err(self.end(Outcome::Skipped(Skip::Orphaned(error))))
            }
            Err(error) => Err(self.fail(None, Failure::Function(error))),
        }
    }

    /// The alias that the decision needs was read. `None` if the decision does without it.
    pub(super) fn alias_read(&mut self, read: Answer<Alias>) -> Step<Option<Alias>> {
        match read {
            Ok(alias) => Ok(Some(alias)),
            Err(error) if error.kind == ErrorKind::AccessDenied => {
                tracing::warn!(
                    connectorLabel = self.label.as_str(),
                    "not authorized to check where the alias sends its traffic: {error}"
                );
                Ok(None)
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                Err(self.end(Outcome::Skipped(Skip::Orphaned(error))))
            }
            Err(error) => Err(self.fail(None, Failure::Function(error))),
        }
    }

    /// It was decided what to do: the round continues with the target of an update.
    pub(super) fn decided(
        &mut self,
        registration: &Registration,
        decision: Decision,
    ) -> Step<FunctionArn> {
        let registered = &registration.function_arn;
        let updated = self.progress.updated.as_ref();
        // Whether it may be as this invocation's own update has left it.
        let is_own = updated == Some(registered)
            || (registered.version().is_some() && registered.version() == self.progress.sent);
        if !is_own {
            // What somebody changed after the update is left unchanged.
            if let Some(updated) = updated.cloned() {
                return Err(self.end_updated(updated, Some(registration)));
            }
            // It is no longer the sweep's own update that is behind.
            if self.job.is_sweep() && self.progress.cause.is_some() {
                self.progress.cause = None;
                return Err(self.again(Pause::None));
            }
        }
        let skip = match decision {
            Decision::Update(target) => return Ok(target),
            Decision::Skip(skip) => skip,
            Decision::NoVersion => {
                let function = registration.function_arn.with_qualifier(None);
                if !self.job.is_sweep() {
                    return Err(self.fail(None, Failure::NoVersion(function)));
                }
                Skip::NoVersion(function)
            }
        };
        Err(match (&skip, updated.cloned()) {
            // It is behind because of this invocation's own update.
            (Skip::Behind(newest), _) if is_own => {
                self.progress.cause = Some(Cause::Changed(Change::Published(Some(*newest))));
                self.again(Pause::None)
            }
            (_, Some(target)) => self.end_updated(target, Some(registration)),
            (_, None) => {
                // An operator may have changed it after a try that failed.
                self.progress.before = Some(registration.clone());
                self.end(Outcome::Skipped(skip))
            }
        })
    }

    /// The target was read: the round continues if AppFlow can read its configuration now.
    pub(super) fn ready(
        &mut self,
        target: &FunctionArn,
        read: Answer<FunctionState>,
    ) -> Step<Ready> {
        let (readiness, code) = match read {
            Ok(FunctionState { readiness, code }) => (readiness, Some(code)),
            // AppFlow may still be allowed to invoke it, for example if another account owns it.
            Err(error) if error.kind == ErrorKind::AccessDenied => {
                tracing::warn!(
                    functionArn = %target,
                    "not authorized to check whether the function is ready; continuing: {error}"
                );
                (Readiness::Ready, None)
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Err(self.target_not_found(target, error));
            }
            Err(error) => return Err(self.fail(Some(target), Failure::Function(error))),
        };
        let inactive = readiness == Readiness::Inactive;
        let failure = match readiness {
            Readiness::Ready | Readiness::Inactive => return Ok(Ready { code, inactive }),
            Readiness::ReadyWithPreviousCode(reason) => {
                tracing::warn!(
                    functionArn = %target,
                    "the function's last update failed; AppFlow reads the code from before it: {reason}"
                );
                return Ok(Ready { code, inactive });
            }
            Readiness::NotYet(unready) => return Err(self.wait(target.clone(), unready)),
            Readiness::Split => {
                let alias = target.qualifier().map(ToString::to_string);
                let split = Skip::AliasIsSplit(alias.unwrap_or_default());
                return Err(self.end(Outcome::Skipped(split)));
            }
            Readiness::NonInvocable => Failure::NonInvocable,
            Readiness::Never(reason) => Failure::FunctionFailed(reason),
        };
        Err(self.fail(Some(target), failure))
    }

    /// AppFlow was granted permission to invoke the target, or not: then the round continues with the
    /// error, because somebody else may have granted it.
    pub(super) fn granted(
        &mut self,
        target: &FunctionArn,
        granted: Answer<()>,
    ) -> Step<Option<ServiceError>> {
        match granted {
            Ok(()) => Ok(None),
            // Another change of the function is in progress.
            // The update has at least one retry left.
            Err(error) if error.kind == ErrorKind::Conflict && self.progress.tries < TRIES - 2 => {
                Err(self.retry(error.kind))
            }
            Err(error) => {
                tracing::warn!(
                    targetArn = %target,
                    "AppFlow was not granted permission to invoke the version; updating anyway: {error}"
                );
                Ok(Some(error))
            }
        }
    }

    /// The update was made, or failed.
    pub(super) fn updated(
        &mut self,
        target: &FunctionArn,
        ready: &Ready,
        grant_error: Option<ServiceError>,
        updated: Answer<()>,
    ) -> Step<()> {
        self.progress.sent = target.version();
        let Err(error) = updated else {
            self.progress.updated = Some(target.clone());
            self.progress.updates += 1;
            self.progress.tries = 0;
            self.progress.last_error = None;
            return Ok(());
        };
        let kind = error.kind;
        let is_waking = ready.inactive && !self.progress.woken;
        Err(
            if is_waking && !matches!(kind, ErrorKind::NoAnswer | ErrorKind::Throttled) {
                // AppFlow's invocation has woken the function: it is Pending now, and Active after that.
                self.progress.woken = true;
                self.progress.last_error = Some(error);
                let inactive = Unready::State("its State is Inactive".to_owned());
                self.wait(target.clone(), inactive)
            } else if kind.is_transient() && (self.has_tries() || kind == ErrorKind::Throttled) {
                tracing::warn!(
                    connectorLabel = self.label.as_str(),
                    code = error.code,
                    "the update failed with a transient error: {error}"
                );
                self.progress.last_error = Some(error);
                self.retry(kind)
            } else {
                self.fail_update(Some(target), error, grant_error)
            },
        )
    }

    fn not_described(&mut self, error: ServiceError) -> End {
        let must_exist = self.job.labels_must_exist && self.progress.updates == 0;
        match error.kind {
            ErrorKind::ProvidedByAws => self.end_unconcerned(None),
            // It was unregistered since it was listed.
            ErrorKind::NotFound if !must_exist => self.end_unconcerned(None),
            // It may hide a registration of the deployed function, but a retry would not help, and it must not
            // fail the deployments of all functions. A sweep fails on it.
            ErrorKind::NotFound | ErrorKind::AccessDenied | ErrorKind::NoFunction
                if !self.job.is_sweep() && self.progress.before.is_none() =>
            {
                tracing::warn!(
                    connectorLabel = self.label.as_str(),
                    "this connector cannot be checked for the deployed function; continuing: {error}"
                );
                self.end_unconcerned(None)
            }
            ErrorKind::NotFound => self.fail(None, Failure::NotRegistered),
            _ => self.fail(None, Failure::Describe(error)),
        }
    }
}
