//! Compares `contract.json` with the code. It is what the template has to know of the code, and the
//! template's tests, in `tests/template`, read it, so that they need no Rust and this needs no Python.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use connector_updater::event;
use connector_updater::event::trigger::Trigger;
use connector_updater::model::description::Template;
use connector_updater::model::service_error::Operation;
use connector_updater::report::counts::Counts;
use connector_updater::report::metrics::{self, Invoked};
use connector_updater::settings::{self, LogLevel};
use serde_json::{Value, json};

fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What the handler reads each file of `events/` as.
fn samples() -> BTreeMap<String, &'static str> {
    fs::read_dir(project("events"))
        .expect("events/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let payload = fs::read_to_string(&path).expect("an event");
            let taken_for = match event::read(&payload).map(|event| event.trigger) {
                Ok(Trigger::Deployment { .. }) => "deployment",
                Ok(Trigger::Sweep(_)) => "sweep",
                Ok(Trigger::Ignored(_)) => "ignored",
                Err(error) => panic!("{name}: {error}"),
            };
            (name.into_owned(), taken_for)
        })
        .collect()
}

/// The metrics that an invocation can write.
fn metrics() -> Vec<String> {
    let sweep = Invoked::BySweep { finds_stale: true };
    let line = metrics::line(
        &Counts::default(),
        sweep,
        SystemTime::UNIX_EPOCH,
        "updater",
        LogLevel::Info,
    );
    let line: Value = serde_json::from_str(&line).expect("a metric line");
    line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        .as_array()
        .expect("metrics")
        .iter()
        .map(|metric| metric["Name"].as_str().expect("a name").to_owned())
        .chain([metrics::DEPLOYMENT_TO_UPDATE.to_owned()])
        .collect()
}

/// Whether `UPDATE_DESCRIPTION` may be each of these.
fn descriptions() -> BTreeMap<&'static str, bool> {
    [
        "",
        " ",
        "plain, with (marks): \"all\" é",
        "two\nlines {date}",
        "{function} at {version}, {date}",
        "{function}{version}{date}{date}",
        "{Function}",
        "{ function }",
        "{function",
        "function}",
        "{",
        "}",
        "{}",
        "}{",
        "{{function}}",
        "{function}}",
        "{a{version}}",
        "{version} {when}",
        "{when} {version}",
        "$version [date] <function>",
    ]
    .map(|text| (text, text.parse::<Template>().is_ok()))
    .into()
}

#[test]
fn the_contract_says_what_the_code_does() {
    let code = json!({
        "actions": Operation::ALL.map(Operation::action),
        "descriptions": descriptions(),
        "endpoints": settings::ENDPOINTS,
        "calls": event::call_names().collect::<Vec<_>>(),
        "metrics": {
            "dimension": metrics::DIMENSION,
            "names": metrics(),
            "namespace": metrics::NAMESPACE,
        },
        "samples": samples(),
        "variables": settings::VARIABLES,
    });
    let text = fs::read_to_string(project("tests/contract.json")).expect("tests/contract.json");
    let contract: Value = serde_json::from_str(&text).expect("JSON");
    assert!(
        contract == code,
        "tests/contract.json must be:\n{code:#}\nand is:\n{contract:#}"
    );
}
