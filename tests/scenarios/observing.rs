//! After a wait or a pause, a registration is described again right before its update, so that an
//! operator's change in the meantime is kept.

use std::thread;
use std::time::Duration;

use aws_local::answer::ApiError;
use aws_local::faults::{Fault, Kind};
use aws_local::lambda::{LastUpdate, Settling, State};
use serde_json::{Value, json};

use crate::meanwhile::{call, describe, put_into, repoint};
use crate::world::{CRM, World, arn, connector};

const LOOK: &str = "GetFunctionConfiguration";
const UPDATE: &str = "UpdateConnectorRegistration";

/// `plain`, a function that is not ready, and the event of its deployment.
fn waiting() -> (World, Value) {
    let world = World::one_registration();
    world.create_alias(CRM, "live", 1);
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    let event = world.change_latest(CRM, "2.0");
    (world, event)
}

/// Asserts that the updater leaves the registration at the alias that an operator pointed it at.
fn stays_at_the_alias(world: &World, event: &Value) {
    let answer = world.answer(event);
    let plain = connector(&answer, "plain");
    assert_eq!(plain["outcome"], "skipped");
    assert_eq!(plain["registeredArn"], arn(CRM, Some("live")));
    assert_eq!(world.held("plain"), ("live".into(), "1.1".into()));
}

#[test]
fn a_registration_that_is_pointed_at_an_alias_during_a_wait_stays_there() {
    let (world, event) = waiting();
    world.aws.once_after(LOOK, repoint("plain", "live"));
    stays_at_the_alias(&world, &event);
    assert_eq!(world.calls().get(UPDATE), None);
}

#[test]
fn a_description_that_is_changed_during_a_wait_is_kept() {
    let (world, event) = waiting();
    world.aws.once_after(LOOK, describe("plain", "By hand"));
    let answer = world.answer(&event);
    assert_eq!(connector(&answer, "plain")["outcome"], "updated");
    assert_eq!(world.held("plain").1, "2.0");
    let registration = world.aws.state().appflow.registration("plain").cloned();
    let description = registration.expect("registered").description;
    assert_eq!(description.as_deref(), Some("By hand"));
}

#[test]
fn a_registration_that_is_unregistered_during_a_wait_is_no_failure() {
    let (world, event) = waiting();
    world.aws.once_after(LOOK, |world| {
        call(
            world,
            "UnregisterConnector",
            &json!({ "connectorLabel": "plain" }),
        );
    });
    assert_eq!(world.answer(&event)["connectors"], json!([]));
    assert_eq!(world.calls().get(UPDATE), None);
}

#[test]
fn a_pinned_registration_that_is_moved_by_hand_during_a_wait_is_not_moved_back() {
    let world = World::with(&[("CONNECTOR_LABELS", "pinned")]);
    world.five_forms();
    let seventh = world.publish(CRM, "1.7");
    world.publish(CRM, "1.8");
    world.allow(CRM, Some("7"));
    world.allow(CRM, Some("8"));
    let version = arn(CRM, Some("7"));
    let status = LastUpdate::Successful;
    put_into(&mut world.aws.state(), &version, State::Pending, status);
    world.aws.once_after(LOOK, move |world| {
        put_into(world, &version, State::Active, LastUpdate::Successful);
        repoint("pinned", "8")(world);
    });
    let answer = world.answer(seventh);
    let pinned = connector(&answer, "pinned");
    assert_eq!(pinned["outcome"], "skipped");
    assert_eq!(
        pinned["reason"],
        "version 7 is older than the registered version 8"
    );
    assert_eq!(world.held("pinned"), ("8".into(), "1.8".into()));
}

#[test]
fn a_registration_that_is_pointed_at_an_alias_during_a_slow_or_throttled_look_stays_there() {
    let throttled = Fault::error(LOOK, "TooManyRequestsException");
    thread::scope(|scope| {
        for fault in [
            Fault::of(LOOK, Kind::Slow(Duration::from_millis(2500))).times(1),
            // Throttled in all five attempts of the SDK, and retried after a pause.
            throttled.times(5),
        ] {
            scope.spawn(move || {
                let world = World::one_registration();
                world.create_alias(CRM, "live", 1);
                let event = world.change_latest(CRM, "2.0");
                world.aws.fault(fault);
                world.aws.once_before(LOOK, repoint("plain", "live"));
                stays_at_the_alias(&world, &event);
            });
        }
    });
}

