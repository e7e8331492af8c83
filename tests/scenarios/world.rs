//! The world of a scenario: AWS on this machine, and the real binary running against it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::place::function_arn;
use aws_local::runtime_api::{Invocation, Outcome};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

/// The function that most scenarios are about.
pub const CRM: &str = "crm";

pub struct World {
    pub aws: AwsLocal,
    pub updater: Bootstrap,
}

impl World {
    /// The updater with no settings.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The updater with settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let aws = AwsLocal::start(0).expect("a free port");
        let updater = start(&aws, settings);
        Self::of(aws, updater)
    }

    /// This AWS and this updater. Events come two minutes late, as CloudTrail's may: then the code from before a
    /// change is no longer served, and nothing is waited for.
    pub fn of(aws: AwsLocal, updater: Bootstrap) -> Self {
        aws.state()
            .lambda
            .date_changes_back(Duration::from_secs(120));
        Self { aws, updater }
    }

    /// Makes a call of AppFlow or Lambda from outside, which must succeed.
    pub fn call(&self, operation: &str, input: Value) -> Value {
        self.aws
            .call(operation, input.clone())
            .unwrap_or_else(|error| panic!("{operation} {input}: {error:?}"))
    }

    /// A function with versions 1 to `versions`, which are connectors 1.1, 1.2 and so on.
    pub fn function(&self, name: &str, versions: u32) {
        self.call(
            "CreateFunction",
            json!({ "FunctionName": name, "Code": { "ZipFile": package("1.0") } }),
        );
        self.allow(name, None);
        for version in 1..=versions {
            self.publish(name, &format!("1.{version}"));
        }
        self.aws.take_events();
    }

    /// Deploys a connector version with UpdateFunctionCode and `publish`, and returns the event.
    pub fn publish(&self, name: &str, connector_version: &str) -> Value {
        self.call(
            "UpdateFunctionCode",
            json!({
                "FunctionName": name,
                "ZipFile": package(connector_version),
                "Publish": true,
            }),
        );
        self.event()
    }

    /// Deploys a connector version without publishing it, and returns the event.
    pub fn change_latest(&self, name: &str, connector_version: &str) -> Value {
        self.call(
            "UpdateFunctionCode",
            json!({ "FunctionName": name, "ZipFile": package(connector_version) }),
        );
        self.event()
    }

    /// Creates an alias that AppFlow may invoke, and returns the event.
    pub fn create_alias(&self, name: &str, alias: &str, version: u64) -> Value {
        self.call(
            "CreateAlias",
            json!({
                "FunctionName": name,
                "Name": alias,
                "FunctionVersion": version.to_string(),
            }),
        );
        self.allow(name, Some(alias));
        self.event()
    }

    /// Points an alias at a version, and returns the event.
    pub fn move_alias(&self, name: &str, alias: &str, version: u64) -> Value {
        self.call(
            "UpdateAlias",
            json!({
                "FunctionName": name,
                "Name": alias,
                "FunctionVersion": version.to_string(),
            }),
        );
        self.event()
    }

    /// Lets AppFlow invoke a function, version or alias.
    pub fn allow(&self, name: &str, qualifier: Option<&str>) {
        self.call(
            "AddPermission",
            json!({
                "FunctionName": name,
                "Qualifier": qualifier,
                "StatementId": "appflow",
                "Action": "lambda:InvokeFunction",
                "Principal": "appflow.amazonaws.com",
            }),
        );
    }

    /// Registers a connector.
    pub fn register(&self, label: &str, arn: &str) {
        self.register_described(label, arn, "A connector");
    }

    /// Registers a connector with a description.
    pub fn register_described(&self, label: &str, arn: &str, description: &str) {
        self.call(
            "RegisterConnector",
            json!({
                "connectorLabel": label,
                "connectorProvisioningType": "LAMBDA",
                "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn } },
                "description": description,
            }),
        );
    }

    /// Function `crm` at version 1, registered without a qualifier as `plain`.
    pub fn one_registration() -> Self {
        let world = Self::new();
        world.function(CRM, 1);
        world.register("plain", &arn(CRM, None));
        world
    }

    /// Function `crm` at version 6, registered as `plain`, `latest`, `pinned` (6), `live` (an alias), and
    /// `beta` (another alias).
    pub fn five_forms(&self) {
        self.function(CRM, 6);
        self.allow(CRM, Some("6"));
        self.create_alias(CRM, "live", 6);
        self.create_alias(CRM, "beta", 6);
        for (label, qualifier) in [
            ("plain", None),
            ("latest", Some("$LATEST")),
            ("pinned", Some("6")),
            ("live", Some("live")),
            ("beta", Some("beta")),
        ] {
            self.register(label, &arn(CRM, qualifier));
        }
        self.aws.take_events();
    }

    /// The event of the last deployment.
    pub fn event(&self) -> Value {
        self.aws.take_events().pop().expect("a deployment's event")
    }

    /// Invokes the updater with a payload.
    pub fn outcome(&self, payload: impl ToString) -> Outcome {
        self.aws.invoke(payload.to_string())
    }

    /// Invokes the updater with a payload and a timeout.
    pub fn outcome_within(&self, timeout: Duration, payload: impl ToString) -> Outcome {
        self.begin(timeout, payload).end()
    }

    /// Invokes the updater with a payload, and does not wait for the outcome.
    pub fn begin(&self, timeout: Duration, payload: impl ToString) -> UnderWay {
        let mut world = self.aws.state();
        let request_id = world.runtime.request_id();
        UnderWay(world.runtime.invoke(Invocation {
            payload: payload.to_string().into(),
            request_id,
            timeout,
        }))
    }

    /// One more updater, which receives invocations like the first one.
    pub fn another_updater(&self, settings: &[(&str, &str)]) -> Bootstrap {
        start(&self.aws, settings)
    }

    /// Waits until a condition holds, for 10 seconds at most.
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if is_so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!(
            "timed out while waiting until {what}; the log:\n{}",
            self.log()
        );
    }

    /// Invokes the updater with a payload, and returns its response. It must not fail.
    pub fn answer(&self, payload: impl ToString) -> Value {
        match self.outcome(payload) {
            Outcome::Answer(answer) => answer,
            other => panic!(
                "expected a response, got {other:?}; the log:\n{}",
                self.log()
            ),
        }
    }

    /// Invokes the updater with a payload, and returns the error's name and message. It must fail.
    pub fn error(&self, payload: impl ToString) -> (String, String) {
        error(self.outcome(payload))
    }

    /// The ARN's qualifier and the connector version that AppFlow has for a label.
    pub fn held(&self, label: &str) -> (String, String) {
        let world = self.aws.state();
        let registration = world
            .appflow
            .registration(label)
            .unwrap_or_else(|| panic!("{label} is not registered"));
        let qualifier = registration.lambda_arn.split(':').nth(7).unwrap_or("");
        let version = registration.configuration["connectorVersion"].as_str();
        (
            qualifier.to_owned(),
            version.expect("a connector version").to_owned(),
        )
    }

    /// How often each operation was called since calls were last taken.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.aws.take_calls() {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// The inputs of an operation's calls since calls were last taken.
    pub fn inputs(&self, operation: &str) -> Vec<Value> {
        self.aws
            .take_calls()
            .into_iter()
            .filter(|call| call.operation == operation)
            .map(|call| call.input)
            .collect()
    }

    /// The updater's log.
    pub fn log(&self) -> String {
        self.updater.lines().join("\n")
    }

    /// The updater's metric lines, once there are at least this many.
    pub fn metrics(&self, invocations: usize) -> Vec<Value> {
        for _ in 0..1000 {
            let lines: Vec<Value> = self
                .updater
                .lines()
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok())
                .filter(is_metric)
                .collect();
            if lines.len() >= invocations {
                return lines;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {invocations} metric lines in the log:\n{}", self.log());
    }

    /// The updater's log lines, once this many invocations are complete.
    pub fn log_of(&self, invocations: usize) -> Vec<Value> {
        // An invocation's line of metrics is its last one.
        self.metrics(invocations);
        self.log_lines()
    }

    /// The updater's log lines, once one of them contains this text.
    pub fn log_with(&self, text: &str) -> Vec<Value> {
        for _ in 0..1000 {
            let lines = self.updater.lines();
            if lines.iter().any(|line| line.contains(text)) {
                return self.log_lines();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("`{text}` is not in the log:\n{}", self.log());
    }

    fn log_lines(&self) -> Vec<Value> {
        self.updater
            .lines()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line)))
            .filter(|line| !is_metric(line))
            .collect()
    }
}

