//! Two updaters handle two deployments of one function at once, and the newer deployment wins.

use std::thread;
use std::time::Duration;

use aws_local::Calls;
use aws_local::bootstrap::Bootstrap;
use aws_local::faults::{Fault, Kind};
use serde_json::Value;

use crate::world::{CRM, World, arn};

const UPDATE: &str = "UpdateConnectorRegistration";
/// Long enough that the other updater has finished its own update by then.
const LATE: Duration = Duration::from_millis(1500);

/// A form of registration.
#[derive(Clone, Copy, Debug)]
enum Form {
    Unqualified,
    Pinned,
    Alias,
}

const FORMS: [Form; 3] = [Form::Unqualified, Form::Pinned, Form::Alias];

impl Form {
    fn qualifier(self) -> Option<&'static str> {
        match self {
            Self::Unqualified => None,
            Self::Pinned => Some("6"),
            Self::Alias => Some("live"),
        }
    }

    /// Deploys version 7 or 8, and returns the event.
    fn deploy(self, world: &World, version: u64) -> Value {
        let published = world.publish(CRM, &format!("1.{version}"));
        match self {
            Self::Unqualified | Self::Pinned => published,
            Self::Alias => world.move_alias(CRM, "live", version),
        }
    }

    /// What AppFlow must have once version 8 was deployed.
    fn newest(self) -> (String, String) {
        let qualifier = match self {
            Self::Pinned => "8",
            other => other.qualifier().unwrap_or_default(),
        };
        (qualifier.to_owned(), "1.8".to_owned())
    }
}

/// One registration of this form, and two updaters.
fn two_updaters(form: Form) -> (World, Bootstrap) {
    let settings = &[("GRANT_INVOKE", "true")];
    let world = World::with(settings);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.create_alias(CRM, "live", 6);
    world.register("crm", &arn(CRM, form.qualifier()));
    let another = world.another_updater(settings);
    (world, another)
}

/// AppFlow stores the next update so late that the other updater's is stored by then.
fn store_the_next_update_late(world: &World) {
    world
        .aws
        .fault(Fault::of(UPDATE, Kind::StoredLate(LATE)).times(1));
}

fn updates(world: &World) -> usize {
    let world = world.aws.state();
    let calls = world.calls.iter();
    calls.filter(|call| call.operation == UPDATE).count()
}

fn for_every_form(scenario: impl Fn(Form) + Send + Sync) {
    thread::scope(|scope| {
        for form in FORMS {
            let scenario = &scenario;
            scope.spawn(move || scenario(form));
        }
    });
}

const TIME: Duration = Duration::from_secs(30);

#[test]
fn the_newer_deployment_wins_though_appflow_stores_the_older_one_last() {
    for_every_form(|form| {
        let (world, _another) = two_updaters(form);
        store_the_next_update_late(&world);
        let older = form.deploy(&world, 7);
        let older = world.begin(TIME, older);
        world.until("the older one is read", |world| updates(world) == 1);
        let newer = form.deploy(&world, 8);
        world.begin(TIME, newer).answer();
        assert_eq!(world.held("crm"), form.newest(), "{form:?}");
        assert!(older.is_going_on(), "{form:?}: not late enough");
        older.answer();
        assert_eq!(world.held("crm"), form.newest(), "{form:?}");
    });
}

#[test]
fn the_newer_deployment_wins_though_the_older_event_is_handled_second() {
    for_every_form(|form| {
        let (world, _another) = two_updaters(form);
        let older = form.deploy(&world, 7);
        let newer = form.deploy(&world, 8);
        store_the_next_update_late(&world);
        let newer = world.begin(TIME, newer);
        world.until("the newer one is read", |world| updates(world) == 1);
        let older = world.begin(TIME, older);
        newer.answer();
        older.answer();
        assert_eq!(world.held("crm"), form.newest(), "{form:?}");
    });
}

