//! What the steps ask for, and in which order, as a script: a test gives the answers.
//!
//! That every order of answers ends right is for `tests/interleavings`; these are the promises that
//! concern one order alone.

use std::time::Duration;

use super::*;
use crate::model::change::Change;
use crate::model::readiness::{Look, Readiness};
use crate::model::registration::Undescribed;
use crate::model::service_error::{ErrorKind, Operation};
use crate::reconcile::plan::Readied;
use crate::reconcile::target::Looked;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:";

const PROMPT: Timing = Timing {
    delayed: false,
    time_left: true,
};
const DELAYED: Timing = Timing {
    delayed: true,
    time_left: true,
};

/// The ARN of `crm` or `crm:7`.
fn arn(name: &str) -> FunctionArn {
    format!("{FUNCTION}{name}").parse().unwrap()
}

fn name(arn: &FunctionArn) -> String {
    arn.to_string().replacen(FUNCTION, "", 1)
}

fn error(kind: ErrorKind) -> ServiceError {
    ServiceError {
        kind,
        ..ServiceError::out_of_time(Operation::GetFunctionConfiguration)
    }
}

fn published(version: u64) -> Happened {
    Happened::Changed(Change::Published(Version::new(version)))
}

const NOTHING: [&str; 0] = [];

const SWEEP: Happened = Happened::Sweep { to_newest: false };

fn registration(registered: &str) -> Registration {
    Registration {
        function_arn: arn(registered),
        source: None,
        description: None,
        configuration: Configuration::default(),
    }
}

fn found(code: &str) -> Found {
    Found {
        version: "7".to_owned(),
        code_sha256: code.to_owned(),
        last_modified: String::new(),
    }
}

fn look(readiness: Readiness, code: &str) -> Result<Look, ServiceError> {
    let found = found(code);
    Ok(Look { readiness, found })
}

fn ready(code: &str) -> Result<Look, ServiceError> {
    look(Readiness::Ready, code)
}

fn inactive() -> Result<Look, ServiceError> {
    look(Readiness::Inactive, "a")
}

fn pending() -> Result<Look, ServiceError> {
    look(Readiness::NotYet("its State is Pending".to_owned()), "a")
}

fn versions(numbers: &[u64]) -> Versions {
    let mut versions = Versions::default();
    for number in numbers {
        versions.add(Version::new(*number).unwrap(), "a");
    }
    versions
}

/// An invocation at work; connectors are `a`, `b` and so on.
struct Run {
    steps: Steps,
    dry: bool,
}

impl Run {
    fn new(happened: Happened, connectors: usize) -> Self {
        Self::with(happened, connectors, |_| {})
    }

    fn with(happened: Happened, connectors: usize, set: impl Fn(&mut Job)) -> Self {
        let sweeps = matches!(happened, Happened::Sweep { .. });
        let mut job = Job {
            happened,
            function: (!sweeps).then(|| arn("crm").function().clone()),
            functions: None,
            function_name_prefix: String::new(),
            register_as: RegisterAs::Follow,
            grant_invoke: false,
            dry_run: false,
            common: Common {
                cause: "event".to_owned(),
                template: None,
                date: String::new(),
            },
            beside: None,
        };
        set(&mut job);
        let scope = ('a'..).take(connectors).map(|label| InScope {
            label: format!("{label}-crm").parse().unwrap(),
            named: false,
        });
        let mut run = Self {
            dry: job.dry_run,
            steps: Steps::new(job, scope.collect()),
        };
        run.steps.calls();
        run
    }

    /// The calls that are asked for by now.
    fn asks(&mut self) -> Vec<String> {
        self.steps.calls().iter().map(word).collect()
    }

    fn answer(&mut self, answer: Answer) -> Vec<String> {
        self.steps.answer(answer, PROMPT);
        self.asks()
    }

    fn described(&mut self, id: usize, registered: &str) -> Vec<String> {
        let result = Ok(registration(registered));
        self.answer(Answer::Described(id, Why::Observe, result))
    }

    fn evident(&mut self, id: usize, round: u32, registered: &str) -> Vec<String> {
        let result = Ok(registration(registered));
        self.answer(Answer::Described(id, Why::Evidence(round), result))
    }

    fn looked(&mut self, target: &str, result: Result<Look, ServiceError>) -> Vec<String> {
        self.answer(Answer::Looked(arn(target), false, result))
    }

    fn checked(&mut self, target: &str, result: Result<Look, ServiceError>) -> Vec<String> {
        self.answer(Answer::Looked(arn(target), true, result))
    }

    fn listed(&mut self, of: Of, numbers: &[u64]) -> Vec<String> {
        self.answer(Answer::Versions(arn("crm"), of, Ok(versions(numbers))))
    }

    fn updated(&mut self, id: usize, result: Result<(), ErrorKind>) -> Vec<String> {
        self.answer(Answer::Updated(id, result.map_err(error)))
    }

    /// The same as `answer`, after a call that took long.
    fn answer_late(&mut self, answer: Answer) -> Vec<String> {
        self.steps.answer(answer, DELAYED);
        self.asks()
    }

    fn granted(&mut self, result: Result<(), ErrorKind>) -> Vec<String> {
        self.answer(Answer::Granted(arn("crm:7"), result.map_err(error)))
    }

    /// Without a description.
    fn undescribed(&mut self, result: Undescribed) -> Vec<String> {
        self.answer(Answer::Described(0, Why::Observe, Err(result)))
    }