/// An invocation that may still be running.
pub struct UnderWay(Receiver<Outcome>);

impl UnderWay {
    /// Whether it is still running. This must be called at most once, because it drops the outcome.
    pub fn is_going_on(&self) -> bool {
        self.0.try_recv().is_err()
    }

    /// Waits for its outcome.
    pub fn end(self) -> Outcome {
        let longest = Duration::from_secs(90);
        self.0.recv_timeout(longest).unwrap_or(Outcome::TimedOut)
    }

    /// Waits for its response. It must not fail.
    pub fn answer(self) -> Value {
        match self.end() {
            Outcome::Answer(answer) => answer,
            other => panic!("expected a response, got {other:?}"),
        }
    }
}

fn start(aws: &AwsLocal, settings: &[(&str, &str)]) -> Bootstrap {
    Bootstrap::start(env!("CARGO_BIN_EXE_connector-updater"), aws, settings)
        .expect("the binary starts")
}

fn is_metric(line: &Value) -> bool {
    line.get("_aws").is_some()
}

/// The deployment package of a connector with this version.
pub fn package(connector_version: &str) -> String {
    package_of(&json!({
        "connectorName": "Acme CRM",
        "connectorOwner": "Acme",
        "connectorVersion": connector_version,
    }))
}

/// The deployment package of this connector.
pub fn package_of(connector: &Value) -> String {
    BASE64_STANDARD.encode(connector.to_string())
}

