//! The sample events have the outcomes in `events/README.md`, in the world of `cargo local --event`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_local::demo;
use aws_local::runtime_api::Outcome;
use serde_json::Value;

use crate::world::{World, sample_events};

/// Where the form of a sample event can be from, as `events/README.md` explains.
const FORMS: [&str; 4] = [
    "recorded",
    "by the API reference",
    "unverified",
    "connector-updater's own",
];

#[test]
fn each_sample_event_leads_to_the_outcome_in_its_row_of_the_readme() {
    let outcomes: BTreeMap<String, String> = sample_events()
        .into_iter()
        .map(|(name, event)| {
            let world = World::with(&demo::SETTINGS);
            demo::world::past(&world.aws).expect("the demo's world");
            (format!("{name}.json"), outcome(world.outcome(event)))
        })
        .collect();
    let rows = rows();

    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|(file, outcome)| rows.get(*file) != Some(outcome))
        .map(|(file, outcome)| format!("| `{file}` | … | {outcome} | … |"))
        .collect();
    assert!(
        wrong.is_empty(),
        "the rows in events/README.md must be:\n{}",
        wrong.join("\n")
    );
    let files: Vec<_> = rows
        .keys()
        .filter(|file| !outcomes.contains_key(*file))
        .collect();
    assert!(
        files.is_empty(),
        "rows without a file in events/: {files:?}"
    );
}

/// The files in the table, with their outcomes.
fn rows() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/README.md");
    let mut rows = BTreeMap::new();
    for line in fs::read_to_string(file).expect("events/README.md").lines() {
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [file, shows, outcome, form] = cells[..] else {
            panic!("a row must have a file, what it shows, an outcome, and a form: {line}");
        };
        assert!(FORMS.contains(&form), "one of {FORMS:?}: {line}");
        assert!(!shows.trim().is_empty(), "what does it show? {line}");
        let file = file.trim_end_matches('`').to_owned();
        let earlier = rows.insert(file, outcome.to_owned());
        assert!(earlier.is_none(), "a second row for the same file: {line}");
    }
    rows
}

/// The outcome of an invocation, as the table has it.
fn outcome(outcome: Outcome) -> String {
    let response = match outcome {
        Outcome::Answer(response) => response,
        Outcome::Error { error_type, .. } => return error_type,
        other => panic!("neither a response nor an error: {other:?}"),
    };
    if let Some(reason) = response["ignored"].as_str() {
        return format!("ignored: {reason}");
    }
    let connectors = response["connectors"].as_array().expect("connectors");
    if connectors.is_empty() {
        return "no registration".to_owned();
    }
    let connectors: Vec<String> = connectors.iter().map(connector).collect();
    connectors.join(" · ")
}

fn connector(connector: &Value) -> String {
    let text = |name: &str| connector[name].as_str().unwrap_or_default();
    let version = |name: &str| text(name).rsplit(':').next().unwrap_or_default();
    let (label, outcome) = (text("connectorLabel"), text("outcome"));
    let (from, to) = (version("registeredArn"), version("targetArn"));
    if to.is_empty() || from == to {
        format!("`{label}` {outcome}")
    } else {
        format!("`{label}` {outcome} ({from} → {to})")
    }
}
