//! Single rounds, and what follows from single answers. tests/interleavings tries every order.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures_util::FutureExt;

use crate::decide::{Cause, Skip};
use crate::model::alias::Alias;
use crate::model::change::Change;
use crate::model::evidence::Configuration;
use crate::model::function_arn::{FunctionArn, Version, Versions};
use crate::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::service_error::{ErrorKind, Operation, ServiceError};
use crate::model::update::Update;
use crate::reconcile::job::{self, Functions, Job};
use crate::reconcile::outcome::{ConnectorResult, Failure, Outcome};
use crate::reconcile::progress::{Next, Progress};
use crate::reconcile::round::round;
use crate::reconcile::services::Services;

const SWEEP: Cause = Cause::Sweep { to_newest: false };

/// `crm:7` for the ARN of version 7 of function `crm`.
fn arn(name: &str) -> FunctionArn {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")
        .parse()
        .unwrap()
}

fn name(arn: &FunctionArn) -> String {
    arn.to_string()
        .split(':')
        .skip(6)
        .collect::<Vec<_>>()
        .join(":")
}

fn error(kind: ErrorKind) -> ServiceError {
    ServiceError {
        kind,
        ..ServiceError::out_of_time(Operation::DescribeConnector)
    }
}

fn published(version: u64) -> Cause {
    Cause::Changed(Change::Published(Version::new(version)))
}

fn job(cause: Cause) -> Job {
    Job {
        functions: match cause {
            Cause::Sweep { .. } => Functions::All,
            Cause::Changed(_) => Functions::Deployed(arn("crm").function().clone()),
        },
        cause,
        ..job::tests::job()
    }
}

fn alias_moved(alias: &str) -> Cause {
    Cause::Changed(Change::AliasMoved {
        alias: alias.to_owned(),
        split: false,
        asked: None,
        points: true,
    })
}

