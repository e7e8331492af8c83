//! Lambda's own function state events, which need no trail, and are sent when a version is ready.

use std::time::Duration;

use aws_local::lambda::Settling;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, outcomes};

/// Five registrations, and Lambda sends state events.
fn with_state_events(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.five_forms();
    world.aws.state().state_events = true;
    world
}

/// Publishes version 7, and returns CloudTrail's event and Lambda's own, of `$LATEST` and of the
/// version.
fn publish(world: &World) -> [Value; 3] {
    let input = json!({
        "FunctionName": CRM,
        "ZipFile": crate::world::package("1.7"),
        "Publish": true,
    });
    world.call("UpdateFunctionCode", input);
    let events = world.aws.take_events();
    world.allow(CRM, Some("7"));
    events.try_into().expect("three events")
}

fn updated(answer: &Value) -> Vec<String> {
    let outcomes = outcomes(answer).into_iter();
    let updated = outcomes.filter(|(_, outcome)| outcome == "updated");
    updated.map(|(label, _)| label).collect()
}

#[test]
fn a_version_that_becomes_active_moves_pinned_registrations_and_refreshes_unqualified_ones() {
    let world = with_state_events(&[]);
    let [_, _, version] = publish(&world);
    let answer = world.answer(&version);
    assert_eq!(answer["eventId"], version["id"]);
    assert_eq!(answer["eventName"], version["detail-type"]);
    assert_eq!(answer["functionArn"], arn(CRM, None));
    assert_eq!(updated(&answer), ["latest", "pinned", "plain"]);
    assert_eq!(world.held("plain"), ("".into(), "1.7".into()));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    let time = world.metrics(1)[0]["DeploymentToUpdate"].clone();
    assert!(time.is_number(), "{time}");
}

#[test]
fn latest_that_becomes_active_refreshes_unqualified_registrations_alone() {
    let world = with_state_events(&[]);
    let [_, latest, _] = publish(&world);
    assert_eq!(latest["resources"], json!([arn(CRM, Some("$LATEST"))]));
    assert_eq!(updated(&world.answer(latest)), ["latest", "plain"]);
    assert_eq!(world.held("pinned").0, "6");
}

#[test]
fn a_state_event_needs_no_wait_because_it_comes_when_the_version_is_ready() {
    let world = with_state_events(&[]);
    world
        .aws
        .state()
        .lambda
        .settle(Settling::After(Duration::from_millis(50)));
    let input = json!({
        "FunctionName": CRM,
        "ZipFile": crate::world::package("1.7"),
        "Publish": true,
    });
    world.call("UpdateFunctionCode", input);
    world.allow(CRM, Some("7"));
    let [_cloudtrail] = world
        .aws
        .take_events()
        .try_into()
        .expect("one event so far");
    std::thread::sleep(Duration::from_millis(60));
    let [_, version] = world.aws.take_events().try_into().expect("Lambda's own");
    assert_eq!(
        updated(&world.answer(version)),
        ["latest", "pinned", "plain"]
    );
    // Each of the three ARNs is read once, and checked once.
    assert_eq!(world.calls()["GetFunctionConfiguration"], 2 * 3);
}

#[test]
fn a_state_that_is_not_active_is_ignored_without_a_call() {
    let world = with_state_events(&[]);
    let [_, _, version] = publish(&world);
    for (state, reason) in [
        (json!("Pending"), "is Pending"),
        (json!("Failed"), "is Failed"),
        (json!("Inactive"), "is Inactive"),
        (json!(null), "has no state"),
    ] {
        let mut event = version.clone();
        event["detail"]["state"] = state;
        let answer = world.answer(event);
        let ignored = answer["ignored"].as_str().unwrap_or_default();
        assert!(ignored.contains(reason), "`{reason}` is not in {answer}");
        assert_eq!(answer["eventId"], version["id"]);
    }
    let mut nameless = version;
    nameless["resources"] = json!([]);
    nameless["detail"]["functionArn"] = json!(CRM);
    let answer = world.answer(nameless);
    assert_eq!(answer["ignored"], "the event names no Lambda function");
    assert_eq!(world.calls(), [].into());
}

#[test]
fn a_state_event_is_read_with_other_names_of_its_members() {
    let world = with_state_events(&[]);
    let [_, _, version] = publish(&world);
    let mut event = version.clone();
    event["detail-type"] = json!("Lambda Version Status");
    event["resources"] = json!(null);
    event["detail"] = json!({
        "State": "Active",
        "version": { "arn": arn(CRM, Some("7")) },
    });
    assert_eq!(updated(&world.answer(event)), ["latest", "pinned", "plain"]);
    assert_eq!(world.held("pinned").0, "7");
}

#[test]
fn cloudtrail_s_event_and_lambda_s_own_together_do_no_harm() {
    // One after the other, in every order.
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let world = with_state_events(&[]);
        let events = publish(&world);
        for position in order {
            world.answer(&events[position]);
        }
        assert_eq!(world.held("plain"), ("".into(), "1.7".into()));
        assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
    }
    // All at once.
    let world = with_state_events(&[]);
    let _another = [world.another_updater(&[]), world.another_updater(&[])];
    let time = Duration::from_secs(30);
    let under_way = publish(&world).map(|event| world.begin(time, event));
    for invocation in under_way {
        let answer = invocation.answer();
        let plain = &connector(&answer, "plain")["outcome"];
        assert_eq!(plain, "updated");
    }
    assert_eq!(world.held("plain"), ("".into(), "1.7".into()));
    assert_eq!(world.held("pinned"), ("7".into(), "1.7".into()));
}
