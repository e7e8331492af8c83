//! What Lambda does not settle at once: for up to a minute after a change, an invocation may run the code from
//! before, and a version that was just published may be unknown. These scenarios really wait, so their changes
//! are dated back as far as they can be.

use std::time::{Duration, Instant};

use aws_local::faults::{Fault, Kind};
use aws_local::lambda::{LastUpdate, State};
use serde_json::json;

use crate::meanwhile::put_into;
use crate::world::{CRM, World, arn, connector, error};

const UPDATE: &str = "UpdateConnectorRegistration";
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// From now on, changes are this old when the updater hears of them.
fn changes_are_old_by(world: &World, seconds: u64) {
    let mut world = world.aws.state();
    world.lambda.date_changes_back(Duration::from_secs(seconds));
}

/// From now on, old code is served for this long after a change.
fn old_code_is_served_for(world: &World, seconds: u64) {
    let mut world = world.aws.state();
    world
        .lambda
        .serve_old_code_for(Duration::from_secs(seconds));
}

/// `crm` at version 1, registered without a qualifier and with `$LATEST`.
fn unqualified() -> World {
    let world = World::one_registration();
    world.register("latest", &arn(CRM, Some("$LATEST")));
    world.aws.take_calls();
    world
}

#[test]
fn a_function_that_changed_seconds_ago_is_read_after_a_minute() {
    let world = unqualified();
    changes_are_old_by(&world, 50);
    old_code_is_served_for(&world, 9);
    let answer = world.answer(world.change_latest(CRM, "2.0"));
    for label in ["plain", "latest"] {
        let row = connector(&answer, label);
        assert_eq!(row["outcome"], "updated");
        assert_eq!(row["changed"], json!(["connectorVersion"]));
        assert_eq!(world.held(label).1, "2.0");
    }
    assert_eq!(world.calls()[UPDATE], 2);
    world.log_with("it changed a short time ago, and may still run the code from before");
}

#[test]
fn a_sweep_reads_a_function_that_changed_seconds_ago_after_a_minute_too() {
    let world = unqualified();
    changes_are_old_by(&world, 50);
    old_code_is_served_for(&world, 9);
    world.change_latest(CRM, "2.0");
    world.answer(r#"{"sweep": {}}"#);
    assert_eq!(world.held("plain").1, "2.0");
    assert_eq!(world.held("latest").1, "2.0");
}

#[test]
fn where_the_function_may_not_be_read_the_minute_counts_from_the_event() {
    let world = unqualified();
    let denied = Fault::error("GetFunctionConfiguration", "AccessDeniedException");
    world.aws.fault(denied);
    changes_are_old_by(&world, 50);
    old_code_is_served_for(&world, 8);
    world.answer(world.change_latest(CRM, "2.0"));
    assert_eq!(world.held("plain").1, "2.0");
}

#[test]
fn a_change_during_the_update_is_waited_for_like_the_first() {
    let world = unqualified();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, |world| {
        world.lambda.date_changes_back(Duration::from_secs(50));
        world.lambda.serve_old_code_for(Duration::from_secs(9));
        crate::meanwhile::change_latest("3.0")(world);
    });
    world.answer(event);
    assert_eq!(world.held("plain").1, "3.0");
    assert_eq!(world.held("latest").1, "3.0");
}

#[test]
fn a_published_version_is_not_waited_for() {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    changes_are_old_by(&world, 0);
    old_code_is_served_for(&world, 60);
    let start = Instant::now();
    world.answer(world.publish(CRM, "1.7"));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_minute_that_has_not_passed_at_the_deadline_is_an_error_that_says_so() {
    let world = unqualified();
    changes_are_old_by(&world, 0);
    let event = world.change_latest(CRM, "2.0");
    let (name, message) = error(world.outcome_within(Duration::from_secs(3), event));
    assert_eq!(name, "FunctionNotReady");
    let part = "it changed a short time ago, and may still run the code from before";
    assert!(message.contains(part), "{message}");
    assert_eq!(world.calls().get(UPDATE), None);
}

/// `crm` with versions 6 and 7, registered with the alias `live`, which points at 6.
fn alias() -> World {
    let world = World::new();
    world.function(CRM, 7);
    world.create_alias(CRM, "live", 6);
    world.register("live", &arn(CRM, Some("live")));
    world
}

#[test]
fn an_alias_that_moved_seconds_ago_is_read_after_a_minute() {
    let world = alias();
    changes_are_old_by(&world, 58);
    old_code_is_served_for(&world, 2);
    let event = world.move_alias(CRM, "live", 7);
    world.answer(event);
    assert_eq!(world.held("live"), ("live".into(), "1.7".into()));
}

#[test]
fn a_sweep_that_reads_an_alias_in_its_last_minute_and_is_stored_late_does_not_have_the_last_word() {
    let world = alias();
    changes_are_old_by(&world, 57);
    old_code_is_served_for(&world, 3);
    let event = world.move_alias(CRM, "live", 7);
    let late = Kind::StoredLate(Duration::from_secs(9));
    world.aws.fault(Fault::of(UPDATE, late).times(1));
    let _another = world.another_updater(&[]);
    let sweep = world.begin(Duration::from_secs(60), r#"{"sweep": {}}"#);
    world.until("the sweep updates", |world| {
        !world.inputs(UPDATE).is_empty()
    });
    world.answer(event);
    sweep.answer();
    assert_eq!(world.held("live").1, "1.7");
}

#[test]
fn a_version_that_lambda_does_not_know_yet_is_waited_for() {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    world
        .aws
        .state()
        .lambda
        .versions_unknown_for(Duration::from_secs(3));
    world.answer(world.publish(CRM, "1.7"));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    world.log_with("Lambda does not know this version yet");
}

#[test]
fn the_newest_version_is_looked_up_once_lambda_has_had_time_to_list_it() {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    changes_are_old_by(&world, 24);
    world
        .aws
        .state()
        .lambda
        .versions_unknown_for(Duration::from_secs(4));
    let mut event = world.publish(CRM, "1.7");
    event["detail"]["responseElements"] = json!(null);
    world.answer(event);
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}

#[test]
fn a_dry_run_waits_for_nothing_and_does_not_read_whether_functions_are_ready() {
    for (settings, sweeps) in [(&[][..], true), (&[("DRY_RUN", "true")], false)] {
        let world = World::with(settings);
        world.five_forms();
        changes_are_old_by(&world, 0);
        let changed = world.change_latest(CRM, "2.0");
        let stuck = LastUpdate::InProgress;
        put_into(&mut world.aws.state(), CRM, State::Active, stuck);
        let dry_sweep = json!({ "sweep": { "dryRun": true } });
        let payload = if sweeps { dry_sweep } else { changed };
        let answer = world.begin(Duration::from_secs(5), payload).answer();
        assert_eq!(connector(&answer, "plain")["outcome"], "planned");
        let calls = world.calls();
        assert_eq!(calls.get("GetFunctionConfiguration"), None, "{calls:?}");
        assert_eq!(calls.get(UPDATE), None, "{calls:?}");
    }
}

#[test]
fn a_registered_version_that_the_list_still_lacks_does_not_count_as_gone() {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    let older = world.publish(CRM, "1.7");
    world
        .aws
        .state()
        .lambda
        .versions_unlisted_for(Duration::from_secs(3600));
    world.answer(world.publish(CRM, "1.8"));
    assert_eq!(world.held("pinned").0, "8");
    // To each of these, the newest version is 7.
    world.answer(json!({ "sweep": {} }));
    world.answer(json!({ "sweep": { "move": true } }));
    world.answer(older);
    assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
}
