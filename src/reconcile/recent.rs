//! What is not settled for a while after a change of a function: what an invocation runs, and which
//! versions Lambda knows.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use tokio::time::Instant;

use crate::decide::Cause;
use crate::model::change::Change;
use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::function_state::DeployedCode;
use crate::model::update::STORED;
use crate::reconcile::job::Job;

/// How long after a change an invocation may run the code from before: less than a minute
/// ([Lambda FAQ](https://aws.amazon.com/lambda/faqs/)). A published version never changes.
const SERVED: Duration = Duration::from_secs(60);
/// How long Lambda may not know a version that was just published. Deployment tools retry for some seconds;
/// no document has a number.
const UNKNOWN: Duration = Duration::from_secs(30);

/// The changes that an invocation knows of, for one registration.
#[derive(Debug)]
pub(super) struct Recent<'a> {
    job: &'a Job,
    /// The last `LastModified` that was read, and the time that it counts as.
    modified: Cell<Option<(DateTime, SystemTime)>>,
    /// The version that was read last, and since when Lambda does not know it, if it does not.
    version: Cell<Option<(Version, Option<Instant>)>>,
}

impl<'a> Recent<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        Self {
            job,
            modified: Cell::new(None),
            version: Cell::new(None),
        }
    }

    /// Whether an invocation of `arn` may still run the code from before a change. `code` is what is
    /// deployed; `None` if the updater is not authorized to read it.
    pub(super) fn may_run_old_code(
        &self,
        arn: &FunctionArn,
        code: Option<&DeployedCode>,
        now: SystemTime,
    ) -> bool {
        let event = self.job.event_time.map(|time| time.min(now));
        let modified = code.and_then(|code| self.modified(&code.last_modified, now));
        let modified = modified.or(event).map(|time| time + SERVED);
        let settled = match arn.qualifier() {
            Some(Qualifier::Version(_)) => None,
            Some(Qualifier::Alias(_)) => {
                // Lambda does not say when an alias moved, so a sweep cannot wait for it. What a sweep read
                // in the last moment of the minute is stored a little later, and must not be the last word.
                let moved = matches!(self.job.cause, Cause::Changed(Change::AliasMoved { .. }));
                let moved = event.filter(|_| moved).map(|time| time + SERVED + STORED);
                let runs_latest = code.is_none_or(|code| code.version == "$LATEST");
                moved.max(modified.filter(|_| runs_latest))
            }
            None | Some(Qualifier::Latest | Qualifier::LatestPublished) => modified,
        };
        settled.is_some_and(|settled| now < settled)
    }

    /// The time that a `LastModified` counts as: one in the future, by another clock, as when it was first
    /// read. `None` if it is not a time.
    fn modified(&self, text: &str, now: SystemTime) -> Option<SystemTime> {
        // Lambda writes `2026-01-31T12:00:00.000+0000`, and RFC 3339 has a colon in the offset.
        let (time, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let time = DateTime::from_str(&format!("{time}:{minutes}"), Format::DateTimeWithOffset)
            .or_else(|_| DateTime::from_str(text, Format::DateTimeWithOffset))
            .ok()?;
        let counts_as = match self.modified.get() {
            Some((last, counts_as)) if last == time => counts_as,
            _ => SystemTime::try_from(time).ok()?.min(now),
        };
        self.modified.set(Some((time, counts_as)));
        Some(counts_as)
    }

    /// Whether a version that Lambda does not know may have been published a moment ago. A version that this
    /// invocation has read before was deleted.
    pub(super) fn may_become_known(&self, version: Version, now: Instant) -> bool {
        let since = match self.version.get() {
            Some((last, since)) if last == version => since,
            _ => Some(now),
        };
        self.version.set(Some((version, since)));
        since.is_some_and(|since| now - since < UNKNOWN)
    }

    /// Remembers that Lambda knows this version.
    pub(super) fn remember(&self, version: Version) {
        self.version.set(Some((version, None)));
    }
}

