//! The last line of every sweep, and of every event that reached AppFlow.

use aws_local::faults::Fault;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, sample_events};

/// The counts of a summary line, in its order.
const COUNTS: [&str; 6] = [
    "listed", "inScope", "updated", "changed", "skipped", "failed",
];

/// The summary lines of this many invocations.
fn summaries(world: &World, invocations: usize) -> Vec<Value> {
    let lines = world.log_of(invocations);
    let summaries = lines
        .into_iter()
        .filter(|line| line.get("inScope").is_some());
    summaries.collect()
}

fn counts(line: &Value) -> [u64; 6] {
    COUNTS.map(|name| {
        line[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {line}"))
    })
}

#[test]
fn every_sweep_and_every_event_that_reached_appflow_ends_with_one_line_of_counts() {
    let world = World::new();
    world.five_forms();
    world.function("thumbnailer", 1);
    let published = world.publish(CRM, "1.7");
    world.allow(CRM, Some("7"));
    world.answer(&published);
    // A second time, which changes nothing.
    world.answer(&published);
    let refused = Fault::error("UpdateConnectorRegistration", "ValidationException");
    world.aws.fault(refused.concerning("plain"));
    world.error(json!({ "sweep": {} }));
    world.answer(world.publish("thumbnailer", "2.0"));
    // These reach nobody.
    world.answer(&sample_events()["failed-call"]);
    world.error("not JSON");

    let lines = summaries(&world, 6);
    let told: Vec<_> = lines.iter().map(counts).collect();
    assert_eq!(
        told,
        [
            [5, 5, 3, 3, 2, 0],
            [5, 5, 3, 0, 2, 0],
            [5, 5, 4, 0, 0, 1],
            [5, 0, 0, 0, 0, 0],
        ]
    );
    for line in &lines {
        assert_eq!(line["level"], "INFO");
    }
    assert_eq!(lines[0]["functionArn"], arn(CRM, None));
    assert_eq!(lines[0]["eventId"], published["detail"]["eventID"]);
    // It comes after the line of every registration.
    let log = world.log_of(6);
    let request = &lines[0]["requestId"];
    let mut own = log.iter().filter(|line| line["requestId"] == *request);
    assert!(own.next_back().is_some_and(|line| line["inScope"] == 5));
}

#[test]
fn a_sweep_with_nothing_in_scope_is_a_warning_that_says_why() {
    for (settings, sweep, listed, why) in [
        (
            ("DRY_RUN", "false"),
            json!({ "functions": ["another"] }),
            1,
            "none of them has a function that the sweep names",
        ),
        (
            ("CONNECTOR_LABELS", "!plain"),
            json!({}),
            1,
            "CONNECTOR_LABELS leaves out all 1 connectors that AppFlow lists",
        ),
        (
            ("FUNCTION_NAME_PREFIX", "other-"),
            json!({}),
            1,
            "none of them has a function whose name begins with FUNCTION_NAME_PREFIX (`other-`)",
        ),
    ] {
        let world = World::with(&[settings]);
        world.function(CRM, 1);
        world.register("plain", &arn(CRM, None));
        let answer = world.answer(json!({ "sweep": sweep }));
        assert_eq!(answer["connectors"], json!([]));
        let lines = summaries(&world, 1);
        let [line] = lines.as_slice() else {
            panic!("one line, not {lines:?}");
        };
        assert_eq!(line["level"], "WARN");
        assert_eq!(counts(line), [listed, 0, 0, 0, 0, 0]);
        let reason = line["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn a_sweep_where_nothing_is_registered_is_a_warning_that_says_so() {
    let world = World::new();
    world.answer(r#"{"sweep": {}}"#);
    let lines = summaries(&world, 1);
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(counts(&lines[0]), [0; 6]);
    let reason = lines[0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("lists no custom connector"), "{reason}");
}
