//! How many registrations had which outcome.

use crate::decide::Skip;
use crate::reconcile::outcome::{ConnectorResult, Outcome};

/// How many registrations of an invocation had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that the invocation was about.
    pub in_scope: usize,
    /// Updated.
    pub updated: usize,
    /// Those of `updated` where the update changed AppFlow's copy.
    pub changed: usize,
    /// Skipped.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Those that a dry run would have updated.
    pub planned: usize,
    /// Those of `skipped` that are behind a newer version.
    pub behind: usize,
    /// Those of `skipped` whose function, version, or alias no longer exists.
    pub orphaned: usize,
}

impl Counts {
    /// Counts the outcomes.
    pub fn of(results: &[ConnectorResult]) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.in_scope += 1;
            match &result.outcome {
                Outcome::Updated { evidence, .. } => {
                    counts.updated += 1;
                    let changed = evidence
                        .as_ref()
                        .is_some_and(|evidence| !evidence.changed.is_empty());
                    counts.changed += usize::from(changed);
                }
                Outcome::Planned { .. } => counts.planned += 1,
                Outcome::Failed { .. } => counts.failed += 1,
                Outcome::Skipped(skip) => {
                    counts.skipped += 1;
                    match skip {
                        Skip::Behind(_) => counts.behind += 1,
                        Skip::Orphaned(_) | Skip::NoVersion(_) => counts.orphaned += 1,
                        _ => {}
                    }
                }
            }
        }
        counts
    }
}