/// An answer to a question of a round.
#[derive(Clone, Debug)]
enum Answer {
    /// The ARN of the registration, which is also its connector version.
    Described(Result<&'static str, ErrorKind>),
    Fresh(bool),
    /// The readiness, and the code.
    Function(Result<(Readiness, &'static str), ErrorKind>),
    Versions(Result<&'static [u64], ErrorKind>),
    /// The version that the alias points at, and the weight of version 9.
    Routed(Result<(&'static str, f64), ErrorKind>),
    Done(Result<(), ErrorKind>),
}

use Answer::{Described, Done, Fresh, Function, Routed};

const READY: Answer = Function(Ok((Readiness::Ready, "a")));
const OK: Answer = Done(Ok(()));

fn is(registered: &'static str) -> Answer {
    Described(Ok(registered))
}

fn versions(numbers: &'static [u64]) -> Answer {
    Answer::Versions(Ok(numbers))
}

fn pending() -> Answer {
    Function(Ok((
        Readiness::NotYet(Unready::State("its State is Pending".to_owned())),
        "a",
    )))
}

fn inactive() -> Answer {
    Function(Ok((Readiness::Inactive, "a")))
}

fn failed(kind: ErrorKind) -> Answer {
    Done(Err(kind))
}

/// Answers from a list, and records what was asked.
struct Script {
    answers: RefCell<VecDeque<Answer>>,
    asked: RefCell<Vec<String>>,
}

impl Script {
    fn next(&self, asked: String) -> Answer {
        self.asked.borrow_mut().push(asked.clone());
        let answer = self.answers.borrow_mut().pop_front();
        answer.unwrap_or_else(|| panic!("asked too much: {asked}"))
    }

    fn described(&self, asked: &str) -> Result<Registration, ServiceError> {
        let Described(described) = self.next(asked.to_owned()) else {
            panic!("asked: {asked}");
        };
        let registered = described.map_err(error)?;
        Ok(Registration {
            function_arn: arn(registered),
            description: None,
            configuration: Configuration::new(Some(registered.to_owned()), [].into_iter()),
        })
    }
}

impl Services for Script {
    async fn observe(&self, _: &ConnectorLabel) -> Result<Registration, ServiceError> {
        self.described("observe")
    }

    async fn is_fresh(&self) -> bool {
        match self.next("fresh?".to_owned()) {
            Fresh(fresh) => fresh,
            other => panic!("{other:?}"),
        }
    }

    async fn evidence(&self, _: &ConnectorLabel) -> Result<Registration, ServiceError> {
        self.described("evidence")
    }

    async fn alias(&self, alias: &FunctionArn) -> Result<Alias, ServiceError> {
        match self.next(format!("alias {}", name(alias))) {
            Routed(read) => read
                .map(|(version, weight)| {
                    let nine = "9".parse().unwrap();
                    Alias::new(version.parse().unwrap(), [(nine, weight)])
                })
                .map_err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        match self.next(format!("read {}", name(arn))) {
            Function(read) => read
                .map(|(readiness, code)| FunctionState {
                    readiness,
                    code: DeployedCode {
                        version: String::new(),
                        code_sha256: code.to_owned(),
                        last_modified: String::new(),
                    },
                })
                .map_err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn versions(&self, function: &FunctionArn) -> Result<Versions, ServiceError> {
        match self.next(format!("versions of {}", function.function().name())) {
            Answer::Versions(listed) => {
                let numbers = listed.map_err(error)?.iter();
                Ok(numbers.filter_map(|number| Version::new(*number)).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    async fn grant(&self, version: &FunctionArn, _: &AppFlowSource) -> Result<(), ServiceError> {
        match self.next(format!("grant {}", name(version))) {
            Done(done) => done.map_err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn update(&self, update: &Update) -> Result<(), ServiceError> {
        match self.next(format!("update {}", name(&update.target))) {
            Done(done) => done.map_err(error),
            other => panic!("{other:?}"),
        }
    }
}

/// A registration in an invocation.
struct Registered {
    job: Job,
    progress: Progress,
}

impl Registered {
    fn new(cause: Cause) -> Self {
        Self::of(job(cause))
    }

    fn of(job: Job) -> Self {
        Self {
            job,
            progress: Progress::default(),
        }
    }

    /// Runs a round with these answers, all of which it must ask for, and returns what it asked and how
    /// it ended.
    fn round(&mut self, answers: impl IntoIterator<Item = Answer>) -> (Vec<String>, String) {
        let (asked, next) = self.next(answers);
        let end = match next {
            Next::Again(progress, pause) => {
                self.progress = progress;
                format!("again after {pause:?}")
            }
            Next::Done(None) => "nothing".to_owned(),
            Next::Done(Some(result)) => word(&result),
        };
        (asked, end)
    }

    fn next(&mut self, answers: impl IntoIterator<Item = Answer>) -> (Vec<String>, Next) {
        let script = Script {
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
        };
        let label = "crm".parse().unwrap();
        let progress = std::mem::take(&mut self.progress);
        let next = round(&self.job, &label, progress, &script).now_or_never();
        assert!(
            script.answers.borrow().is_empty(),
            "not asked: {:?}",
            script.answers
        );
        (
            script.asked.into_inner(),
            next.expect("the script never waits"),
        )
    }

    fn ends(&mut self, answers: impl IntoIterator<Item = Answer>) -> String {
        self.round(answers).1
    }

    fn result(&mut self, answers: impl IntoIterator<Item = Answer>) -> ConnectorResult {
        match self.next(answers).1 {
            Next::Done(Some(result)) => result,
            other => panic!("{other:?}"),
        }
    }
}

/// A result in a few words.
fn word(result: &ConnectorResult) -> String {
    match &result.outcome {
        Outcome::Updated {
            target,
            replaced_by,
            evidence,
        } => {
            let mut word = format!("updated with {}", name(target));
            if let Some(other) = replaced_by {
                word.push_str(&format!(", then {}", name(other)));
            }
            if evidence.is_none() {
                word.push_str(", without evidence");
            }
            word
        }
        Outcome::Planned { target } => format!("planned {}", name(target)),
        Outcome::Skipped(skip) => match skip {
            Skip::Behind(newest) => format!("behind {newest}"),
            Skip::VersionsUnknown(_) => "versions unknown".to_owned(),
            Skip::Orphaned(_) | Skip::NoVersion(_) => "orphaned".to_owned(),
            _ => "skipped".to_owned(),
        },
        Outcome::Failed { failure, .. } => failure.name().to_owned(),
    }
}

#[test]
fn a_round_asks_one_question_after_another() {
    let mut unqualified = Registered::new(published(7));
    let (asked, end) = unqualified.round([is("crm"), READY, Fresh(true), OK, READY, is("crm")]);
    assert_eq!(
        asked,
        [
            "observe",
            "read crm",
            "fresh?",
            "update crm",
            "read crm",
            "evidence"
        ]
    );
    assert_eq!(end, "updated with crm");

    let mut pinned = Registered::new(published(7));
    pinned.job.grant_invoke = true;
    let (asked, end) = pinned.round([
        is("crm:6"),
        READY,
        OK,
        Fresh(true),
        OK,
        READY,
        versions(&[6, 7]),
        is("crm:7"),
    ]);
    assert_eq!(
        asked,
        [
            "observe",
            "read crm:7",
            "grant crm:7",
            "fresh?",
            "update crm:7",
            "read crm:7",
            "versions of crm",
            "evidence",
        ]
    );
    assert_eq!(end, "updated with crm:7");
}

#[test]
fn only_a_version_is_granted_to_appflow_and_only_where_that_is_set() {
    for (registered, grant_invoke) in [("crm", true), ("crm:live", true), ("crm:6", false)] {
        let cause = match registered {
            "crm:live" => alias_moved("live"),
            _ => published(7),
        };
        let mut registration = Registered::new(cause);
        registration.job.grant_invoke = grant_invoke;
        let answers = [
            is(registered),
            READY,
            Fresh(true),
            failed(ErrorKind::Invalid),
        ];
        assert_eq!(registration.ends(answers), "UpdateFailed", "{registered}");
    }
}

#[test]
fn a_dry_run_ends_with_the_decision() {
    let mut registration = Registered::new(published(7));
    registration.job.dry_run = true;
    assert_eq!(registration.ends([is("crm:6")]), "planned crm:7");
}

#[test]
fn while_a_function_is_not_ready_nothing_but_that_is_asked() {
    let mut registration = Registered::new(published(7));
    let (_, end) = registration.round([is("crm:6"), pending()]);
    assert_eq!(end, "again after Poll(0)");
    for polls in [1, 2, 3, 4, 5, 6, 7, 8, 8, 8] {
        let (asked, end) = registration.round([pending()]);
        assert_eq!(asked, ["read crm:7"]);
        assert_eq!(end, format!("again after Poll({polls})"));
    }
    // Then it is described again, and what was read is not read again.
    let (asked, _) = registration.round([
        READY,
        is("crm:6"),
        Fresh(true),
        OK,
        READY,
        versions(&[7]),
        is("crm:7"),
    ]);
    assert_eq!(asked[..3], ["read crm:7", "observe", "fresh?"]);
}

#[test]
fn a_minute_is_waited_for_in_long_pauses_and_what_is_waited_for_next_in_short_ones() {
    let just_changed = || Function(Ok((Readiness::NotYet(Unready::JustChanged), "a")));
    let mut registration = Registered::new(published(7));
    let first = [is("crm"), just_changed()];
    assert_eq!(registration.ends(first), "again after Poll(5)");
    assert_eq!(registration.ends([just_changed()]), "again after Poll(6)");
    assert_eq!(registration.ends([pending()]), "again after Poll(0)");
    assert_eq!(registration.ends([pending()]), "again after Poll(1)");
}

#[test]
fn a_registration_that_was_described_before_is_not_passed_over_when_it_cannot_be() {
    for kind in [ErrorKind::AccessDenied, ErrorKind::NoFunction] {
        let mut registration = Registered::new(published(7));
        registration.ends([is("crm"), pending()]);
        let answers = [READY, Described(Err(kind))];
        assert_eq!(registration.ends(answers), "DescribeFailed", "{kind:?}");
    }
}

#[test]
fn after_a_wait_the_registration_is_described_and_decided_again() {
    let waiting = || {
        let mut registration = Registered::new(published(7));
        registration.ends([is("crm:6"), pending()]);
        registration
    };
    // Another ARN was registered in the meantime.
    let result = waiting().result([READY, is("crm:live"), Routed(Ok(("7", 0.0)))]);
    assert_eq!(
        (word(&result).as_str(), result.registered),
        ("skipped", Some(arn("crm:live")))
    );
    // Without a qualifier, another ARN has to be read.
    let (asked, _) = waiting().round([READY, is("crm"), pending()]);
    assert_eq!(asked, ["read crm:7", "observe", "read crm"]);
    // It is of another function now, or unregistered.
    assert_eq!(waiting().ends([READY, is("erp:6")]), "nothing");
    assert_eq!(
        waiting().ends([READY, Described(Err(ErrorKind::NotFound))]),
        "nothing"
    );
}

#[test]
fn a_wait_that_times_out_reports_the_last_state_seen() {
    for (kind, end) in [
        (ErrorKind::OutOfTime, "FunctionNotReady"),
        (ErrorKind::Internal, "FunctionUnknown"),
        (ErrorKind::Throttled, "FunctionUnknown"),
    ] {
        let mut registration = Registered::new(published(7));
        registration.ends([is("crm"), pending()]);
        let mut answers = vec![Function(Err(kind))];
        if kind != ErrorKind::OutOfTime {
            answers.push(is("crm"));
        }
        let result = registration.result(answers);
        assert_eq!(word(&result), end, "{kind:?}");
        let Outcome::Failed { target, .. } = result.outcome else {
            panic!("{kind:?}");
        };
        assert_eq!(
            (target, result.registered),
            (Some(arn("crm")), Some(arn("crm")))
        );
    }
    let mut registration = Registered::new(published(7));
    assert_eq!(
        registration.ends([is("crm"), Function(Err(ErrorKind::OutOfTime))]),
        "OutOfTime"
    );
    let mut registration = Registered::new(published(7));
    registration.ends([is("crm"), pending()]);
    registration.ends([Function(Ok((Readiness::NotYet(Unready::JustChanged), "a")))]);
    let result = registration.result([Function(Err(ErrorKind::OutOfTime))]);
    let Outcome::Failed { failure, .. } = result.outcome else {
        panic!("{result:?}");
    };
    assert_eq!(failure, Failure::NotReady(Unready::JustChanged));
}

#[test]
fn a_function_that_cannot_be_invoked_fails_at_once() {
    for readiness in [
        Readiness::NonInvocable,
        Readiness::Never("no subnet".to_owned()),
    ] {
        let mut registration = Registered::new(published(7));
        let answers = [is("crm"), Function(Ok((readiness, "a")))];
        assert_eq!(registration.ends(answers), "FunctionFailed");
    }
    let previous = Readiness::ReadyWithPreviousCode("no subnet".to_owned());
    let mut registration = Registered::new(published(7));
    let read = || Function(Ok((previous.clone(), "a")));
    let answers = [is("crm"), read(), Fresh(true), OK, read(), is("crm")];
    assert_eq!(registration.ends(answers), "updated with crm");
}

#[test]
fn an_old_observation_is_confirmed_or_a_new_round_begins() {
    let mut registration = Registered::new(published(7));
    let (asked, end) = registration.round([
        is("crm"),
        READY,
        Fresh(false),
        is("crm"),
        OK,
        READY,
        is("crm"),
    ]);
    assert_eq!(asked[2..5], ["fresh?", "observe", "update crm"]);
    assert_eq!(end, "updated with crm");
    let mut registration = Registered::new(published(7));
    let answers = [is("crm"), READY, Fresh(false), is("crm:live")];
    assert_eq!(registration.ends(answers), "again after None");
    let answers = [is("crm:live"), Routed(Ok(("7", 0.0)))];
    assert_eq!(registration.ends(answers), "skipped");
}

#[test]
fn without_the_right_to_read_a_function_there_is_no_check() {
    let denied = || Function(Err(ErrorKind::AccessDenied));
    let mut registration = Registered::new(published(7));
    let answers = [is("crm"), denied(), Fresh(true), OK, is("crm")];
    assert_eq!(registration.ends(answers), "updated with crm");
    // The right was taken away in between.
    let mut registration = Registered::new(published(7));
    let answers = [is("crm"), READY, Fresh(true), OK, denied(), is("crm")];
    assert_eq!(registration.ends(answers), "updated with crm");
    // A version still is compared with the newest.
    let mut registration = Registered::new(published(7));
    let answers = [is("crm:6"), denied(), Fresh(true), OK, versions(&[8])];
    assert_eq!(registration.ends(answers), "again after None");
}

#[test]
fn what_changes_during_an_update_starts_another_round() {
    let changed = || Function(Ok((Readiness::Ready, "b")));
    let updating = || [is("crm"), READY, Fresh(true), OK];
    for (read, end) in [
        (changed(), "again after None"),
        (pending(), "again after Poll(0)"),
        (Function(Err(ErrorKind::NotFound)), "again after None"),
        (
            Function(Ok((Readiness::NonInvocable, "a"))),
            "again after None",
        ),
    ] {
        let mut registration = Registered::new(published(7));
        let answers = updating().into_iter().chain([read]);
        assert_eq!(registration.ends(answers), end);
    }
    // What is still as it was is no change, even if it is not invoked for long.
    let mut registration = Registered::new(published(7));
    let answers = updating().into_iter().chain([inactive(), is("crm")]);
    assert_eq!(registration.ends(answers), "updated with crm");
    for kind in [ErrorKind::Internal, ErrorKind::OutOfTime] {
        let mut registration = Registered::new(published(7));
        let answers = updating().into_iter().chain([Function(Err(kind))]);
        let failure = registration.result(answers).outcome;
        assert!(
            matches!(&failure, Outcome::Failed { failure: Failure::Unchecked(error), target: Some(_) }
                if error.kind == kind),
            "{failure:?}"
        );
    }
}

#[test]
fn a_function_that_changes_during_eight_updates_is_an_error() {
    let mut registration = Registered::new(published(7));
    for updates in 1..=8 {
        let changed = Function(Ok((Readiness::Ready, "b")));
        let end = registration.ends([is("crm"), READY, Fresh(true), OK, changed]);
        let expected = if updates < 8 {
            "again after None"
        } else {
            "FunctionKeepsChanging"
        };
        assert_eq!(end, expected, "{updates}");
    }
}

#[test]
fn a_version_that_is_published_during_an_update_is_moved_to() {
    for (cause, registered, before) in [
        (published(7), "crm:6", None),
        (SWEEP, "crm:7", Some(versions(&[7]))),
        (
            Cause::Sweep { to_newest: true },
            "crm:6",
            Some(versions(&[6, 7])),
        ),
    ] {
        let mut registration = Registered::new(cause);
        let answers = [is(registered)].into_iter().chain(before);
        let answers = answers.chain([READY, Fresh(true), OK, READY, versions(&[7, 8])]);
        assert_eq!(registration.ends(answers), "again after None");
        let (asked, end) = registration.round([
            is("crm:7"),
            READY,
            Fresh(true),
            OK,
            READY,
            versions(&[8]),
            is("crm:8"),
        ]);
        assert_eq!(asked[1], "read crm:8");
        assert_eq!(end, "updated with crm:8");
    }
}

#[test]
fn versions_that_cannot_be_listed_after_an_update_fail_it_unless_nothing_can_be_known() {
    for (kind, end) in [
        (ErrorKind::AccessDenied, "updated with crm:7"),
        (ErrorKind::NotFound, "updated with crm:7"),
        (ErrorKind::Internal, "FunctionUnknown"),
        (ErrorKind::OutOfTime, "OutOfTime"),
    ] {
        let mut registration = Registered::new(published(7));
        let answers = [
            is("crm:6"),
            READY,
            Fresh(true),
            OK,
            READY,
            Answer::Versions(Err(kind)),
        ];
        let evidence = end.starts_with("updated").then_some(is("crm:7"));
        assert_eq!(
            registration.ends(answers.into_iter().chain(evidence)),
            end,
            "{kind:?}"
        );
    }
}

#[test]
fn an_update_is_tried_five_times_and_described_before_each() {
    for (kind, tries) in [
        (ErrorKind::Internal, 5),
        (ErrorKind::ConnectorServer, 5),
        (ErrorKind::Conflict, 5),
        (ErrorKind::NoAnswer, 5),
        (ErrorKind::Invalid, 1),
        (ErrorKind::AccessDenied, 1),
        (ErrorKind::NotSent, 1),
    ] {
        let mut registration = Registered::new(published(7));
        let tried = || [is("crm"), READY, Fresh(true), failed(kind)];
        for number in 1..tries {
            let pause = match kind {
                ErrorKind::NoAnswer => "Unanswered".to_owned(),
                _ => format!("Retry({number})"),
            };
            assert_eq!(
                registration.ends(tried()),
                format!("again after {pause}"),
                "{kind:?}"
            );
        }
        let result = registration.result(tried());
        let Outcome::Failed { target, failure } = &result.outcome else {
            panic!("{result:?}");
        };
        assert_eq!(failure.name(), "UpdateFailed", "{kind:?}");
        assert_eq!(
            (target, &result.registered),
            (&Some(arn("crm")), &Some(arn("crm")))
        );
    }
}

#[test]
fn a_throttled_update_is_tried_until_time_is_up_and_then_its_own_error_is_reported() {
    let throttled = || {
        let mut registration = Registered::new(published(7));
        for number in [1, 2, 3, 3, 3, 3, 3] {
            let answers = [is("crm"), READY, Fresh(true), failed(ErrorKind::Throttled)];
            assert_eq!(
                registration.ends(answers),
                format!("again after Retry({number})")
            );
        }
        registration
    };
    let late = ErrorKind::OutOfTime;
    for answers in [
        vec![Described(Err(late))],
        vec![is("crm"), READY, Fresh(true), failed(late)],
    ] {
        let outcome = throttled().result(answers).outcome;
        assert!(
            matches!(&outcome, Outcome::Failed { failure: Failure::Update { error, .. }, .. }
                if error.kind == ErrorKind::Throttled),
            "{outcome:?}"
        );
    }
    // An error of another kind is still tried again once.
    let internal = || [is("crm"), READY, Fresh(true), failed(ErrorKind::Internal)];
    let mut registration = throttled();
    assert_eq!(registration.ends(internal()), "again after Retry(4)");
    let answers = [is("crm"), READY, Fresh(true), failed(ErrorKind::Throttled)];
    assert_eq!(registration.ends(answers), "again after Retry(4)");
    assert_eq!(registration.ends(internal()), "UpdateFailed");
    // After an update, tries are counted from the beginning.
    let mut registration = throttled();
    registration.ends([
        is("crm"),
        READY,
        Fresh(true),
        OK,
        Function(Ok((Readiness::Ready, "b"))),
    ]);
    let answers = [is("crm"), READY, Fresh(true), failed(ErrorKind::Internal)];
    assert_eq!(registration.ends(answers), "again after Retry(1)");
}

#[test]
fn without_time_an_update_is_out_of_time() {
    let late = ErrorKind::OutOfTime;
    let answers = [is("crm"), READY, Fresh(true), failed(late)];
    assert_eq!(Registered::new(published(7)).ends(answers), "OutOfTime");
    assert_eq!(
        Registered::new(published(7)).ends([Described(Err(late))]),
        "OutOfTime"
    );
}

#[test]
fn an_inactive_function_is_woken_by_the_first_update_and_waited_for_once() {
    let woken = || {
        let mut registration = Registered::new(published(7));
        let answers = [
            is("crm"),
            inactive(),
            Fresh(true),
            failed(ErrorKind::AccessDenied),
        ];
        assert_eq!(registration.ends(answers), "again after Poll(0)");
        registration
    };
    let mut registration = woken();
    assert_eq!(registration.ends([pending()]), "again after Poll(0)");
    let (asked, end) = registration.round([READY, is("crm"), Fresh(true), OK, READY, is("crm")]);
    assert_eq!(asked[0], "read crm");
    assert_eq!(end, "updated with crm");
    // Nothing has woken it: the update's error says more than another wait.
    let answers = [
        inactive(),
        is("crm"),
        Fresh(true),
        failed(ErrorKind::AccessDenied),
    ];
    assert_eq!(woken().ends(answers), "UpdateFailed");
    // An update without an answer may not have woken it, and a throttled one has not.
    for (kind, pause) in [
        (ErrorKind::NoAnswer, "Unanswered"),
        (ErrorKind::Throttled, "Retry(1)"),
    ] {
        let mut registration = Registered::new(published(7));
        let answers = [is("crm"), inactive(), Fresh(true), failed(kind)];
        assert_eq!(registration.ends(answers), format!("again after {pause}"));
        let denied = failed(ErrorKind::AccessDenied);
        let answers = [is("crm"), inactive(), Fresh(true), denied];
        assert_eq!(registration.ends(answers), "again after Poll(0)");
    }
}

#[test]
fn a_grant_is_tried_again_while_another_change_is_in_progress_and_then_the_update_is_tried() {
    let granting = || {
        let mut registration = Registered::new(published(7));
        registration.job.grant_invoke = true;
        registration
    };
    let mut registration = granting();
    for number in 1..4 {
        let answers = [is("crm:6"), READY, failed(ErrorKind::Conflict)];
        assert_eq!(
            registration.ends(answers),
            format!("again after Retry({number})")
        );
    }
    // The update has a retry left.
    for (kind, end) in [
        (ErrorKind::ConnectorServer, "again after Retry(4)"),
        (ErrorKind::ConnectorServer, "GrantFailed"),
    ] {
        let conflict = failed(ErrorKind::Conflict);
        let answers = [is("crm:6"), READY, conflict, Fresh(true), failed(kind)];
        assert_eq!(registration.ends(answers), end);
    }
    for kind in [ErrorKind::AccessDenied, ErrorKind::Internal] {
        let answers = [
            is("crm:6"),
            READY,
            failed(kind),
            Fresh(true),
            failed(ErrorKind::Invalid),
        ];
        assert_eq!(granting().ends(answers), "GrantFailed", "{kind:?}");
        let updated = [
            is("crm:6"),
            READY,
            failed(kind),
            Fresh(true),
            OK,
            READY,
            versions(&[7]),
        ];
        let updated = updated.into_iter().chain([is("crm:7")]);
        assert_eq!(granting().ends(updated), "updated with crm:7", "{kind:?}");
    }
}

#[test]
fn a_version_that_is_gone_is_replaced_by_the_newest_once() {
    let gone = || Function(Err(ErrorKind::NotFound));
    for registered in ["crm:6", "crm:7"] {
        let mut registration = Registered::new(published(7));
        assert_eq!(
            registration.ends([is(registered), gone()]),
            "again after None"
        );
        let (asked, end) = registration.round([
            is(registered),
            versions(&[1]),
            READY,
            Fresh(true),
            OK,
            READY,
            versions(&[1]),
            is("crm:1"),
        ]);
        assert_eq!(asked[..3], ["observe", "versions of crm", "read crm:1"]);
        assert_eq!(end, "updated with crm:1");
    }
    // There is no newest, or it is gone as well.
    let mut registration = Registered::new(published(7));
    registration.ends([is("crm:7"), gone()]);
    assert_eq!(
        registration.ends([is("crm:7"), versions(&[])]),
        "FunctionNotFound"
    );
    let mut registration = Registered::new(published(7));
    registration.ends([is("crm:7"), gone()]);
    assert_eq!(
        registration.ends([is("crm:7"), versions(&[8]), gone()]),
        "FunctionNotFound"
    );
    // Versions that may not be listed lose no deployment.
    let mut registration = Registered::new(published(7));
    registration.ends([is("crm:7"), gone()]);
    let denied = Answer::Versions(Err(ErrorKind::AccessDenied));
    assert_eq!(registration.ends([is("crm:7"), denied]), "FunctionUnknown");
    // What is not a version has no newest.
    for (cause, registered, end) in [
        (published(7), "crm", "FunctionNotFound"),
        (SWEEP, "crm", "orphaned"),
        (SWEEP, "crm:live", "orphaned"),
        (alias_moved("live"), "crm:live", "FunctionNotFound"),
    ] {
        let answers = [is(registered), gone()];
        assert_eq!(Registered::new(cause).ends(answers), end, "{registered}");
    }
}

#[test]
fn an_alias_is_only_read_for_the_decision_where_that_depends_on_it() {
    let latest_changed = || Cause::Changed(Change::LatestChanged);
    for (kind, end) in [
        (ErrorKind::AccessDenied, "skipped"),
        (ErrorKind::NotFound, "orphaned"),
        (ErrorKind::Internal, "FunctionUnknown"),
    ] {
        let answers = [is("crm:live"), Routed(Err(kind))];
        let end_of = Registered::new(latest_changed()).ends(answers);
        assert_eq!(end_of, end, "{kind:?}");
    }
    for cause in [alias_moved("live"), SWEEP] {
        let (asked, _) = Registered::new(cause.clone()).round([is("crm:live"), pending()]);
        assert_eq!(asked, ["observe", "read crm:live"]);
        let mut dry = Registered::new(cause);
        dry.job.dry_run = true;
        let (asked, end) = dry.round([is("crm:live"), Routed(Ok(("7", 0.5)))]);
        assert_eq!(asked, ["observe", "alias crm:live"]);
        assert_eq!(end, "skipped");
    }
}

#[test]
fn an_alias_that_splits_its_traffic_is_skipped_whenever_that_is_seen() {
    let split = || Function(Ok((Readiness::Split, "")));
    let latest_changed = Cause::Changed(Change::LatestChanged);
    let answers = [is("crm:live"), Routed(Ok(("7", 0.5)))];
    assert_eq!(Registered::new(latest_changed).ends(answers), "skipped");
    for cause in [alias_moved("live"), SWEEP] {
        let result = Registered::new(cause).result([is("crm:live"), split()]);
        let Outcome::Skipped(skip) = result.outcome else {
            panic!("{result:?}");
        };
        assert_eq!(skip, Skip::AliasIsSplit("live".to_owned()));
    }
    // During a wait.
    let mut registration = Registered::new(alias_moved("live"));
    registration.ends([is("crm:live"), pending()]);
    assert_eq!(registration.ends([split(), is("crm:live")]), "skipped");
    // During the update: it was updated nevertheless.
    let mut registration = Registered::new(alias_moved("live"));
    let update = [is("crm:live"), READY, Fresh(true), OK, split()];
    assert_eq!(registration.ends(update), "again after None");
    assert_eq!(
        registration.ends([is("crm:live"), split()]),
        "updated with crm:live, without evidence"
    );
}

#[test]
fn a_failed_version_list_never_hides_a_deployment() {
    for (cause, kind, end) in [
        (published(5), ErrorKind::AccessDenied, "skipped"),
        (published(5), ErrorKind::Internal, "FunctionUnknown"),
        (published(0), ErrorKind::AccessDenied, "FunctionUnknown"),
        (published(0), ErrorKind::NotFound, "FunctionNotFound"),
        (SWEEP, ErrorKind::AccessDenied, "versions unknown"),
        (SWEEP, ErrorKind::NotFound, "orphaned"),
        (SWEEP, ErrorKind::Internal, "FunctionUnknown"),
    ] {
        let answers = [is("crm:6"), Answer::Versions(Err(kind))];
        assert_eq!(Registered::new(cause).ends(answers), end, "{kind:?}");
    }
    for (cause, end) in [(published(0), "FunctionNotFound"), (SWEEP, "orphaned")] {
        assert_eq!(
            Registered::new(cause).ends([is("crm:6"), versions(&[])]),
            end
        );
    }
}

#[test]
fn a_registration_that_is_behind_is_described_again_before_a_sweep_reports_it() {
    let mut registration = Registered::new(SWEEP);
    let answers = [is("crm:6"), versions(&[6, 8]), is("crm:6")];
    assert_eq!(registration.ends(answers), "behind 8");
    // An event has just moved it.
    let mut registration = Registered::new(SWEEP);
    let answers = [is("crm:6"), versions(&[6, 8]), is("crm:8")];
    assert_eq!(registration.ends(answers), "again after None");
    let (_, end) = registration.round([is("crm:8"), versions(&[6, 8]), pending()]);
    assert_eq!(end, "again after Poll(0)");
}

#[test]
fn what_an_operator_registers_after_a_lost_update_is_not_behind_because_of_it() {
    let mut registration = Registered::new(SWEEP);
    let lost = [
        is("crm:6"),
        versions(&[5, 6]),
        READY,
        Fresh(true),
        failed(ErrorKind::NoAnswer),
    ];
    assert_eq!(registration.ends(lost), "again after Unanswered");
    let rolled_back = [is("crm:5"), versions(&[5, 6, 7]), is("crm:5")];
    assert_eq!(registration.ends(rolled_back), "behind 7");
}

#[test]
fn a_function_that_cannot_be_read_for_another_reason_is_not_gone() {
    for registered in ["crm", "crm:6"] {
        let answers = [is(registered), Function(Err(ErrorKind::Internal))];
        let end = Registered::new(published(7)).ends(answers);
        assert_eq!(end, "FunctionUnknown", "{registered}");
    }
}

#[test]
fn a_registration_that_is_behind_because_of_the_sweep_itself_moves() {
    // The sweep's update to version 6 was stored after an event had moved the registration to 7.
    let mut registration = Registered::new(SWEEP);
    let lost = [
        is("crm:6"),
        versions(&[6]),
        READY,
        Fresh(true),
        failed(ErrorKind::NoAnswer),
    ];
    assert_eq!(registration.ends(lost), "again after Unanswered");
    let behind = || [is("crm:6"), versions(&[6, 7]), is("crm:6")];
    assert_eq!(registration.ends(behind()), "again after None");
    let moved = [
        is("crm:6"),
        READY,
        Fresh(true),
        OK,
        READY,
        versions(&[6, 7]),
        is("crm:7"),
    ];
    assert_eq!(registration.ends(moved), "updated with crm:7");
}

#[test]
fn a_connector_that_cannot_be_described_fails_sweeps_and_events_only_if_a_retry_could_help() {
    for (kind, named, event, sweep) in [
        (ErrorKind::NotFound, true, "nothing", "DescribeFailed"),
        (ErrorKind::NotFound, false, "nothing", "nothing"),
        (ErrorKind::NoFunction, true, "nothing", "DescribeFailed"),
        (ErrorKind::NoFunction, false, "nothing", "DescribeFailed"),
        (ErrorKind::AccessDenied, true, "nothing", "DescribeFailed"),
        (ErrorKind::AccessDenied, false, "nothing", "DescribeFailed"),
        (ErrorKind::ProvidedByAws, true, "nothing", "nothing"),
        (ErrorKind::ProvidedByAws, false, "nothing", "nothing"),
        (
            ErrorKind::Internal,
            false,
            "DescribeFailed",
            "DescribeFailed",
        ),
        (
            ErrorKind::Invalid,
            false,
            "DescribeFailed",
            "DescribeFailed",
        ),
        (ErrorKind::OutOfTime, false, "OutOfTime", "OutOfTime"),
    ] {
        for (cause, end) in [(published(7), event), (SWEEP, sweep)] {
            let mut registration = Registered::new(cause);
            registration.job.labels_must_exist = named;
            let (_, next) = registration.next([Described(Err(kind))]);
            let Next::Done(result) = next else {
                panic!("{next:?}");
            };
            let ended = result.as_ref().map_or("nothing".to_owned(), word);
            assert_eq!(ended, end, "{kind:?} {named}");
            if let Some(Outcome::Failed { failure, .. }) = result.map(|result| result.outcome) {
                let unregistered = failure == Failure::NotRegistered;
                assert_eq!(unregistered, kind == ErrorKind::NotFound, "{failure:?}");
            }
        }
    }
    // It was updated before.
    let mut registration = Registered::new(published(7));
    registration.job.labels_must_exist = true;
    registration.ends([
        is("crm"),
        READY,
        Fresh(true),
        OK,
        Function(Ok((Readiness::Ready, "b"))),
    ]);
    let end = registration.ends([Described(Err(ErrorKind::NotFound))]);
    assert_eq!(end, "updated with crm, without evidence");
}

#[test]
fn what_somebody_else_registers_after_an_update_is_left_there() {
    let mut registration = Registered::new(published(7));
    let answers = [
        is("crm:6"),
        READY,
        Fresh(true),
        OK,
        READY,
        versions(&[7]),
        is("crm:6"),
    ];
    assert_eq!(
        registration.ends(answers),
        "updated with crm:7, then crm:6, without evidence"
    );
    // It is seen in another round.
    let mut registration = Registered::new(published(7));
    registration.ends([
        is("crm"),
        READY,
        Fresh(true),
        OK,
        Function(Ok((Readiness::Ready, "b"))),
    ]);
    let end = registration.ends([is("crm:live"), Routed(Ok(("7", 0.0)))]);
    assert_eq!(end, "updated with crm, then crm:live, without evidence");
    // A sweep does not refresh it either.
    let mut registration = Registered::new(SWEEP);
    registration.ends([
        is("crm"),
        READY,
        Fresh(true),
        OK,
        Function(Ok((Readiness::Ready, "b"))),
    ]);
    let end = registration.ends([is("crm:live")]);
    assert_eq!(end, "updated with crm, then crm:live, without evidence");
}

#[test]
fn evidence_is_the_difference_to_what_was_described_before_the_first_update() {
    let mut registration = Registered::new(published(7));
    registration.ends([is("crm:5"), READY, Fresh(true), failed(ErrorKind::Internal)]);
    registration.ends([
        is("crm:6"),
        READY,
        Fresh(true),
        OK,
        Function(Ok((Readiness::Ready, "b"))),
    ]);
    let answers = [
        is("crm:7"),
        READY,
        Fresh(true),
        OK,
        READY,
        versions(&[7]),
        is("crm:7"),
    ];
    let result = registration.result(answers);
    assert_eq!(result.registered, Some(arn("crm:5")));
    let Outcome::Updated {
        evidence: Some(evidence),
        ..
    } = result.outcome
    else {
        panic!("{result:?}");
    };
    assert_eq!(evidence.previous_version.as_deref(), Some("crm:5"));
    assert_eq!(evidence.version.as_deref(), Some("crm:7"));
    // None is no failure.
    for kind in [
        ErrorKind::NoAnswer,
        ErrorKind::NotFound,
        ErrorKind::NoFunction,
    ] {
        let mut registration = Registered::new(published(7));
        let answers = [
            is("crm"),
            READY,
            Fresh(true),
            OK,
            READY,
            Described(Err(kind)),
        ];
        assert_eq!(
            registration.ends(answers),
            "updated with crm, without evidence"
        );
    }
}

#[test]
fn only_registrations_of_the_functions_that_are_meant_are_updated() {
    for (functions, prefix, concerned) in [
        (Functions::All, "", true),
        (Functions::All, "cr", true),
        (Functions::All, "erp", false),
        (Functions::Deployed(arn("crm").function().clone()), "", true),
        (
            Functions::Deployed(arn("erp").function().clone()),
            "",
            false,
        ),
        (
            Functions::Named(vec!["erp".parse().unwrap(), "crm".parse().unwrap()]),
            "",
            true,
        ),
        (Functions::Named(vec!["erp".parse().unwrap()]), "", false),
    ] {
        let mut registration = Registered::new(published(7));
        registration.job.dry_run = true;
        registration.job.functions = functions;
        registration.job.function_name_prefix = prefix.to_owned();
        let end = registration.ends([is("crm")]);
        assert_eq!(end, if concerned { "planned crm" } else { "nothing" });
    }
}
