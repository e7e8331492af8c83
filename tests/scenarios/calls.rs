//! How many AWS calls an invocation makes.

use std::collections::BTreeMap;

use crate::meanwhile::change_latest;
use crate::world::{CRM, World, arn, outcomes};

const UPDATE: &str = "UpdateConnectorRegistration";
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// Asserts that exactly these calls were made since calls were last taken.
fn cost<const N: usize>(world: &World, calls: [(&str, usize); N]) {
    let calls = calls.map(|(operation, count)| (operation.to_owned(), count));
    assert_eq!(world.calls(), BTreeMap::from(calls));
}

/// A registration with version 6, and an updater that may let AppFlow invoke the next one.
fn pinned() -> World {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    world
}

#[test]
fn an_event_about_one_connector_costs_six_calls() {
    let world = World::one_registration();
    world.answer(world.publish(CRM, "2.0"));
    cost(
        &world,
        [
            ("ListConnectors", 1),
            ("DescribeConnector", 2),
            ("GetFunctionConfiguration", 2),
            (UPDATE, 1),
        ],
    );
}

#[test]
fn an_event_about_one_pinned_connector_costs_one_more_and_a_grant() {
    let world = pinned();
    world.answer(world.publish(CRM, "1.7"));
    cost(
        &world,
        [
            ("ListConnectors", 1),
            ("DescribeConnector", 2),
            ("GetFunctionConfiguration", 2),
            ("AddPermission", 1),
            (UPDATE, 1),
            ("ListVersionsByFunction", 1),
        ],
    );
}

#[test]
fn an_event_about_a_function_without_connectors_costs_a_list_and_the_descriptions() {
    let world = World::one_registration();
    world.function("thumbnailer", 1);
    world.answer(world.publish("thumbnailer", "2.0"));
    cost(&world, [("ListConnectors", 1), ("DescribeConnector", 1)]);
}

#[test]
fn two_registrations_of_one_function_cost_twice_the_reads() {
    let world = World::one_registration();
    world.register("second", &arn(CRM, None));
    world.answer(world.publish(CRM, "2.0"));
    cost(
        &world,
        [
            ("ListConnectors", 1),
            ("DescribeConnector", 2 * 2),
            ("GetFunctionConfiguration", 2 * 2),
            (UPDATE, 2),
        ],
    );
}

#[test]
fn a_deployment_during_the_update_costs_one_more_round() {
    let world = World::one_registration();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, change_latest("3.0"));
    world.answer(event);
    cost(
        &world,
        [
            ("ListConnectors", 1),
            // To decide, once in each round, and to see what was changed.
            ("DescribeConnector", 3),
            // Once before and once after each update.
            ("GetFunctionConfiguration", 4),
            (UPDATE, 2),
        ],
    );
}

#[test]
fn every_page_of_the_versions_is_read_to_decide_and_to_check() {
    let world = pinned();
    // More than a page of ListVersionsByFunction has, which is fifty.
    for version in 7..=60 {
        world.publish(CRM, &format!("1.{version}"));
    }
    world.answer(r#"{"sweep": {"move": true}}"#);
    assert_eq!(world.held("pinned"), ("60".into(), "1.60".into()));
    assert_eq!(world.calls()["ListVersionsByFunction"], 2 * 2);
}

#[test]
fn a_dry_sweep_reads_versions_and_not_whether_the_functions_are_ready() {
    let world = World::new();
    world.five_forms();
    let sweep = world.answer(r#"{"sweep": {"dryRun": true}}"#);
    assert_eq!(outcomes(&sweep).len(), 5);
    cost(
        &world,
        [
            ("ListConnectors", 1),
            ("DescribeConnector", 5),
            ("ListVersionsByFunction", 1),
            // Where each alias sends its traffic decides.
            ("GetAlias", 2),
        ],
    );
}

#[test]
fn an_event_about_one_alias_reads_it_before_the_update_and_after_it() {
    let world = World::new();
    world.function(CRM, 6);
    world.create_alias(CRM, "live", 5);
    world.register("live", &arn(CRM, Some("live")));
    world.aws.take_calls();
    world.answer(world.move_alias(CRM, "live", 6));
    cost(
        &world,
        [
            ("ListConnectors", 1),
            ("DescribeConnector", 2),
            ("GetAlias", 2),
            ("GetFunctionConfiguration", 2),
            (UPDATE, 1),
        ],
    );
}
