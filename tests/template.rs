//! The template, held against the code: what the rules let through is what the handler acts on, and
//! what the code is called there is what it is called here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use connector_updater::settings;
use connector_updater::trigger::{self, Trigger};
use quamina::Quamina;
use serde_json::Value;

/// A file of the project.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The template as JSON. CloudFormation's short forms (`!Ref X`) become what they wrap.
fn template() -> Value {
    fn plain(value: serde_yaml_ng::Value) -> Value {
        use serde_yaml_ng::Value as Yaml;
        match value {
            Yaml::Tagged(tagged) => plain(tagged.value),
            Yaml::Sequence(values) => values.into_iter().map(plain).collect(),
            Yaml::Mapping(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let name = name.as_str().expect("names are text").to_owned();
                    (name, plain(value))
                })
                .collect::<serde_json::Map<String, Value>>()
                .into(),
            other => serde_json::to_value(other).expect("a scalar"),
        }
    }
    plain(serde_yaml_ng::from_str(&file("template.yaml")).expect("template.yaml is YAML"))
}

/// The pattern of each EventBridge rule, by its name in the template.
fn rules() -> BTreeMap<String, String> {
    let template = template();
    let events = template["Resources"]["Updater"]["Properties"]["Events"]
        .as_object()
        .expect("the function's events")
        .clone();
    events
        .into_iter()
        .filter(|(_, event)| event["Type"] == "EventBridgeRule")
        .map(|(name, event)| (name, event["Properties"]["Pattern"].to_string()))
        .collect()
}

/// The rules that let an event through.
fn let_through(event: &Value) -> BTreeSet<String> {
    let mut matcher = Quamina::new();
    for (name, pattern) in rules() {
        matcher.add_pattern(name, &pattern).expect("a pattern");
    }
    matcher
        .matches_for_event(event.to_string().as_bytes())
        .expect("an event")
        .into_iter()
        .collect()
}

fn events() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    fs::read_dir(folder)
        .expect("events/")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("an event");
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect()
}

#[test]
fn each_sample_event_is_let_through_by_the_rules_that_its_name_promises() {
    let expected: BTreeMap<&str, &[&str]> = [
        ("alias-created", ["AliasMoved"].as_slice()),
        ("alias-moved", &["AliasMoved"]),
        ("alias-shifting-traffic", &["AliasMoved"]),
        ("denied-call", &[]),
        ("dry-run", &["CodePublished", "LatestChanged"]),
        ("failed-call", &[]),
        ("function-without-connector", &["VersionPublished"]),
        ("latest-code-changed", &["LatestChanged"]),
        ("latest-configuration-changed", &["LatestChanged"]),
        ("layer-published", &[]),
        ("schedule", &[]),
        ("sweep", &[]),
        ("sweep-dry-run", &[]),
        ("version-published-answer-cut", &["VersionPublished"]),
        (
            "version-published-by-create-function",
            &["CodePublished", "LatestChanged"],
        ),
        (
            "version-published-by-publish-version",
            &["VersionPublished"],
        ),
        (
            "version-published-by-update-function-code",
            &["CodePublished", "LatestChanged"],
        ),
        ("version-published-late", &["VersionPublished"]),
    ]
    .into();
    let events = events();
    assert_eq!(
        events.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "every file of events/ is in this table"
    );
    for (name, event) in events {
        let expected = expected[name.as_str()].iter().map(ToString::to_string);
        assert_eq!(let_through(&event), expected.collect(), "{name}");
    }
}

#[test]
fn what_the_rules_let_through_is_what_the_handler_acts_on() {
    for (name, event) in events() {
        let acts = match trigger::read(&event.to_string()) {
            Ok(Trigger::Deployment(_)) => true,
            Ok(Trigger::Ignored(ignored)) => {
                // The one thing that patterns cannot tell: `dryRun` may be false or absent.
                if ignored.reason == "the call was a dry run" {
                    continue;
                }
                false
            }
            // Comes from a schedule or by hand.
            Ok(Trigger::Sweep(_)) => false,
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(!let_through(&event).is_empty(), acts, "{name}");
    }
}

#[test]
fn every_call_that_the_handler_knows_has_a_rule() {
    let mut event = events()
        .remove("version-published-by-update-function-code")
        .expect("it");
    for name in [
        "PublishVersion20150331",
        "UpdateFunctionCode20150331v2",
        "CreateFunction20150331",
        "UpdateFunctionConfiguration20150331v2",
    ] {
        event["detail"]["eventName"] = name.into();
        assert!(!let_through(&event).is_empty(), "{name}");
        assert!(
            matches!(
                trigger::read(&event.to_string()),
                Ok(Trigger::Deployment(_))
            ),
            "{name}"
        );
        event["detail"]["errorCode"] = "ResourceConflictException".into();
        assert!(let_through(&event).is_empty(), "{name}, failed");
        event["detail"]
            .as_object_mut()
            .expect("a record")
            .remove("errorCode");
    }
}

#[test]
fn only_the_rule_for_latest_is_off_by_default() {
    let template = template();
    let events = &template["Resources"]["Updater"]["Properties"]["Events"];
    for (name, event) in events.as_object().expect("events") {
        let state = &event["Properties"]["State"];
        let switched = match name.as_str() {
            "LatestChanged" => Some("WatchesLatest"),
            "Sweep" => Some("Sweeps"),
            _ => None,
        };
        assert_eq!(state[0].as_str(), switched, "{name}");
    }
    assert_eq!(template["Parameters"]["WatchLatest"]["Default"], "false");
    assert_eq!(template["Parameters"]["SweepSchedule"]["Default"], "");
}

#[test]
fn the_environment_is_what_the_code_reads() {
    let template = template();
    let given: BTreeSet<&str> =
        template["Resources"]["Updater"]["Properties"]["Environment"]["Variables"]
            .as_object()
            .expect("variables")
            .keys()
            .map(String::as_str)
            .collect();
    // Lambda sets its own two from the function's LoggingConfig.
    let read: BTreeSet<&str> = settings::VARIABLES
        .into_iter()
        .filter(|name| !name.starts_with("AWS_LAMBDA_"))
        .collect();
    assert_eq!(given, read);
}

#[test]
fn the_binary_that_sam_builds_is_the_package_s() {
    let template = template();
    let updater = &template["Resources"]["Updater"];
    assert_eq!(updater["Metadata"]["BuildMethod"], "rust-cargolambda");
    assert_eq!(
        updater["Metadata"]["BuildProperties"]["Binary"],
        env!("CARGO_PKG_NAME")
    );
}
