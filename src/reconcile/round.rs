//! One round of one registration: observe, decide, is the target ready, grant, update, check.
//!
//! Why it is right at any concurrency: after every update, the same invocation reads the function again.
//! An invocation whose update may be stale therefore sees the newer code or version, and goes round
//! again, so the check after the last update that AppFlow stores found nothing newer. A sweep writes
//! nothing backward: a registration that is behind is only reported, and a sweep that finds a newer
//! version after its update than at its decision continues as if that version had just been published.
//! This assumes that AppFlow stores what it read before that check (docs/status.md), that the updater is
//! authorized to read the function and list its versions, and that the check is made: an invocation that
//! ends before it may leave a version-pinned registration behind, which a sweep reports.
//! tests/interleavings tries every order of events around a few deployments.

use crate::decide::{Decision, Skip, decide, needs_alias, needs_versions};
use crate::model::registration::ConnectorLabel;
use crate::reconcile::ends::Round;
use crate::reconcile::job::Job;
use crate::reconcile::outcome::Outcome;
use crate::reconcile::progress::{Next, Progress};
use crate::reconcile::services::Services;

/// Runs one round of one registration, from what the round before it has left.
///
/// It reads no clock, draws no random number, and sets no timer: with the same arguments and the same
/// answers of `services`, it does the same. What each answer means is in `answers.rs` and `checks.rs`: where
/// it ends the round, it is returned as an error.
pub async fn round(
    job: &Job,
    label: &ConnectorLabel,
    progress: Progress,
    services: &impl Services,
) -> Next {
    let mut round = Round {
        job,
        label,
        progress,
    };
    let steps = async {
        // While what it waits for is not ready, ask nothing else.
        let awaited = match round.progress.waiting.take() {
            None => None,
            Some(waiting) => {
                let function = services.function(&waiting.target).await;
                Some(round.awaited(waiting, function)?)
            }
        };

        // Observe.
        let registration = round.observed(services.observe(label).await)?;
        let registered = &registration.function_arn;

        // Decide.
        let mut versions = None;
        if needs_versions(registered, round.cause(), job.register_as) {
            versions = round.listed(services.versions(registered).await)?;
        }
        let mut alias = None;
        if needs_alias(registered, round.cause(), job.dry_run) {
            alias = round.alias_read(services.alias(registered).await)?;
        }
        let (versions, alias) = (versions.as_ref(), alias.as_ref());
        let decision = decide(registered, round.cause(), job.register_as, versions, alias);
        if let Decision::Skip(Skip::Behind(_)) = decision {
            // An event may just have moved it.
            round.observed_again(&registration, services.observe(label).await)?;
        }
        let target = round.decided(&registration, decision)?;
        if job.dry_run {
            return Err(round.end(Outcome::Planned { target }));
        }

        // Is the target ready?
        let function = match awaited {
            Some((awaited, function)) if awaited == target => function,
            _ => services.function(&target).await,
        };
        let ready = round.ready(&target, function)?;

        // Grant.
        let mut grant_error = None;
        if job.grant_invoke && target.version().is_some() {
            let granted = services.grant(&target, &job.appflow(&target)).await;
            grant_error = round.granted(&target, granted)?;
        }

        // Update, but not by an old observation.
        if !services.is_fresh().await {
            round.observed_again(&registration, services.observe(label).await)?;
        }
        let update = job.update(label, &registration, &target, ready.code.as_ref());
        round.updated(&target, &ready, grant_error, services.update(&update).await)?;

        // Check.
        if let Some(code) = &ready.code {
            round.checked(&target, code, services.function(&target).await)?;
        }
        if target.version().is_some() {
            round.newest_checked(&target, services.versions(&target).await)?;
        }
        Ok(round.finished(target, services.evidence(label).await))
    };
    *steps.await.unwrap_or_else(|end| end)
}