    /// What became of connectors since this was last asked.
    fn ends(&mut self) -> Vec<String> {
        self.steps.finished().iter().map(end).collect()
    }

    /// The registration of a connector is described, its target is ready, and it is being updated.
    fn up_to_update(&mut self, registered: &str, target: &str) {
        assert!(!self.dry);
        assert_eq!(self.described(0, registered), [format!("look {target}")]);
        let asks = self.looked(target, ready("a"));
        assert_eq!(asks, [format!("update a to {target}")]);
    }
}

/// A call in a few words.
fn word(call: &Call) -> String {
    let label = |id: &usize| char::from(b'a' + u8::try_from(*id).unwrap());
    let after = |pause: &Option<Pause>| match pause {
        None => String::new(),
        Some(pause) => format!(" after {pause:?}"),
    };
    match call {
        Call::Describe { id, why, pause, .. } => match why {
            Why::Observe => format!("describe {}{}", label(id), after(pause)),
            Why::Evidence(round) => format!("evidence {round} of {}", label(id)),
        },
        Call::Versions { of, .. } => match of {
            Of::Decision => "versions".to_owned(),
            Of::Description(target) => format!("versions for {}", name(target)),
            Of::Check(target) => format!("versions since {}", name(target)),
        },
        Call::Exists(registered) => format!("exists {}", name(registered)),
        Call::Look {
            target,
            at,
            check,
            wait,
        } => {
            let verb = if *check { "check" } else { "look" };
            let at = if at == target {
                String::new()
            } else {
                format!(" at {}", name(at))
            };
            let wait = wait.as_ref().map_or(String::new(), |wait| {
                let first = if wait.first { ", first" } else { "" };
                format!(" after {:?}{first}", wait.pause)
            });
            format!("{verb} {}{at}{wait}", name(target))
        }
        Call::Linger { target, pause } => format!("linger {} {pause:?}", name(target)),
        Call::Grant { target, pause, .. } => {
            format!("grant {}{}", name(target), after(pause))
        }
        Call::Update { id, plan, .. } => {
            format!("update {} to {}", label(id), name(&plan.target))
        }
    }
}

/// An end in a few words.
fn end(connector: &Connector) -> String {
    let label = &connector.label[..1];
    let from = connector.registered.as_ref().map_or_else(String::new, name);
    match &connector.outcome {
        Outcome::Updated {
            target,
            behind,
            since,
            ..
        } => {
            let behind = behind.map_or(String::new(), |newest| format!(", behind {newest}"));
            let since = since
                .as_ref()
                .map_or(String::new(), |arn| format!(", since then {}", name(arn)));
            format!(
                "{label} updated from {from} to {}{behind}{since}",
                name(target)
            )
        }
        Outcome::Planned { target, .. } => format!("{label} planned to {}", name(target)),
        Outcome::Skipped(_) => format!("{label} skipped"),
        Outcome::Orphaned(_) => format!("{label} orphaned"),
        Outcome::Failed { failure, .. } => format!("{label} failed: {}", failure.kind().name()),
    }
}

