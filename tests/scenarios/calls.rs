//! How many AWS calls an invocation makes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use aws_local::Call;
use aws_local::lambda::Settling;
use serde_json::Value;

use crate::meanwhile::change_latest;
use crate::world::{CRM, World, arn, outcomes};

const UPDATE: &str = "UpdateConnectorRegistration";
const LOOK: &str = "GetFunctionConfiguration";
const GRANTING: &[(&str, &str)] = &[("GRANT_INVOKE", "true")];

/// The calls of an invocation, and how long it took.
struct Cost {
    calls: Vec<Call>,
    seconds: usize,
}

impl Cost {
    fn of(world: &World, payload: impl ToString) -> Self {
        let begun = Instant::now();
        world.answer(payload);
        Self {
            calls: world.aws.take_calls(),
            seconds: begun.elapsed().as_secs() as usize,
        }
    }

    /// Asserts how many ARNs were read, and how often each. Registrations share a check only within a
    /// second of each other: on a slow machine, each second may cost one more read.
    fn looks(&self, arns: usize, each: usize) {
        let mut counts = BTreeMap::<String, usize>::new();
        for Call { input, .. } in self.calls_of(LOOK) {
            let arn = format!("{}:{}", input["FunctionName"], input["Qualifier"]);
            *counts.entry(arn).or_default() += 1;
        }
        assert_eq!(counts.len(), arns, "{counts:?}");
        let expected = each..=each + self.seconds;
        assert!(
            counts.values().all(|count| expected.contains(count)),
            "{counts:?}"
        );
    }

    /// Asserts how often each registration was described. One whose update has waited for its turn for
    /// two seconds is described again, which happens on a slow machine.
    fn descriptions(&self, registrations: usize, each: usize) {
        let expected = registrations * each..=registrations * (each + self.seconds / 2);
        let described = self.calls_of("DescribeConnector").count();
        assert!(expected.contains(&described), "{described}");
    }

    /// Asserts how many pages of versions were listed: for each function once to decide, and once in each
    /// check.
    fn lists(&self, functions: usize, pages: usize) {
        let expected = functions * pages * 2..=functions * pages * (2 + self.seconds);
        let listed = self.calls_of("ListVersionsByFunction").count();
        assert!(expected.contains(&listed), "{listed}");
    }

    fn updates(&self, expected: usize) {
        assert_eq!(self.calls_of(UPDATE).count(), expected);
    }

    fn calls_of(&self, operation: &'static str) -> impl Iterator<Item = &Call> {
        let calls = self.calls.iter();
        calls.filter(move |call| call.operation == operation)
    }
}

fn counts<const N: usize>(calls: [(&str, usize); N]) -> BTreeMap<String, usize> {
    let calls = calls.map(|(operation, count)| (operation.to_owned(), count));
    calls.into()
}

/// Forty registrations of one function.
fn forty() -> World {
    let world = World::new();
    world.function(CRM, 1);
    for number in 0..40 {
        world.register(&format!("connector-{number:02}"), &arn(CRM, None));
    }
    world
}

#[test]
fn an_event_about_one_connector_costs_six_calls() {
    let world = World::one_registration();
    world.answer(world.publish(CRM, "2.0"));
    assert_eq!(
        world.calls(),
        counts([
            ("ListConnectors", 1),
            ("DescribeConnector", 2),
            ("GetFunctionConfiguration", 2),
            ("UpdateConnectorRegistration", 1),
        ])
    );
}

#[test]
fn an_event_about_one_pinned_connector_costs_one_more_and_a_grant() {
    let world = World::with(GRANTING);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("pinned", &arn(CRM, Some("6")));
    world.answer(world.publish(CRM, "1.7"));
    assert_eq!(
        world.calls(),
        counts([
            ("ListConnectors", 1),
            ("DescribeConnector", 2),
            ("GetFunctionConfiguration", 2),
            ("AddPermission", 1),
            ("UpdateConnectorRegistration", 1),
            ("ListVersionsByFunction", 1),
        ])
    );
}