/// The ARN of a function of the account.
pub fn arn(name: &str, qualifier: Option<&str>) -> String {
    let arn = function_arn(name);
    qualifier.map_or(arn.clone(), |qualifier| format!("{arn}:{qualifier}"))
}

/// The name and the message of an error.
pub fn error(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::Error {
            error_type,
            message,
        } => (error_type, message),
        other => panic!("expected an error, got {other:?}"),
    }
}

/// The labels and outcomes in a response, in its order.
pub fn outcomes(answer: &Value) -> Vec<(String, String)> {
    let connectors = answer["connectors"].as_array();
    connectors
        .unwrap_or_else(|| panic!("no connectors in {answer}"))
        .iter()
        .map(|connector| {
            let text = |name: &str| connector[name].as_str().unwrap_or_default().to_owned();
            (text("connectorLabel"), text("outcome"))
        })
        .collect()
}

/// One connector of a response.
pub fn connector<'a>(answer: &'a Value, label: &str) -> &'a Value {
    answer["connectors"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|connector| connector["connectorLabel"] == label)
        .unwrap_or_else(|| panic!("{label} is not in {answer}"))
}

/// The sample events, by the names of their files.
pub fn sample_events() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    fs::read_dir(folder)
        .expect("events/")
        .map(|entry| entry.expect("a file of events/").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let text = fs::read_to_string(&path).expect("an event");
            let name = path.file_stem().expect("a name").to_string_lossy();
            let event =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name.into_owned(), event)
        })
        .collect()
}