/// The time until Lambda lists the version that an event told of without its number.
pub(super) fn until_listed(job: &Job, now: SystemTime) -> Duration {
    match (&job.cause, job.event_time) {
        // A dry run waits for nothing.
        (Cause::Changed(Change::Published(None)), Some(published)) if !job.dry_run => {
            let age = now.duration_since(published).unwrap_or_default();
            UNKNOWN.saturating_sub(age)
        }
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::job::tests::job;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn arn(qualifier: &str) -> FunctionArn {
        format!("arn:aws:lambda:us-east-1:123456789012:function:crm{qualifier}")
            .parse()
            .unwrap()
    }

    fn sweep() -> Cause {
        Cause::Sweep { to_newest: false }
    }

    fn latest_changed() -> Cause {
        Cause::Changed(Change::LatestChanged)
    }

    fn alias_moved() -> Cause {
        Cause::Changed(Change::AliasMoved {
            alias: "live".to_owned(),
            split: false,
            asked: None,
            points: true,
        })
    }

    fn job_of(cause: Cause, event_time: Option<u64>) -> Job {
        Job {
            cause,
            event_time: event_time.map(at),
            ..job()
        }
    }

    /// Code with this `Version`, which was modified `ago` seconds before [`NOW`].
    fn code(version: &str, ago: u64) -> DeployedCode {
        let modified = DateTime::from(at(NOW - ago)).fmt(Format::DateTime).unwrap();
        DeployedCode {
            version: version.to_owned(),
            last_modified: modified.replace('Z', ".000+0000"),
            ..DeployedCode::default()
        }
    }

    /// Whether `crm` with this qualifier may run old code: the event is so many seconds old.
    fn may(cause: Cause, event: Option<u64>, qualifier: &str, code: Option<DeployedCode>) -> bool {
        let job = job_of(cause, event.map(|ago| NOW - ago));
        Recent::new(&job).may_run_old_code(&arn(qualifier), code.as_ref(), at(NOW))
    }

    #[test]
    fn the_minute_counts_from_the_last_change_of_what_an_invocation_runs() {
        let latest = |ago| Some(code("$LATEST", ago));
        for qualifier in ["", ":$LATEST", ":$LATEST.PUBLISHED"] {
            for (ago, may_run) in [(0, true), (59, true), (60, false), (3600, false)] {
                assert_eq!(
                    may(latest_changed(), Some(0), qualifier, latest(ago)),
                    may_run
                );
                assert_eq!(may(sweep(), None, qualifier, latest(ago)), may_run, "{ago}");
            }
        }
        assert!(!may(latest_changed(), Some(0), ":7", Some(code("7", 0))));
    }

    #[test]
    fn without_a_readable_time_the_minute_counts_from_the_event() {
        let timeless = |text: &str| {
            Some(DeployedCode {
                last_modified: text.to_owned(),
                ..code("$LATEST", 0)
            })
        };
        for code in [None, timeless(""), timeless("yesterday"), timeless("é")] {
            assert!(may(latest_changed(), Some(59), "", code.clone()));
            assert!(!may(latest_changed(), Some(60), "", code.clone()));
            assert!(!may(sweep(), None, "", code.clone()));
            assert!(!may(latest_changed(), None, "", code));
        }
    }

    #[test]
    fn an_alias_has_the_minute_of_its_event_and_the_time_that_appflow_takes_to_store() {
        let (seven, old) = (|| Some(code("7", 0)), || Some(code("$LATEST", 3600)));
        for (ago, may_run) in [(0, true), (71, true), (72, false)] {
            assert_eq!(
                may(alias_moved(), Some(ago), ":live", seven()),
                may_run,
                "{ago}"
            );
            assert_eq!(
                may(alias_moved(), Some(ago), ":live", old()),
                may_run,
                "{ago}"
            );
            assert_eq!(
                may(alias_moved(), Some(ago), ":live", None),
                may_run,
                "{ago}"
            );
        }
        assert!(!may(alias_moved(), None, ":live", seven()));
        assert!(!may(sweep(), None, ":live", seven()));
    }

    #[test]
    fn an_alias_of_latest_has_the_minute_of_latest_too() {
        for (ago, may_run) in [(59, true), (60, false)] {
            let latest = || Some(code("$LATEST", ago));
            assert_eq!(may(alias_moved(), Some(3600), ":live", latest()), may_run);
            assert_eq!(
                may(latest_changed(), Some(3600), ":live", latest()),
                may_run
            );
            assert_eq!(may(sweep(), None, ":live", latest()), may_run);
        }
    }

    #[test]
    fn a_time_in_the_future_counts_as_when_it_was_first_read() {
        let job = job_of(latest_changed(), None);
        let recent = Recent::new(&job);
        let code = DeployedCode {
            last_modified: "2100-01-01T00:00:00.000+0000".to_owned(),
            ..DeployedCode::default()
        };
        let may = |now| recent.may_run_old_code(&arn(""), Some(&code), at(now));
        assert!(may(NOW));
        assert!(may(NOW + 59));
        assert!(!may(NOW + 60));
        // A change after that has its own minute.
        let later = DeployedCode {
            last_modified: "2100-01-01T00:00:01.000+0000".to_owned(),
            ..DeployedCode::default()
        };
        assert!(recent.may_run_old_code(&arn(""), Some(&later), at(NOW + 60)));
    }

    #[test]
    fn every_form_of_a_time_is_read() {
        let job = job_of(sweep(), None);
        for text in [
            "2027-01-15T08:00:00.000+0000",
            "2027-01-15T08:00:00+0000",
            "2027-01-15T08:00:00Z",
            "2027-01-15T08:00:00.000+00:00",
            "2027-01-15T10:00:00.000+0200",
        ] {
            let read = Recent::new(&job).modified(text, at(NOW + 1_000_000));
            assert_eq!(read, Some(at(NOW)), "{text}");
        }
    }

    #[test]
    fn a_version_may_be_unknown_for_half_a_minute() {
        let job = job();
        let recent = Recent::new(&job);
        let start = Instant::now();
        let may = |number, seconds| {
            let version = Version::new(number).unwrap();
            recent.may_become_known(version, start + Duration::from_secs(seconds))
        };
        assert!(may(7, 100));
        assert!(may(7, 129));
        assert!(!may(7, 130));
        assert!(may(8, 130));
        recent.remember(Version::new(8).unwrap());
        assert!(!may(8, 131));
    }

    #[test]
    fn a_version_without_its_number_is_listed_half_a_minute_after_its_event() {
        let wait = |cause, event: Option<u64>| {
            let job = job_of(cause, event.map(|ago| NOW - ago));
            until_listed(&job, at(NOW)).as_secs()
        };
        let published = |number| Cause::Changed(Change::Published(Version::new(number)));
        assert_eq!(wait(published(0), Some(0)), 30);
        assert_eq!(wait(published(0), Some(29)), 1);
        assert_eq!(wait(published(0), Some(30)), 0);
        assert_eq!(wait(published(0), None), 0);
        assert_eq!(wait(published(7), Some(0)), 0);
        assert_eq!(wait(sweep(), Some(0)), 0);
        let dry_run = Job {
            dry_run: true,
            ..job_of(published(0), Some(NOW))
        };
        assert_eq!(until_listed(&dry_run, at(NOW)), Duration::ZERO);
    }
}