#[test]
fn a_registration_that_is_pointed_at_an_alias_while_a_grant_waits_stays_there() {
    let world = World::with(&[("GRANT_INVOKE", "true"), ("CONNECTOR_LABELS", "pinned")]);
    world.five_forms();
    let event = world.publish(CRM, "1.7");
    let busy = "The operation cannot be performed at this time. An update is in progress.";
    let busy = Kind::Error(ApiError::new("ResourceConflictException", busy));
    world.aws.fault(Fault::of("AddPermission", busy).times(1));
    before_the_second_description(&world, repoint("pinned", "beta"));
    let answer = world.answer(event);
    assert_eq!(connector(&answer, "pinned")["outcome"], "skipped");
    assert_eq!(world.held("pinned").0, "beta");
}

/// Runs a hook after a round of the only registration in scope, and before its next one.
fn before_the_second_description(
    world: &World,
    happens: impl FnOnce(&mut aws_local::World) + Send + 'static,
) {
    world.aws.once_after("DescribeConnector", |world| {
        world.once_before("DescribeConnector", happens);
    });
}

#[test]
fn a_registration_that_is_pointed_at_an_alias_between_two_tries_stays_there() {
    for fault in [
        Fault::error(UPDATE, "ConnectorServerException"),
        Fault::of(UPDATE, Kind::AnswerLost),
    ] {
        let world = World::one_registration();
        world.create_alias(CRM, "live", 1);
        let event = world.change_latest(CRM, "2.0");
        world.aws.fault(fault.times(1));
        before_the_second_description(&world, repoint("plain", "live"));
        stays_at_the_alias(&world, &event);
        assert_eq!(world.calls()[UPDATE], 1);
    }
}

#[test]
fn a_description_that_is_changed_between_two_tries_is_kept() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    let lost = Fault::of(UPDATE, Kind::AnswerLost);
    world.aws.fault(lost.times(1));
    before_the_second_description(&world, describe("plain", "By hand"));
    world.answer(event);
    let updates = world.inputs(UPDATE);
    let sent: Vec<_> = updates.iter().map(|input| &input["description"]).collect();
    assert_eq!(sent, ["A connector", "By hand"]);
}

#[test]
fn a_registration_that_is_pointed_at_an_alias_while_it_waits_for_its_turn_stays_there() {
    let world = World::new();
    world.function(CRM, 1);
    world.create_alias(CRM, "live", 1);
    let labels: Vec<String> = (0..18)
        .map(|number| format!("connector-{number:02}"))
        .collect();
    for label in &labels {
        world.register(label, &arn(CRM, None));
    }
    let event = world.change_latest(CRM, "2.0");
    // Sixteen work at a time.
    let slow = Kind::Slow(Duration::from_secs(3));
    world.aws.fault(Fault::of(UPDATE, slow));
    let under_way = world.begin(Duration::from_secs(60), event);
    let begun = |world: &World| -> Vec<Value> {
        let world = world.aws.state();
        let updates = world.calls.iter().filter(|call| call.operation == UPDATE);
        let labels = updates.map(|call| call.input["connectorLabel"].clone());
        labels.collect()
    };
    world.until("most have begun", |world| begun(world).len() == 16);
    let begun = begun(&world);
    let waiting = labels.iter().find(|label| !begun.contains(&json!(label)));
    let waiting = waiting.expect("one that waits");
    repoint(waiting, "live")(&mut world.aws.state());
    let answer = under_way.answer();
    assert_eq!(connector(&answer, waiting)["outcome"], "skipped");
    assert_eq!(world.held(waiting).0, "live");
}

#[test]
fn a_description_that_is_changed_while_a_read_is_slow_is_kept() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    let slow = Kind::Slow(Duration::from_millis(2500));
    world.aws.fault(Fault::of(LOOK, slow).times(1));
    world.aws.once_before(LOOK, describe("plain", "By hand"));
    world.answer(&event);
    let updates = world.inputs(UPDATE);
    let sent: Vec<_> = updates.iter().map(|input| &input["description"]).collect();
    assert_eq!(sent, ["By hand"]);
    assert_eq!(world.held("plain").1, "2.0");
}
