//! An alias that sends its traffic elsewhere than to its own version: a shift that somebody asked for, or what
//! Lambda does by itself while it provisions concurrency.

use std::time::{Duration, Instant};

use aws_local::lambda::{Provisioning, Reference};
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, error};

const UPDATE: &str = "UpdateConnectorRegistration";
const WEIGHTS: &str = "/detail/responseElements/routingConfig/additionalVersionWeights";
/// The weights that an UpdateAlias call clears.
const NO_WEIGHTS: fn() -> Value = || json!({ "AdditionalVersionWeights": {} });

/// `crm` with versions 6 and 7, registered with the alias `live`, which points at 6.
fn at_six() -> World {
    let world = World::new();
    world.function(CRM, 7);
    world.create_alias(CRM, "live", 6);
    world.register("live", &arn(CRM, Some("live")));
    world.aws.take_calls();
    world
}

/// Lambda provisions concurrency for `live` from now on.
fn provision(world: &World, provisioning: Provisioning) {
    let name = Reference::parse(CRM).expect("a name").name;
    let mut world = world.aws.state();
    let provisioned = world
        .lambda
        .provision_concurrency(&name, "live", provisioning);
    provisioned.expect("an alias");
}

/// Updates `live`, and returns the event.
fn update_alias(world: &World, version: &str, weights: &Value) -> Value {
    world.call(
        "UpdateAlias",
        json!({
            "FunctionName": CRM,
            "Name": "live",
            "FunctionVersion": version,
            "RoutingConfig": weights,
        }),
    );
    world.event()
}

#[test]
fn weights_of_lambda_s_own_are_waited_out_and_then_the_registration_is_refreshed() {
    // They stand in the record, or only GetAlias shows them.
    for in_record in [true, false] {
        let world = at_six();
        provision(&world, Provisioning::After(Duration::from_secs(2)));
        let mut event = update_alias(&world, "7", &NO_WEIGHTS());
        assert_eq!(event.pointer(WEIGHTS), Some(&json!({ "6": 1.0 })));
        if !in_record {
            *event.pointer_mut(WEIGHTS).expect("weights") = json!({});
        }
        world.answer(event);
        assert_eq!(world.held("live"), ("live".into(), "1.7".into()));
        assert_eq!(world.calls()[UPDATE], 1, "an update before it is settled");
        let waits = "its alias points at version 7, but all traffic goes to version 6";
        world.log_with(waits);
    }
}

#[test]
fn concurrency_that_is_never_provisioned_is_an_error_with_the_command_that_helps() {
    let world = at_six();
    provision(&world, Provisioning::UntilFinished);
    let event = update_alias(&world, "7", &NO_WEIGHTS());
    let (name, message) = error(world.outcome_within(Duration::from_secs(3), &event));
    assert_eq!(name, "FunctionNotReady");
    let function = arn(CRM, None);
    for part in [
        format!("timed out while waiting for {function}:live"),
        "its alias points at version 7, but all traffic goes to version 6".to_owned(),
        "aws lambda get-provisioned-concurrency-config".to_owned(),
        format!(
            "aws lambda update-alias --region us-east-1 --function-name {function} --name 'live' \
             --routing-config '{{\"AdditionalVersionWeights\":{{}}}}'"
        ),
    ] {
        assert!(message.contains(&part), "`{part}` is not in {message}");
    }
    assert_eq!(world.calls().get(UPDATE), None);
    assert_eq!(world.held("live").1, "1.6");

    // What the command does.
    world.answer(update_alias(&world, "7", &NO_WEIGHTS()));
    assert_eq!(world.held("live").1, "1.7");
}

#[test]
fn a_sweep_does_not_wait_until_concurrency_is_provisioned() {
    let world = at_six();
    provision(&world, Provisioning::UntilFinished);
    update_alias(&world, "7", &NO_WEIGHTS());
    let start = Instant::now();
    let answer = world.answer(r#"{"sweep": {}}"#);
    assert_eq!(connector(&answer, "live")["outcome"], "updated");
    assert_eq!(world.held("live").1, "1.6", "what an invocation runs now");
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_shift_that_ends_by_a_weight_of_one_is_refreshed_and_the_version_that_runs_is_read_and_checked()
{
    let world = at_six();
    let everything = json!({ "AdditionalVersionWeights": { "7": 1.0 } });
    let event = update_alias(&world, "6", &everything);
    let answer = world.answer(event);
    let live = connector(&answer, "live");
    assert_eq!(live["outcome"], "updated");
    assert_eq!(live["targetArn"], arn(CRM, Some("live")));
    assert_eq!(world.held("live"), ("live".into(), "1.7".into()));
    let reads = world.inputs("GetFunctionConfiguration");
    let read: Vec<_> = reads.iter().map(|input| &input["Qualifier"]).collect();
    assert_eq!(read, ["7", "7"]);

    // The request alone says so where CloudTrail cut the response.
    world.publish(CRM, "1.8");
    let everything = json!({ "AdditionalVersionWeights": { "8": 1.0 } });
    let mut cut = update_alias(&world, "6", &everything);
    cut["detail"]["responseElements"] = json!(null);
    world.answer(cut);
    assert_eq!(world.held("live").1, "1.8");
}

#[test]
fn a_split_is_skipped_with_its_reason_by_its_own_event_by_any_other_and_by_a_sweep() {
    let world = at_six();
    let tenth = json!({ "AdditionalVersionWeights": { "7": 0.1 } });
    let shifts = update_alias(&world, "6", &tenth);
    // Only GetAlias shows it: the shift began after this event.
    let mut moved = shifts.clone();
    for part in ["requestParameters", "responseElements"] {
        moved["detail"][part]["routingConfig"] = json!(null);
    }
    let published = world.publish(CRM, "1.8");
    let changed = world.change_latest(CRM, "1.9");
    for (payload, reads) in [
        (shifts, None),
        (moved, Some(1)),
        (published, Some(1)),
        (changed, Some(1)),
        (json!({ "sweep": {} }), Some(1)),
    ] {
        world.aws.take_calls();
        let answer = world.answer(&payload);
        let live = connector(&answer, "live");
        assert_eq!(live["outcome"], "skipped", "{payload}");
        let reason = live["reason"].as_str().unwrap_or_default();
        let told = "alias live splits its traffic between two versions";
        assert!(reason.contains(told), "{payload}: {reason}");
        let calls = world.calls();
        assert_eq!(calls.get("GetAlias").copied(), reads, "{payload}");
        assert_eq!(calls.get(UPDATE), None, "{payload}");
    }
    assert_eq!(world.held("live").1, "1.6");
}

#[test]
fn a_shift_that_begins_while_the_updater_waits_is_skipped() {
    let world = at_six();
    provision(&world, Provisioning::UntilFinished);
    let event = update_alias(&world, "7", &NO_WEIGHTS());
    let event = world.begin(Duration::from_secs(30), event);
    world.log_with("waiting for the function");
    let half = json!({ "AdditionalVersionWeights": { "6": 0.5 } });
    update_alias(&world, "7", &half);
    let answer = event.answer();
    assert_eq!(connector(&answer, "live")["outcome"], "skipped");
    assert_eq!(world.held("live").1, "1.6");
}