#[test]
fn the_last_of_several_updates_begins_their_check_whatever_came_of_it() {
    for (result, end) in [
        (Ok(()), None),
        (Err(ErrorKind::Invalid), Some("b failed: UpdateFailed")),
    ] {
        let mut run = Run::new(published(7), 2);
        assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
        assert_eq!(run.described(1, "crm:6"), NOTHING);
        let asks = run.looked("crm:7", ready("a"));
        assert_eq!(asks, ["update a to crm:7", "update b to crm:7"]);
        let asks = run.updated(0, Ok(()));
        assert_eq!(asks, ["evidence 0 of a", "linger crm:7 1s"]);
        let asks = run.updated(1, result);
        let check = ["check crm:7", "versions since crm:7"];
        assert_eq!(asks[asks.len() - 2..], check, "{asks:?}");
        assert_eq!(run.ends(), end.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_check_waits_for_what_is_not_described_ten_seconds_and_for_updates_one() {
    let mut run = Run::new(published(7), 4);
    run.up_to_update("crm:6", "crm:7");
    assert_eq!(run.described(1, "crm:6"), ["update b to crm:7"]);
    assert_eq!(run.described(2, "crm:6"), ["update c to crm:7"]);
    let asks = run.updated(0, Ok(()));
    assert_eq!(asks, ["evidence 0 of a", "linger crm:7 10s"]);
    assert_eq!(run.updated(1, Ok(())), ["evidence 0 of b"]);
    assert_eq!(run.described(3, "crm:live"), ["linger crm:7 1s"]);
    // The pause that began first counts for nothing now.
    let lingered = |pause| Answer::Lingered(arn("crm:7"), Duration::from_secs(pause));
    assert_eq!(run.answer(lingered(10)), NOTHING);
    let asks = run.answer(lingered(1));
    assert_eq!(asks, ["check crm:7", "versions since crm:7"]);
    assert_eq!(run.answer(lingered(1)), NOTHING);
    // The last update has a check of its own.
    assert_eq!(run.updated(2, Ok(())), ["evidence 0 of c"]);
    assert_eq!(run.checked("crm:7", ready("a")), NOTHING);
    let asks = run.listed(Of::Check(arn("crm:7")), &[6, 7]);
    assert_eq!(asks, ["check crm:7", "versions since crm:7"]);
}

#[test]
fn who_may_not_look_after_an_update_takes_it_for_right() {
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm", "crm");
    assert_eq!(run.updated(0, Ok(())), ["evidence 0 of a", "check crm"]);
    assert_eq!(run.evident(0, 0, "crm"), NOTHING);
    assert_eq!(
        run.checked("crm", Err(error(ErrorKind::AccessDenied))),
        NOTHING
    );
    assert_eq!(run.ends(), ["a updated from crm to crm"]);
    assert!(run.steps.is_done());
}

#[test]
fn who_could_not_look_before_an_update_does_not_look_after_it() {
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm"), ["look crm"]);
    let denied = Err(error(ErrorKind::AccessDenied));
    assert_eq!(run.looked("crm", denied), ["update a to crm"]);
    assert_eq!(run.updated(0, Ok(())), ["evidence 0 of a"]);
    assert_eq!(run.evident(0, 0, "crm"), NOTHING);
    assert_eq!(run.ends(), ["a updated from crm to crm"]);
}

#[test]
fn what_was_described_during_a_wait_is_described_again_after_it() {
    let mut run = Run::new(published(7), 2);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    assert_eq!(
        run.looked("crm:7", pending()),
        ["look crm:7 after 250ms, first"]
    );
    assert_eq!(run.described(1, "crm:6"), NOTHING);
    let asks = run.looked("crm:7", ready("a"));
    assert_eq!(asks, ["describe a", "describe b"]);
    assert_eq!(run.described(1, "crm:6"), ["update b to crm:7"]);
    assert_eq!(run.described(0, "crm:live"), NOTHING);
    assert_eq!(run.ends(), ["a skipped"]);
}

#[test]
fn a_look_that_took_long_makes_what_was_described_before_it_old() {
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    let looked = Answer::Looked(arn("crm:7"), false, ready("a"));
    assert_eq!(run.answer_late(looked), ["describe a"]);
    assert_eq!(run.described(0, "crm:6"), ["update a to crm:7"]);
}

#[test]
fn an_update_that_waited_for_its_turn_too_long_is_decided_again() {
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    run.steps
        .answer(Answer::Looked(arn("crm:7"), false, ready("a")), PROMPT);
    for call in run.steps.calls() {
        run.steps.overdue(&call);
    }
    assert_eq!(run.asks(), ["describe a"]);
    assert_eq!(run.described(0, "crm:live"), NOTHING);
    assert_eq!(run.ends(), ["a skipped"]);
}

#[test]
fn pauses_double_up_to_five_seconds_and_the_first_is_told_as_such() {
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    for pause in ["250ms, first", "500ms", "1s", "2s", "4s", "5s", "5s"] {
        let asks = run.looked("crm:7", pending());
        assert_eq!(asks, [format!("look crm:7 after {pause}")]);
    }
}

#[test]
fn what_ends_a_look_is_told_by_what_was_seen_before_it() {
    for (waits, kind, end) in [
        (false, ErrorKind::OutOfTime, "a failed: OutOfTime"),
        (true, ErrorKind::OutOfTime, "a failed: FunctionNotReady"),
        (false, ErrorKind::Internal, "a failed: FunctionUnknown"),
        (true, ErrorKind::Internal, "a failed: FunctionUnknown"),
        (false, ErrorKind::NotFound, "a failed: FunctionNotFound"),
        (true, ErrorKind::NotFound, "a failed: FunctionNotFound"),
    ] {
        let mut run = Run::new(published(7), 1);
        run.described(0, "crm:6");
        if waits {
            run.looked("crm:7", pending());
        }
        assert_eq!(run.looked("crm:7", Err(error(kind))), NOTHING);
        assert_eq!(run.ends(), [end], "{kind:?}, {waits}");
        assert!(run.steps.is_done());
    }
}

#[test]
fn a_function_that_changes_during_every_update_is_updated_eight_times() {
    let mut run = Run::new(Happened::Changed(Change::LatestChanged), 1);
    run.up_to_update("crm", "crm");
    for round in 0..8 {
        let evidence = format!("evidence {round} of a");
        assert_eq!(run.updated(0, Ok(())), [&evidence, "check crm"]);
        assert_eq!(run.evident(0, round, "crm"), NOTHING);
        let asks = run.checked("crm", ready(&format!("after {round}")));
        if round < 7 {
            assert_eq!(asks, ["describe a"]);
            assert_eq!(run.described(0, "crm"), ["update a to crm"]);
        }
    }
    assert_eq!(run.asks(), NOTHING);
    assert_eq!(run.ends(), ["a failed: FunctionKeepsChanging"]);
}

#[test]
fn what_an_update_did_is_told_by_a_description_that_is_no_older() {
    let mut run = Run::new(Happened::Changed(Change::LatestChanged), 1);
    run.up_to_update("crm", "crm");
    assert_eq!(run.updated(0, Ok(())), ["evidence 0 of a", "check crm"]);
    assert_eq!(run.checked("crm", ready("b")), ["describe a"]);
    assert_eq!(run.described(0, "crm"), ["update a to crm"]);
    assert_eq!(run.updated(0, Ok(())), ["evidence 1 of a", "check crm"]);
    assert_eq!(run.checked("crm", ready("b")), NOTHING);
    assert_eq!(run.evident(0, 0, "crm"), NOTHING);
    assert_eq!(run.ends(), NOTHING);
    assert_eq!(run.evident(0, 1, "crm:live"), NOTHING);
    assert_eq!(
        run.ends(),
        ["a updated from crm to crm, since then crm:live"]
    );
}

#[test]
fn a_version_that_is_published_during_an_update_is_moved_to() {
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm:6", "crm:7");
    let asks = run.updated(0, Ok(()));
    assert_eq!(
        asks,
        ["evidence 0 of a", "check crm:7", "versions since crm:7"]
    );
    assert_eq!(run.checked("crm:7", ready("a")), NOTHING);
    let asks = run.listed(Of::Check(arn("crm:7")), &[6, 7, 8]);
    assert_eq!(asks, ["describe a"]);
    assert_eq!(run.described(0, "crm:7"), ["look crm:8"]);
    assert_eq!(run.looked("crm:8", ready("b")), ["update a to crm:8"]);
    let asks = run.updated(0, Ok(()));
    assert_eq!(
        asks,
        ["evidence 1 of a", "check crm:8", "versions since crm:8"]
    );
    assert_eq!(run.evident(0, 1, "crm:8"), NOTHING);
    assert_eq!(run.listed(Of::Check(arn("crm:8")), &[7, 8]), NOTHING);
    assert_eq!(run.checked("crm:8", ready("b")), NOTHING);
    assert_eq!(run.ends(), ["a updated from crm:6 to crm:8"]);
}

#[test]
fn versions_are_listed_after_an_update_only_where_one_is_registered() {
    for (happened, registered, checks) in [
        (published(7), "crm", &["check crm"][..]),
        (
            published(7),
            "crm:7",
            &["check crm:7", "versions since crm:7"],
        ),
        (
            Happened::Changed(Change::AliasMoved {
                alias: "live".to_owned(),
                shifting: false,
            }),
            "crm:live",
            &["check crm:live"],
        ),
    ] {
        let mut run = Run::new(happened, 1);
        run.up_to_update(registered, registered);
        assert_eq!(run.updated(0, Ok(()))[1..], *checks, "{registered}");
    }
}

#[test]
fn a_list_of_versions_that_fails_after_an_update_fails_it_unless_nothing_can_be_known() {
    for (kind, end) in [
        (ErrorKind::AccessDenied, "a updated from crm:6 to crm:7"),
        (ErrorKind::NotFound, "a updated from crm:6 to crm:7"),
        (ErrorKind::Internal, "a failed: FunctionUnknown"),
        (ErrorKind::OutOfTime, "a failed: OutOfTime"),
    ] {
        let mut run = Run::new(published(7), 1);
        run.up_to_update("crm:6", "crm:7");
        run.updated(0, Ok(()));
        run.evident(0, 0, "crm:7");
        run.checked("crm:7", ready("a"));
        let of = Of::Check(arn("crm:7"));
        run.answer(Answer::Versions(arn("crm"), of, Err(error(kind))));
        assert_eq!(run.ends(), [end], "{kind:?}");
    }
}

#[test]
fn a_sweep_lists_versions_once_before_updates_and_once_after_them() {
    let mut run = Run::new(SWEEP, 2);
    assert_eq!(run.described(0, "crm:6"), ["versions"]);
    assert_eq!(run.described(1, "crm:6"), NOTHING);
    assert_eq!(run.listed(Of::Decision, &[6, 7]), ["look crm:6"]);
    let asks = run.looked("crm:6", ready("a"));
    assert_eq!(asks, ["update a to crm:6", "update b to crm:6"]);
    run.updated(0, Ok(()));
    let asks = run.updated(1, Ok(()));
    assert_eq!(
        asks,
        ["evidence 0 of b", "check crm:6", "versions since crm:6"]
    );
    run.evident(0, 0, "crm:6");
    run.evident(1, 0, "crm:6");
    run.listed(Of::Check(arn("crm:6")), &[6, 7]);
    assert_eq!(run.checked("crm:6", ready("a")), NOTHING);
    assert_eq!(
        run.ends(),
        [
            "a updated from crm:6 to crm:6, behind 7",
            "b updated from crm:6 to crm:6, behind 7",
        ]
    );
}

#[test]
fn appflow_is_granted_permission_once_for_each_version_that_is_moved_to() {
    let grants = |job: &mut Job| job.grant_invoke = true;
    let mut run = Run::with(published(7), 3, grants);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    assert_eq!(run.looked("crm:7", ready("a")), ["grant crm:7"]);
    assert_eq!(run.described(1, "crm:6"), NOTHING);
    let asks = run.granted(Ok(()));
    assert_eq!(asks, ["update a to crm:7", "update b to crm:7"]);
    run.updated(0, Ok(()));
    run.updated(1, Ok(()));
    let lingered = Answer::Lingered(arn("crm:7"), Duration::from_secs(10));
    assert_eq!(
        run.answer(lingered),
        ["check crm:7", "versions since crm:7"]
    );
    run.listed(Of::Check(arn("crm:7")), &[7]);
    assert_eq!(run.checked("crm:7", ready("a")), NOTHING);
    // The check has found nothing new.
    assert_eq!(run.described(2, "crm:6"), ["update c to crm:7"]);

    for (happened, registered, set) in [
        (published(7), "crm", true),
        (published(7), "crm:6", false),
        (
            Happened::Changed(Change::AliasMoved {
                alias: "live".to_owned(),
                shifting: false,
            }),
            "crm:live",
            true,
        ),
    ] {
        let mut run = Run::with(happened, 1, |job| job.grant_invoke = set);
        let target = registered.replace('6', "7");
        run.up_to_update(registered, &target);
    }
}

#[test]
fn a_grant_is_tried_five_times_while_another_change_is_in_progress() {
    let granting = || {
        let mut run = Run::with(published(7), 1, |job| job.grant_invoke = true);
        run.described(0, "crm:6");
        assert_eq!(run.looked("crm:7", ready("a")), ["grant crm:7"]);
        run
    };
    let mut run = granting();
    for tries in 1..5 {
        let asks = run.granted(Err(ErrorKind::Conflict));
        assert_eq!(asks, [format!("grant crm:7 after Failed({tries})")]);
    }
    assert_eq!(run.granted(Err(ErrorKind::Conflict)), ["describe a"]);
    assert_eq!(run.described(0, "crm:6"), ["update a to crm:7"]);
    run.updated(0, Err(ErrorKind::Invalid));
    assert_eq!(run.ends(), ["a failed: GrantFailed"]);

    // Time has passed.
    let mut run = granting();
    run.granted(Err(ErrorKind::Conflict));
    assert_eq!(run.granted(Ok(())), ["describe a"]);
    let mut run = granting();
    let granted = Answer::Granted(arn("crm:7"), Ok(()));
    assert_eq!(run.answer_late(granted), ["describe a"]);

    // Another error is final, and the update is tried all the same.
    for kind in [ErrorKind::AccessDenied, ErrorKind::Internal] {
        let mut run = granting();
        assert_eq!(run.granted(Err(kind)), ["update a to crm:7"]);
        run.updated(0, Err(ErrorKind::AccessDenied));
        assert_eq!(run.ends(), ["a failed: GrantFailed"]);
    }
}

#[test]
fn an_update_is_tried_five_times_and_described_before_each() {
    for (kind, tries) in [
        (ErrorKind::Internal, 5),
        (ErrorKind::ConnectorServer, 5),
        (ErrorKind::NoAnswer, 5),
        (ErrorKind::Invalid, 1),
        (ErrorKind::AccessDenied, 1),
        (ErrorKind::OutOfTime, 1),
    ] {
        let mut run = Run::new(published(7), 1);
        run.up_to_update("crm:6", "crm:7");
        for tried in 1..tries {
            let pause = match kind {
                ErrorKind::NoAnswer => "Unanswered".to_owned(),
                _ => format!("Failed({tried})"),
            };
            let asks = run.updated(0, Err(kind));
            assert_eq!(asks, [format!("describe a after {pause}")]);
            assert_eq!(run.described(0, "crm:6"), ["update a to crm:7"]);
        }
        assert_eq!(run.updated(0, Err(kind)), NOTHING);
        let end = if kind == ErrorKind::OutOfTime {
            "a failed: OutOfTime"
        } else {
            "a failed: UpdateFailed"
        };
        assert_eq!(run.ends(), [end], "{kind:?}");
    }
}

#[test]
fn a_throttled_update_is_tried_as_long_as_there_is_time() {
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm:6", "crm:7");
    for tried in 1..20 {
        let asks = run.updated(0, Err(ErrorKind::Throttled));
        assert_eq!(asks, [format!("describe a after Failed({tried})")]);
        assert_eq!(run.described(0, "crm:6"), ["update a to crm:7"]);
    }
    let no_time = Timing {
        delayed: false,
        time_left: false,
    };
    let throttled = || Answer::Updated(0, Err(error(ErrorKind::Throttled)));
    run.steps.answer(throttled(), no_time);
    assert_eq!(run.ends(), ["a failed: UpdateFailed"]);

    // Without much time there are five tries all the same; with it, other errors have no more.
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm:6", "crm:7");
    run.steps.answer(throttled(), no_time);
    assert_eq!(run.asks(), ["describe a after Failed(1)"]);
}

#[test]
fn an_update_for_which_time_is_up_tells_the_error_before() {
    let failed_once = || {
        let mut run = Run::new(published(7), 1);
        run.up_to_update("crm:6", "crm:7");
        run.updated(0, Err(ErrorKind::Internal));
        run
    };
    let mut run = failed_once();
    run.described(0, "crm:6");
    run.updated(0, Err(ErrorKind::OutOfTime));
    assert_eq!(run.ends(), ["a failed: UpdateFailed"]);
    let mut run = failed_once();
    run.described(0, "crm:6");
    let denied = Err(ErrorKind::AccessDenied);
    run.updated(0, denied);
    let [Connector { outcome, .. }] = &run.steps.finished()[..] else {
        panic!("one end");
    };
    let Outcome::Failed {
        failure: Failure::Update { error: told, .. },
        target,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(*told, error(ErrorKind::AccessDenied));
    assert_eq!(*target, Some(arn("crm:7")));
    for (kind, end) in [
        (ErrorKind::OutOfTime, "a failed: UpdateFailed"),
        (ErrorKind::Internal, "a failed: DescribeFailed"),
    ] {
        let mut run = failed_once();
        run.undescribed(Undescribed::Call(error(kind)));
        assert_eq!(run.ends(), [end]);
    }
    let mut run = Run::new(published(7), 1);
    run.undescribed(Undescribed::Call(error(ErrorKind::OutOfTime)));
    assert_eq!(run.ends(), ["a failed: OutOfTime"]);
}

#[test]
fn an_inactive_function_is_woken_by_appflow_and_waited_for_once() {
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm:6"), ["look crm:7"]);
    assert_eq!(run.looked("crm:7", inactive()), ["update a to crm:7"]);
    let failed = Err(ErrorKind::ConnectorServer);
    assert_eq!(run.updated(0, failed), ["look crm:7"]);
    // Nothing woke it: the update's error says more than another wait.
    assert_eq!(run.looked("crm:7", inactive()), ["describe a"]);
    assert_eq!(run.described(0, "crm:6"), ["update a to crm:7"]);
    assert_eq!(run.updated(0, failed), ["describe a after Failed(1)"]);

    // Whether AppFlow has stored it is what matters when there was no answer.
    let mut run = Run::new(published(7), 1);
    run.described(0, "crm:6");
    run.looked("crm:7", inactive());
    let asks = run.updated(0, Err(ErrorKind::NoAnswer));
    assert_eq!(asks, ["describe a after Unanswered"]);
}

#[test]
fn a_check_that_finds_a_change_leaves_a_look_that_is_under_way_alone() {
    let mut run = Run::new(published(7), 2);
    run.described(0, "crm");
    run.described(1, "crm");
    let asks = run.looked("crm", inactive());
    assert_eq!(asks, ["update a to crm", "update b to crm"]);
    assert_eq!(run.updated(0, Ok(())), ["evidence 0 of a", "linger crm 1s"]);
    let lingered = Answer::Lingered(arn("crm"), Duration::from_secs(1));
    assert_eq!(run.answer(lingered), ["check crm"]);
    let failed = Err(ErrorKind::ConnectorServer);
    assert_eq!(run.updated(1, failed), ["look crm"]);
    assert_eq!(run.checked("crm", ready("b")), NOTHING);
    let asks = run.looked("crm", ready("b"));
    assert_eq!(asks, ["describe a", "describe b"]);
}

#[test]
fn on_managed_instances_the_published_version_is_looked_at() {
    let non_invocable = || look(Readiness::NonInvocable, "a");
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm"), ["look crm"]);
    let asks = run.looked("crm", non_invocable());
    assert_eq!(asks, ["look crm at crm:$LATEST.PUBLISHED"]);
    assert_eq!(run.looked("crm", ready("a")), ["update a to crm"]);
    let asks = run.updated(0, Ok(()));
    assert_eq!(
        asks,
        ["evidence 0 of a", "check crm at crm:$LATEST.PUBLISHED"]
    );

    for (registered, looks) in [("crm", 2), ("crm:7", 1)] {
        let mut run = Run::new(published(7), 1);
        run.described(0, registered);
        for _ in 0..looks {
            assert_eq!(run.ends(), NOTHING);
            run.looked(registered, non_invocable());
        }
        assert_eq!(run.ends(), ["a failed: FunctionFailed"]);
    }

    // It becomes one during an update.
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm", "crm");
    run.updated(0, Ok(()));
    assert_eq!(run.checked("crm", non_invocable()), ["look crm"]);
    let asks = run.looked("crm", non_invocable());
    assert_eq!(asks, ["look crm at crm:$LATEST.PUBLISHED"]);
    assert_eq!(run.looked("crm", ready("b")), ["describe a"]);
}

#[test]
fn the_newest_version_is_looked_up_for_descriptions_that_name_it() {
    let names = |template: &'static str| {
        move |job: &mut Job| job.common.template = Some(template.parse().unwrap())
    };
    let mut run = Run::with(published(7), 2, names("{version}"));
    run.described(0, "crm");
    assert_eq!(run.looked("crm", ready("a")), ["versions for crm"]);
    assert_eq!(run.described(1, "crm"), NOTHING);
    let asks = run.listed(Of::Description(arn("crm")), &[7]);
    assert_eq!(asks, ["update a to crm", "update b to crm"]);

    let mut run = Run::with(published(7), 1, names("{version}"));
    run.described(0, "crm");
    run.looked("crm", ready("a"));
    let of = Of::Description(arn("crm"));
    let listed = Answer::Versions(arn("crm"), of, Ok(versions(&[7])));
    assert_eq!(run.answer_late(listed), ["describe a"]);

    let mut run = Run::with(published(7), 1, names("{version}"));
    run.described(0, "crm");
    run.looked("crm", look(Readiness::NonInvocable, "a"));
    assert_eq!(run.looked("crm", ready("a")), ["update a to crm"]);

    for (registered, target, template) in [
        ("crm", "crm", "{function}"),
        ("crm:6", "crm:7", "{version}"),
    ] {
        let mut run = Run::with(published(7), 1, names(template));
        run.up_to_update(registered, target);
    }
}

#[test]
fn a_registration_that_is_gone_is_a_failure_only_where_it_was_named() {
    let gone = || Undescribed::Call(error(ErrorKind::NotFound));
    let unreadable = || Undescribed::NoFunction("no ARN".to_owned());
    let of_functions = |job: &mut Job| job.functions = Some(vec!["crm".parse().unwrap()]);
    let everything = |_: &mut Job| {};
    let failed = &["a failed: DescribeFailed"][..];
    for (happened, set, named, result, ends) in [
        (SWEEP, everything as fn(&mut Job), true, gone(), failed),
        (SWEEP, everything, false, gone(), &[]),
        (published(7), everything, true, gone(), failed),
        (published(7), everything, false, gone(), &[]),
        (SWEEP, everything, false, unreadable(), failed),
        (SWEEP, of_functions, false, unreadable(), &[]),
        (SWEEP, of_functions, true, unreadable(), failed),
        (published(7), everything, false, unreadable(), &[]),
        (published(7), everything, true, unreadable(), failed),
    ] {
        let mut run = Run::with(happened, 1, set);
        run.steps.entries[0].named = named;
        run.undescribed(result);
        assert_eq!(run.ends(), ends);
        assert!(run.steps.is_done());
    }

    // It was updated before.
    let mut run = Run::new(published(7), 1);
    run.steps.entries[0].named = true;
    run.up_to_update("crm", "crm");
    run.updated(0, Ok(()));
    assert_eq!(run.checked("crm", ready("b")), ["describe a"]);
    run.undescribed(gone());
    assert_eq!(run.ends(), ["a updated from crm to crm"]);
}

#[test]
fn where_a_registration_was_is_what_was_described_first() {
    let mut run = Run::new(published(8), 1);
    run.up_to_update("crm:6", "crm:8");
    run.updated(0, Err(ErrorKind::Internal));
    assert_eq!(run.described(0, "crm:7"), ["update a to crm:8"]);
    run.updated(0, Ok(()));
    run.evident(0, 0, "crm:8");
    run.listed(Of::Check(arn("crm:8")), &[8]);
    assert_eq!(run.checked("crm:8", ready("b")), ["describe a"]);
    assert_eq!(run.described(0, "crm:8"), ["update a to crm:8"]);
    run.updated(0, Ok(()));
    run.evident(0, 1, "crm:8");
    run.listed(Of::Check(arn("crm:8")), &[8]);
    run.checked("crm:8", ready("b"));
    assert_eq!(run.ends(), ["a updated from crm:6 to crm:8"]);
}

#[test]
fn a_question_is_asked_once_and_its_answer_is_for_whom_it_concerns() {
    let mut run = Run::new(published(5), 3);
    assert_eq!(run.described(0, "crm:6"), ["exists crm:6"]);
    assert_eq!(run.described(1, "crm:8"), ["exists crm:8"]);
    assert_eq!(run.described(2, "crm:6"), NOTHING);
    let exists = |version, result| Answer::Exists(arn(version), result);
    assert_eq!(run.answer(exists("crm:6", Ok(()))), NOTHING);
    assert_eq!(run.ends(), ["a skipped", "c skipped"]);
    let gone = Err(error(ErrorKind::NotFound));
    assert_eq!(run.answer(exists("crm:8", gone)), ["look crm:5"]);

    let mut run = Run::new(SWEEP, 2);
    assert_eq!(run.described(0, "crm:6"), ["versions"]);
    assert_eq!(run.described(1, "erp:6"), ["versions"]);
    assert_eq!(run.listed(Of::Decision, &[6]), ["look crm:6"]);
    let listed = Answer::Versions(arn("erp"), Of::Decision, Ok(versions(&[6])));
    assert_eq!(run.answer(listed), ["look erp:6"]);
}

#[test]
fn an_answer_that_took_long_makes_what_was_described_before_it_old() {
    let mut run = Run::new(published(5), 1);
    run.described(0, "crm:6");
    let exists = Answer::Exists(arn("crm:6"), Ok(()));
    assert_eq!(run.answer_late(exists), ["describe a"]);
    // What was told is known.
    assert_eq!(run.described(0, "crm:6"), NOTHING);
    assert_eq!(run.ends(), ["a skipped"]);
}

#[test]
fn a_question_without_an_answer_is_no_reason_to_lose_a_deployment() {
    let exists = |kind| Answer::Exists(arn("crm:6"), Err(error(kind)));
    let listed = |kind| Answer::Versions(arn("crm"), Of::Decision, Err(error(kind)));
    for (happened, answer, asks, ends) in [
        (
            published(5),
            exists(ErrorKind::AccessDenied),
            &[][..],
            &["a skipped"][..],
        ),
        (
            published(5),
            exists(ErrorKind::Internal),
            &[],
            &["a failed: FunctionUnknown"],
        ),
        (
            published(5),
            exists(ErrorKind::NotFound),
            &["look crm:5"],
            &[],
        ),
        (
            published(0),
            listed(ErrorKind::AccessDenied),
            &[],
            &["a failed: FunctionUnknown"],
        ),
        (
            published(0),
            listed(ErrorKind::NotFound),
            &[],
            &["a failed: FunctionNotFound"],
        ),
        (SWEEP, listed(ErrorKind::AccessDenied), &["look crm:6"], &[]),
        (SWEEP, listed(ErrorKind::NotFound), &[], &["a orphaned"]),
        (
            SWEEP,
            listed(ErrorKind::Internal),
            &[],
            &["a failed: FunctionUnknown"],
        ),
    ] {
        let mut run = Run::new(happened, 1);
        assert_eq!(run.described(0, "crm:6").len(), 1);
        assert_eq!(run.answer(answer), asks);
        assert_eq!(run.ends(), ends);
    }
    for (happened, end) in [
        (published(0), "a failed: FunctionNotFound"),
        (SWEEP, "a orphaned"),
    ] {
        let mut run = Run::new(happened, 1);
        run.described(0, "crm:6");
        run.listed(Of::Decision, &[]);
        assert_eq!(run.ends(), [end]);
    }
}

#[test]
fn a_registration_of_a_version_that_is_gone_goes_where_a_sweep_would_bring_it() {
    let gone = || Err(error(ErrorKind::NotFound));
    let mut run = Run::new(published(7), 1);
    assert_eq!(run.described(0, "crm:7"), ["look crm:7"]);
    assert_eq!(run.looked("crm:7", gone()), ["describe a"]);
    assert_eq!(run.described(0, "crm:7"), ["versions"]);
    assert_eq!(run.listed(Of::Decision, &[1]), ["look crm:1"]);

    // Once only.
    let mut run = Run::new(published(7), 1);
    run.described(0, "crm:7");
    run.looked("crm:7", gone());
    run.described(0, "crm:7");
    assert_eq!(run.listed(Of::Decision, &[7]), NOTHING);
    assert_eq!(run.ends(), ["a failed: FunctionNotFound"]);

    // The version that it was moved to.
    let mut run = Run::new(published(7), 1);
    run.up_to_update("crm:6", "crm:7");
    run.updated(0, Ok(()));
    run.listed(Of::Check(arn("crm:7")), &[1]);
    assert_eq!(run.checked("crm:7", gone()), ["describe a"]);
    assert_eq!(run.described(0, "crm:7"), ["versions"]);

    // Another's version, or none.
    for (happened, registered, target, end) in [
        (published(7), "crm:6", "crm:7", "a failed: FunctionNotFound"),
        (published(7), "crm", "crm", "a failed: FunctionNotFound"),
        (SWEEP, "crm", "crm", "a orphaned"),
        (SWEEP, "crm:live", "crm:live", "a orphaned"),
    ] {
        let mut run = Run::new(happened, 1);
        run.described(0, registered);
        assert_eq!(run.looked(target, gone()), NOTHING);
        assert_eq!(run.ends(), [end], "{registered}");
    }
}

#[test]
fn a_dry_run_ends_where_an_update_would_begin() {
    let mut run = Run::with(published(7), 1, |job| {
        job.dry_run = true;
        job.grant_invoke = true;
    });
    run.described(0, "crm:6");
    assert_eq!(run.looked("crm:7", ready("a")), NOTHING);
    assert_eq!(run.ends(), ["a planned to crm:7"]);
}

#[test]
fn what_was_begun_is_finished_first() {
    let observe = |why, pause| Call::Describe {
        id: 0,
        label: "a-crm".parse().unwrap(),
        why,
        pause,
    };
    let looks = |wait| Call::Look {
        target: arn("crm"),
        at: arn("crm"),
        check: false,
        wait,
    };
    let mut target = Target::new(&arn("crm"));
    let Looked::Again(wait) = target.looked(&arn("crm"), pending()) else {
        panic!("it is pending");
    };
    let source = AppFlowSource::beside(&arn("crm"));
    let readied = Readied::default();
    let job = Run::new(SWEEP, 1).steps.job;
    let label = "a-crm".parse().unwrap();
    let registration = registration("crm");
    let (plan, left_out) = job
        .common
        .plan(&label, &registration, &arn("crm"), &readied, None);
    let groups = [
        vec![
            looks(wait),
            Call::Linger {
                target: arn("crm"),
                pause: Duration::ZERO,
            },
        ],
        vec![observe(Why::Observe, None)],
        vec![
            observe(Why::Observe, Some(Pause::Failed(1))),
            observe(Why::Evidence(0), None),
        ],
        vec![
            Call::Exists(arn("crm:7")),
            Call::Versions {
                function: arn("crm"),
                of: Of::Decision,
            },
        ],
        vec![looks(None)],
        vec![Call::Grant {
            target: arn("crm:7"),
            source,
            pause: None,
        }],
        vec![Call::Update {
            id: 0,
            plan: Box::new(plan),
            left_out,
        }],
    ];
    let urgencies = groups.map(|group| {
        let urgencies: Vec<u8> = group.iter().map(Call::urgency).collect();
        assert!(urgencies.iter().all(|urgency| *urgency == urgencies[0]));
        urgencies[0]
    });
    assert!(urgencies.is_sorted_by(|a, b| a < b), "{urgencies:?}");
}

#[test]
fn only_registrations_of_the_functions_that_are_meant_are_looked_at() {
    let crm = |job: &mut Job| job.functions = Some(vec!["crm".parse().unwrap()]);
    let acme = |job: &mut Job| job.function_name_prefix = "acme-".to_owned();
    for (happened, set, concerned) in [
        (published(7), (|_| {}) as fn(&mut Job), &["crm"][..]),
        (SWEEP, |_| {}, &["crm", "erp", "acme-erp"]),
        (SWEEP, crm, &["crm"]),
        (SWEEP, acme, &["acme-erp"]),
        (published(7), acme, &[]),
    ] {
        for registered in ["crm", "erp", "acme-erp"] {
            let mut run = Run::with(happened.clone(), 1, set);
            assert!(!run.steps.is_done());
            let asks = run.described(0, registered);
            let concerned = concerned.contains(&registered);
            assert_eq!(asks == [format!("look {registered}")], concerned);
            assert_eq!(run.steps.is_done(), !concerned, "{registered}");
            assert_eq!(run.ends(), NOTHING);
        }
    }
}