#[test]
fn an_event_about_a_function_without_connectors_costs_a_list_and_the_descriptions() {
    let world = World::one_registration();
    world.function("thumbnailer", 1);
    world.answer(world.publish("thumbnailer", "2.0"));
    assert_eq!(
        world.calls(),
        counts([("ListConnectors", 1), ("DescribeConnector", 1)])
    );
}

#[test]
fn registrations_that_share_an_arn_cost_one_look_before_their_updates_and_one_after() {
    let world = forty();
    let cost = Cost::of(&world, world.publish(CRM, "2.0"));
    cost.looks(1, 2);
    cost.descriptions(40, 2);
    cost.updates(40);
}

#[test]
fn registrations_that_share_an_arn_wait_once() {
    let world = forty();
    world.aws.state().lambda.settle(Settling::AfterLooks(2));
    let cost = Cost::of(&world, world.change_latest(CRM, "2.0"));
    // Two reads find it in progress, one finds it ready, and one is the check.
    cost.looks(1, 4);
    // Described again after the wait.
    cost.descriptions(40, 3);
    cost.updates(40);
    assert!(world.aws.versions().iter().all(|(_, has, _)| has == "2.0"));
}

#[test]
fn a_second_round_costs_one_more_look() {
    let world = forty();
    let event = world.change_latest(CRM, "2.0");
    world.aws.once_after(UPDATE, change_latest("3.0"));
    let cost = Cost::of(&world, event);
    cost.looks(1, 3);
    // Those that were updated before the check are updated again: all of them, unless the machine is
    // slow.
    let updates = cost.calls_of(UPDATE).count();
    assert!((41..=2 * 40).contains(&updates), "{updates}");
    assert!(world.aws.versions().iter().all(|(_, has, _)| has == "3.0"));
}

#[test]
fn a_sweep_of_two_hundred_and_fifty_looks_up_each_function_and_each_arn_twice() {
    let world = World::with(GRANTING);
    let functions: Vec<String> = (0..5).map(|number| format!("function-{number}")).collect();
    for function in &functions {
        world.function(function, 1);
        world.allow(function, Some("1"));
        world.create_alias(function, "live", 1);
    }
    for number in 0..250 {
        let function = &functions[number % 5];
        let qualifier = [None, Some("1"), Some("live"), Some("$LATEST")][number / 5 % 4];
        world.register(&format!("connector-{number:03}"), &arn(function, qualifier));
    }
    for function in &functions {
        // More versions than a page of ListVersionsByFunction has.
        for version in 2..=60 {
            world.publish(function, &format!("1.{version}"));
        }
        world.move_alias(function, "live", 60);
    }

    let cost = Cost::of(&world, r#"{"sweep": {"move": true}}"#);
    for (label, has, current) in world.aws.versions() {
        assert_eq!(has, "1.60", "{label}");
        assert_eq!(has, current, "{label}");
    }
    assert_eq!(world.held("connector-005").0, "60");
    assert_eq!(cost.calls_of("ListConnectors").count(), 3);
    cost.descriptions(250, 2);
    cost.lists(5, 2);
    cost.looks(5 * 4, 2);
    cost.updates(250);
    assert_eq!(cost.calls_of("AddPermission").count(), 5);
}

#[test]
fn a_dry_sweep_reads_each_arn_once() {
    let world = World::new();
    world.five_forms();
    let sweep = world.answer(r#"{"sweep": {"dryRun": true}}"#);
    assert_eq!(outcomes(&sweep).len(), 5);
    let looks: Vec<Value> = world.inputs("GetFunctionConfiguration");
    let different: BTreeSet<String> = looks.iter().map(Value::to_string).collect();
    assert_eq!((looks.len(), different.len()), (5, 5), "{looks:?}");
}