#[test]
fn the_newer_deployment_wins_though_the_older_one_was_observed_first() {
    for_every_form(|form| {
        let (world, _another) = two_updaters(form);
        let older = form.deploy(&world, 7);
        // Lambda has handled the older invocation's read, and its response is late. In the meantime the
        // newer version is deployed, and its event is handled completely.
        let slow = Kind::Slow(Duration::from_millis(1500));
        world
            .aws
            .fault(Fault::of("GetFunctionConfiguration", slow).times(1));
        let older = world.begin(TIME, older);
        world.until("the function is read", |world| {
            let world = world.aws.state();
            world
                .calls
                .iter()
                .any(|call| call.operation == "GetFunctionConfiguration")
        });
        let newer = form.deploy(&world, 8);
        world.begin(TIME, newer).answer();
        assert!(older.is_going_on(), "{form:?}: not slow enough");
        older.answer();
        assert_eq!(world.held("crm"), form.newest(), "{form:?}");
    });
}

#[test]
fn both_events_at_once_end_at_the_newer_deployment_in_either_order() {
    for_every_form(|form| {
        for newer_first in [false, true] {
            let (world, _another) = two_updaters(form);
            let mut events = [form.deploy(&world, 7), form.deploy(&world, 8)];
            if newer_first {
                events.reverse();
            }
            let under_way = events.map(|event| world.begin(TIME, event));
            for invocation in under_way {
                invocation.answer();
            }
            assert_eq!(world.held("crm"), form.newest(), "{form:?}");
        }
    });
}

#[test]
fn one_event_delivered_twice_at_once_does_no_harm() {
    for_every_form(|form| {
        let (world, _another) = two_updaters(form);
        store_the_next_update_late(&world);
        form.deploy(&world, 7);
        let event = form.deploy(&world, 8);
        let first = world.begin(TIME, &event);
        let second = world.begin(TIME, &event);
        first.answer();
        second.answer();
        assert_eq!(world.held("crm"), form.newest(), "{form:?}");
    });
}

#[test]
fn an_event_and_a_sweep_at_once_end_at_the_newest_version() {
    let (world, _another) = two_updaters(Form::Pinned);
    Form::Pinned.deploy(&world, 7);
    store_the_next_update_late(&world);
    let sweep = world.begin(TIME, r#"{"sweep": {"move": true}}"#);
    world.until("the sweep updates", |world| updates(world) == 1);
    let event = Form::Pinned.deploy(&world, 8);
    world.begin(TIME, event).answer();
    assert!(sweep.is_going_on(), "not late enough");
    sweep.answer();
    assert_eq!(world.held("crm"), Form::Pinned.newest());
}

#[test]
fn a_sweep_whose_update_is_stored_late_does_not_undo_an_event_s_move() {
    let (world, _another) = two_updaters(Form::Pinned);
    // The sweep refreshes the registration at version 6, which is the newest. By the time that AppFlow
    // stores that, the event of version 8 has moved it.
    store_the_next_update_late(&world);
    let sweep = world.begin(TIME, r#"{"sweep": {}}"#);
    world.until("the sweep updates", |world| updates(world) == 1);
    Form::Pinned.deploy(&world, 7);
    let event = Form::Pinned.deploy(&world, 8);
    world.begin(TIME, event).answer();
    assert!(sweep.is_going_on(), "not late enough");
    sweep.answer();
    assert_eq!(world.held("crm"), Form::Pinned.newest());
}

#[test]
fn a_deployment_between_another_updater_s_update_and_its_check_is_seen_by_both() {
    let (world, _another) = two_updaters(Form::Pinned);
    let seventh = Form::Pinned.deploy(&world, 7);
    let update = Calls::of(UPDATE).concerning("crm");
    world
        .aws
        .once_after(update, crate::meanwhile::publish("1.8"));
    let both = [&seventh, &seventh].map(|event| world.begin(TIME, event));
    for invocation in both {
        invocation.answer();
    }
    assert_eq!(world.held("crm"), Form::Pinned.newest());
}
