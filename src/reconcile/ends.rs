//! A round under way, and the ways in which it can end.

use std::mem;

use crate::decide::{Cause, Skip};
use crate::model::function_arn::FunctionArn;
use crate::model::function_state::Unready;
use crate::model::registration::{ConnectorLabel, Registration};
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::job::Job;
use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
use crate::reconcile::progress::{Next, Pause, Progress, Waiting};

/// How often an update or a grant is tried. The pauses of up to 1, 2, 4, and 8 seconds are for a connector
/// whose cold start missed AppFlow's 10 seconds. A try that is throttled is never the last one.
pub(super) const TRIES: u8 = 5;

/// How a round ends. Boxed, because every step of a round may return it as an error.
pub(super) type End = Box<Next>;

/// A round under way.
pub(super) struct Round<'a> {
    pub(super) job: &'a Job,
    pub(super) label: &'a ConnectorLabel,
    pub(super) progress: Progress,
}

impl Round<'_> {
    /// Why the registration may need an update now.
    pub(super) fn cause(&self) -> &Cause {
        self.progress.cause.as_ref().unwrap_or(&self.job.cause)
    }

    /// Waits for a function that is not ready.
    pub(super) fn wait(&mut self, target: FunctionArn, unready: Unready) -> End {
        tracing::info!(
            connectorLabel = self.label.as_str(),
            functionArn = %target,
            "waiting for the function: {unready}"
        );
        let polls = match unready {
            // It takes about a minute, so the short pauses would be for nothing.
            Unready::JustChanged => 5,
            _ => 0,
        };
        self.progress.waiting = Some(Waiting {
            target,
            unready,
            polls,
        });
        self.again(Pause::Poll(polls))
    }

    /// Whether a try that fails now is not the last one.
    pub(super) fn has_tries(&self) -> bool {
        self.progress.tries + 1 < TRIES
    }

    /// Starts another round after a try that failed. A service that throttles leaves one more try for an
    /// error of another kind.
    pub(super) fn retry(&mut self, kind: ErrorKind) -> End {
        let most = TRIES - if kind == ErrorKind::Throttled { 2 } else { 1 };
        self.progress.tries = self.progress.tries.max((self.progress.tries + 1).min(most));
        self.again(match kind {
            ErrorKind::NoAnswer => Pause::Unanswered,
            _ => Pause::Retry(self.progress.tries),
        })
    }

    pub(super) fn again(&mut self, pause: Pause) -> End {
        Box::new(Next::Again(mem::take(&mut self.progress), pause))
    }

    /// The target does not exist.
    pub(super) fn target_not_found(&mut self, target: &FunctionArn, error: ServiceError) -> End {
        // The function may have been recreated, and the event of the new one may have been handled before
        // AppFlow stored the old version: so move it as a sweep would.
        if target.version().is_some() && !matches!(self.cause(), Cause::Sweep { .. }) {
            self.progress.cause = Some(Cause::Sweep { to_newest: true });
            return self.again(Pause::None);
        }
        match self.job.is_sweep() {
            true => self.end(Outcome::Skipped(Skip::Orphaned(error))),
            false => self.fail(Some(target), Failure::Function(error)),
        }
    }

    /// Ends a registration that the invocation is not about, or no longer: `now` is its description, if it
    /// still exists.
    pub(super) fn end_unconcerned(&mut self, now: Option<&Registration>) -> End {
        match self.progress.updated.take() {
            Some(target) => self.end_updated(target, now),
            None => Box::new(Next::Done(None)),
        }
    }

    /// Ends a registration that was updated. `after` is its description now, if there is one. If that has
    /// another ARN, somebody else wrote it, and it is left unchanged.
    pub(super) fn end_updated(&mut self, target: FunctionArn, after: Option<&Registration>) -> End {
        let replaced_by = after
            .map(|after| after.function_arn.clone())
            .filter(|arn| *arn != target);
        let after = after.filter(|_| replaced_by.is_none());
        let evidence = self.progress.before.as_ref().zip(after);
        let evidence =
            evidence.map(|(before, after)| before.configuration.evidence(&after.configuration));
        self.end(Outcome::Updated {
            target,
            replaced_by,
            evidence,
        })
    }

    pub(super) fn fail_update(
        &mut self,
        target: Option<&FunctionArn>,
        error: ServiceError,
        grant_error: Option<ServiceError>,
    ) -> End {
        let failure = Failure::Update {
            error,
            grant_error,
            appflow: target.map(|target| self.job.appflow(target)),
        };
        self.fail(target, failure)
    }

    /// Fails. If time was up, the error of the last update that failed says more.
    pub(super) fn fail(&mut self, target: Option<&FunctionArn>, failure: Failure) -> End {
        if failure.name() == "OutOfTime"
            && let Some(last) = self.progress.last_error.take()
        {
            return self.fail_update(target, last, None);
        }
        let target = target.cloned();
        self.end(Outcome::Failed { target, failure })
    }

    pub(super) fn end(&mut self, outcome: Outcome) -> End {
        // Whatever it found after an update, it did update.
        if let (Outcome::Skipped(_), Some(target)) = (&outcome, self.progress.updated.take()) {
            return self.end_updated(target, None);
        }
        let registered = self.progress.before.take();
        Box::new(Next::Done(Some(ConnectorResult {
            label: self.label.to_string(),
            registered: registered.map(|registration| registration.function_arn),
            outcome,
        })))
    }
}
