//! The template, held against the code in every configuration that matters: what the rules let
//! through is what the handler acts on, what the role may do is what the code can call, and what
//! things are called there is what they are called here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use connector_updater::event::{self, Trigger};
use connector_updater::model::service_error::Operation;
use connector_updater::report::metrics;
use connector_updater::settings;
use quamina::Quamina;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

/// A file of the project.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The template as CloudFormation reads it, with its functions in their long form.
fn source() -> Value {
    read("template.yaml")
}

fn read(path: &str) -> Value {
    fn long(value: Yaml) -> Value {
        match value {
            Yaml::Tagged(tagged) => {
                let name = tagged.tag.to_string();
                let name = name.trim_start_matches('!');
                let value = long(tagged.value);
                match name {
                    "Ref" => json!({ "Ref": value }),
                    name => {
                        let mut call = Map::new();
                        call.insert(format!("Fn::{name}"), value);
                        Value::Object(call)
                    }
                }
            }
            Yaml::Sequence(values) => values.into_iter().map(long).collect(),
            Yaml::Mapping(members) => members
                .into_iter()
                .map(|(name, value)| (name.as_str().expect("a name").to_owned(), long(value)))
                .collect::<Map<_, _>>()
                .into(),
            other => serde_json::to_value(other).expect("a scalar"),
        }
    }
    long(serde_yaml_ng::from_str(&file(path)).expect("a template is YAML"))
}

/// The template with its functions worked out for some parameters.
struct Template {
    source: Value,
    parameters: BTreeMap<String, Value>,
}

/// What `AWS::NoValue` leaves: nothing.
const NO_VALUE: &str = "<AWS::NoValue>";

impl Template {
    fn with(chosen: &[(&str, Value)]) -> Self {
        Self::of("template.yaml", chosen)
    }

    fn of(path: &str, chosen: &[(&str, Value)]) -> Self {
        let source = read(path);
        let mut parameters: BTreeMap<String, Value> = source["Parameters"]
            .as_object()
            .expect("parameters")
            .iter()
            .map(|(name, parameter)| {
                let default = parameter["Default"].clone();
                let list = parameter["Type"] == "CommaDelimitedList";
                (name.clone(), if list { json!([default]) } else { default })
            })
            .collect();
        for (name, value) in chosen {
            let known = parameters.insert((*name).to_owned(), value.clone());
            assert!(known.is_some(), "{name} is no parameter");
        }
        for (name, value) in [
            ("AWS::Partition", "aws"),
            ("AWS::Region", "us-east-1"),
            ("AWS::AccountId", "123456789012"),
            ("AWS::URLSuffix", "amazonaws.com"),
            ("AWS::StackName", "connector-updater"),
            ("AWS::NoValue", NO_VALUE),
        ] {
            parameters.insert(name.to_owned(), value.into());
        }
        Self { source, parameters }
    }

    fn resource(&self, name: &str) -> Value {
        self.work_out(&self.source["Resources"][name])
    }

    fn condition(&self, name: &str) -> bool {
        let condition = &self.source["Conditions"][name];
        assert!(condition.is_object(), "{name} is no condition");
        self.work_out(condition) == json!(true)
    }

    fn text(&self, value: &Value) -> String {
        match self.work_out(value) {
            Value::String(text) => text,
            other => panic!("{value} is {other}, and should be text"),
        }
    }

    fn work_out(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values
                .iter()
                .map(|value| self.work_out(value))
                .filter(|value| value != NO_VALUE)
                .collect(),
            Value::Object(members) => match members.iter().next() {
                Some((function, argument))
                    if members.len() == 1
                        && (function == "Ref" || function.starts_with("Fn::")) =>
                {
                    self.call(function, argument)
                }
                _ => members
                    .iter()
                    .map(|(name, value)| (name.clone(), self.work_out(value)))
                    .filter(|(_, value)| value != NO_VALUE)
                    .collect::<Map<_, _>>()
                    .into(),
            },
            other => other.clone(),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Value {
        match function {
            "Ref" => {
                let name = argument.as_str().expect("a name");
                // A resource is as good as its name.
                self.parameters
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| json!(format!("<{name}>")))
            }
            "Fn::GetAtt" => json!(format!("<{}>", argument.as_str().expect("a name"))),
            "Fn::If" => {
                let branch = if self.condition(argument[0].as_str().expect("a condition")) {
                    1
                } else {
                    2
                };
                self.work_out(&argument[branch])
            }
            "Fn::Equals" => json!(self.work_out(&argument[0]) == self.work_out(&argument[1])),
            "Fn::Not" => json!(self.work_out(&argument[0]) == json!(false)),
            "Fn::Join" => {
                let list = self.work_out(&argument[1]);
                let parts: Vec<&str> = list
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|part| part.as_str().expect("text"))
                    .collect();
                json!(parts.join(argument[0].as_str().expect("a delimiter")))
            }
            "Fn::Select" => {
                let list = self.work_out(&argument[1]);
                let index = argument[0].as_u64().expect("an index") as usize;
                // CloudFormation fails the stack otherwise.
                assert!(
                    index < list.as_array().map_or(0, Vec::len),
                    "{index} of {list}"
                );
                list[index].clone()
            }
            "Fn::Split" => {
                let text = self.text(&argument[1]);
                assert!(!text.is_empty(), "what that gives is not documented");
                text.split(argument[0].as_str().expect("a delimiter"))
                    .collect()
            }
            "Fn::Sub" => {
                let mut text = argument.as_str().expect("a pattern").to_owned();
                while let Some((before, rest)) = text.clone().split_once("${") {
                    let (name, after) = rest.split_once('}').expect("a closing brace");
                    let value = self.text(&json!({ "Ref": name }));
                    text = format!("{before}{value}{after}");
                }
                json!(text)
            }
            other => panic!("{other} is not worked out here"),
        }
    }

    /// The pattern of each EventBridge rule that is on, by its name in the template.
    fn rules(&self) -> BTreeMap<String, Value> {
        let updater = self.resource("Updater");
        let events = updater["Properties"]["Events"]
            .as_object()
            .expect("events")
            .clone();
        events
            .into_iter()
            .filter(|(_, event)| event["Type"] == "EventBridgeRule")
            .filter(|(_, event)| event["Properties"]["State"] != "DISABLED")
            .map(|(name, event)| (name, event["Properties"]["Pattern"].clone()))
            .collect()
    }

    /// The rules that let an event through.
    fn let_through(&self, event: &Value) -> BTreeSet<String> {
        self.rules()
            .into_iter()
            .filter(|(_, pattern)| matches(pattern, event))
            .map(|(name, _)| name)
            .collect()
    }

    /// What the role allows: each action with the resources and conditions that it is allowed for.
    fn allowed(&self) -> BTreeMap<String, Vec<(Value, Value)>> {
        let role = self.resource("UpdaterRole");
        let properties = role["Properties"].as_object().expect("properties");
        assert_eq!(
            properties.keys().collect::<Vec<_>>(),
            ["AssumeRolePolicyDocument", "Policies"],
            "no managed policy"
        );
        let mut allowed = BTreeMap::<String, Vec<_>>::new();
        for policy in properties["Policies"].as_array().expect("policies") {
            for statement in policy["PolicyDocument"]["Statement"]
                .as_array()
                .expect("statements")
            {
                assert_eq!(statement["Effect"], "Allow");
                for action in list(&statement["Action"]) {
                    for resource in list(&statement["Resource"]) {
                        let action = action.as_str().expect("an action").to_owned();
                        let rule = (resource, statement["Condition"].clone());
                        allowed.entry(action).or_default().push(rule);
                    }
                }
            }
        }
        allowed
    }
}

/// Whether a pattern matches an event, as EventBridge decides it.
fn matches(pattern: &Value, event: &Value) -> bool {
    // Quamina cannot do `anything-but` with `suffix`; beside that, the pattern has only a source.
    if let Some(suffix) = pattern["detail-type"][0]["anything-but"]["suffix"].as_str() {
        assert_eq!(pattern.as_object().map(Map::len), Some(2), "{pattern}");
        let detail_type = event["detail-type"].as_str();
        return list(&pattern["source"]).contains(&event["source"])
            && detail_type.is_some_and(|detail_type| !detail_type.ends_with(suffix));
    }
    let mut matcher = Quamina::new();
    matcher
        .add_pattern((), &pattern.to_string())
        .expect("a pattern");
    let matched = matcher.matches_for_event(event.to_string().as_bytes());
    !matched.expect("an event").is_empty()
}

/// One value or a list of them, as policies have it.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        other => vec![other.clone()],
    }
}

fn defaults() -> Template {
    Template::with(&[])
}

fn with_every_rule() -> Template {
    Template::with(&[
        ("WatchLatest", json!("true")),
        ("StateEvents", json!("true")),
    ])
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
        ("function-state-active", &["FunctionState"]),
        ("function-state-pending", &["FunctionState"]),
        ("function-without-connector", &["VersionPublished"]),
        ("latest-code-changed", &["LatestChanged"]),
        ("latest-configuration-changed", &["LatestChanged"]),
        ("latest-published", &["CodePublished", "LatestChanged"]),
        ("layer-published", &[]),
        ("schedule", &[]),
        ("sweep", &[]),
        ("sweep-dry-run", &[]),
        ("sweep-function", &[]),
        ("sweep-move", &[]),
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
        let all: BTreeSet<String> = expected[name.as_str()]
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(with_every_rule().let_through(&event), all, "{name}");
        // By default, changes of $LATEST and state events wake nobody.
        let mut default = all;
        default.remove("LatestChanged");
        default.remove("FunctionState");
        assert_eq!(defaults().let_through(&event), default, "{name}");
    }
}

#[test]
fn what_the_rules_let_through_is_what_the_handler_acts_on() {
    let template = with_every_rule();
    let mut sweeps: BTreeSet<&str> = [
        "schedule",
        "sweep",
        "sweep-dry-run",
        "sweep-function",
        "sweep-move",
    ]
    .into();
    for (name, event) in events() {
        let acts = match event::read(&event.to_string()) {
            Ok(Trigger::Deployment(_)) => true,
            // What patterns cannot tell: `dryRun` may be false or absent, and which member of a
            // state event has the state is unverified.
            Ok(Trigger::Ignored(_))
                if ["dry-run", "function-state-pending"].contains(&name.as_str()) =>
            {
                continue;
            }
            Ok(Trigger::Ignored(_)) => false,
            // Comes from a schedule or by hand.
            Ok(Trigger::Sweep(_)) => {
                assert!(sweeps.remove(name.as_str()), "{name}");
                false
            }
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(!template.let_through(&event).is_empty(), acts, "{name}");
    }
    assert_eq!(sweeps, [].into(), "all of them are sweeps");
}

#[test]
fn a_state_event_is_let_through_whatever_its_type() {
    let template = with_every_rule();
    let mut event = events().remove("function-state-active").expect("it");
    for (source, detail_type, rules) in [
        (
            "aws.lambda",
            "A Type That Nobody Has Seen",
            ["FunctionState"].as_slice(),
        ),
        ("aws.lambda", "AWS API Call via CloudTrail", &[]),
        ("aws.lambda", "AWS Service Event via CloudTrail", &[]),
        ("aws.events", "Scheduled Event", &[]),
    ] {
        event["source"] = source.into();
        event["detail-type"] = detail_type.into();
        let rules = rules.iter().map(ToString::to_string).collect();
        assert_eq!(template.let_through(&event), rules, "{detail_type}");
    }
}

#[test]
fn a_state_event_is_acted_on_once_the_function_is_active() {
    let events = events();
    for (name, acts) in [
        ("function-state-active", true),
        ("function-state-pending", false),
    ] {
        match event::read(&events[name].to_string()) {
            Ok(Trigger::Deployment(_)) => assert!(acts, "{name}"),
            Ok(Trigger::Ignored(ignored)) => assert!(!acts, "{name}: {}", ignored.reason),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_call_that_deploys_has_a_rule_and_a_failed_one_has_none() {
    let template = with_every_rule();
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
        assert!(!template.let_through(&event).is_empty(), "{name}");
        let read = event::read(&event.to_string());
        assert!(matches!(read, Ok(Trigger::Deployment(_))), "{name}");
        event["detail"]["errorCode"] = "ResourceConflictException".into();
        assert!(template.let_through(&event).is_empty(), "{name}, failed");
        event["detail"]
            .as_object_mut()
            .expect("a record")
            .remove("errorCode");
    }
}

#[test]
fn a_prefix_narrows_every_rule_for_calls_whatever_form_the_name_has() {
    let template = Template::with(&[
        ("FunctionNamePrefix", json!("acme-")),
        ("WatchLatest", json!("true")),
    ]);
    let forms = |name: &str| {
        [
            name.to_owned(),
            format!("{name}:live"),
            format!("function:{name}"),
            format!("123456789012:function:{name}"),
            format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
            format!("arn:aws:lambda:us-east-1:123456789012:function:{name}:7"),
        ]
    };
    for (name, mut event) in events() {
        let rules = with_every_rule().let_through(&event);
        // The function itself checks the name in a state event.
        let is_call = event["detail-type"] == "AWS API Call via CloudTrail";
        if rules.is_empty() || !is_call || name == "function-without-connector" {
            continue;
        }
        for function in forms("acme-crm-connector") {
            event["detail"]["requestParameters"]["functionName"] = function.as_str().into();
            assert_eq!(template.let_through(&event), rules, "{name}, {function}");
        }
        for function in forms("thumbnailer").iter().chain(&forms("not-acme-crm")) {
            event["detail"]["requestParameters"]["functionName"] = function.as_str().into();
            assert!(
                template.let_through(&event).is_empty(),
                "{name}, {function}"
            );
        }
    }
}

#[test]
fn what_another_account_forwards_is_what_the_rules_know() {
    let rules = |state_events: &str| {
        let forwarding = Template::of("forwarding.yaml", &[("StateEvents", json!(state_events))]);
        ["Forward", "ForwardStateEvents"]
            .map(|name| forwarding.resource(name)["Properties"].clone())
    };
    let [calls, states] = rules("true");
    for (name, event) in events() {
        let known = with_every_rule().let_through(&event);
        let is_state = known.contains("FunctionState");
        for (rule, expected) in [
            (&calls, !known.is_empty() && !is_state),
            (&states, is_state),
        ] {
            let forwarded = matches(&rule["EventPattern"], &event);
            assert_eq!(forwarded, expected, "{name}");
        }
    }
    assert_eq!(states["Targets"], calls["Targets"]);
    assert_eq!(states["State"], "ENABLED");
    assert_eq!(rules("false")[1]["State"], "DISABLED");
    let by_default = &read("forwarding.yaml")["Parameters"]["StateEvents"]["Default"];
    assert_eq!(*by_default, "false");

    let template = Template::with(&[("ForwardingAccounts", json!(["111122223333"]))]);
    assert!(template.condition("TakesForwarded") && !defaults().condition("TakesForwarded"));
    let policy = template.resource("ForwardingPolicy");
    let statement = &policy["Properties"]["Statement"];
    assert_eq!(statement["Principal"], json!({ "AWS": ["111122223333"] }));
    assert_eq!(statement["Action"], "events:PutEvents");
    assert_eq!(
        statement["Resource"],
        "arn:aws:events:us-east-1:123456789012:event-bus/default"
    );
}

#[test]
fn the_rules_listen_on_the_bus_that_is_asked_for() {
    let template = Template::with(&[("EventBusName", json!("connectors"))]);
    let updater = template.resource("Updater");
    for (name, event) in updater["Properties"]["Events"].as_object().expect("events") {
        let bus = &event["Properties"]["EventBusName"];
        // Schedules are the default bus's own.
        let expected = if name == "Sweep" {
            Value::Null
        } else {
            json!("connectors")
        };
        assert_eq!(*bus, expected, "{name}");
    }
}

#[test]
fn the_role_allows_exactly_what_the_code_can_call() {
    // What is allowed though the code never calls it, each with its reason in the template.
    let not_called = [
        "lambda:InvokeFunction",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
    ];
    for (labels, lists) in [
        (json!([""]), true),
        (json!(["acme-crm"]), false),
        (json!(["acme-crm", "acme!erp"]), false),
        (json!(["!acme-crm"]), true),
        (json!(["!acme-crm", "!acme!erp"]), true),
    ] {
        for grant in [false, true] {
            let template = Template::with(&[
                ("ConnectorLabels", labels.clone()),
                ("GrantInvoke", json!(grant.to_string())),
            ]);
            let expected: BTreeSet<&str> = Operation::ALL
                .into_iter()
                // With labels to include nothing is listed, and without GrantInvoke nothing is
                // granted.
                .filter(|operation| *operation != Operation::ListConnectors || lists)
                .filter(|operation| *operation != Operation::AddPermission || grant)
                .map(Operation::action)
                .chain(not_called)
                .collect();
            let allowed = template.allowed();
            let actions: BTreeSet<&str> = allowed.keys().map(String::as_str).collect();
            assert_eq!(actions, expected, "labels: {labels}, grant: {grant}");
        }
    }
}

#[test]
fn each_permission_is_for_the_narrowest_resource() {
    let connectors = "arn:aws:appflow:us-east-1:123456789012:connector/*";
    let functions = "arn:aws:lambda:us-east-1:123456789012:function:*";
    let for_appflow = json!({ "StringEquals": { "lambda:Principal": "appflow.amazonaws.com" } });
    let granting = Template::with(&[("GrantInvoke", json!("true"))]).allowed();
    let all_but_one = Template::with(&[
        ("ConnectorLabels", json!(["!acme-crm"])),
        ("GrantInvoke", json!("true")),
    ]);
    assert_eq!(all_but_one.allowed(), granting, "as without labels");
    for (action, resource, condition) in [
        ("appflow:ListConnectors", connectors, Value::Null),
        ("appflow:DescribeConnector", connectors, Value::Null),
        (
            "appflow:UpdateConnectorRegistration",
            connectors,
            Value::Null,
        ),
        ("lambda:GetFunctionConfiguration", functions, Value::Null),
        ("lambda:ListVersionsByFunction", functions, Value::Null),
        ("lambda:InvokeFunction", functions, Value::Null),
        ("lambda:AddPermission", functions, for_appflow),
        ("sqs:SendMessage", "<FailedInvocations.Arn>", Value::Null),
        ("logs:CreateLogStream", "<UpdaterLogs.Arn>", Value::Null),
        ("logs:PutLogEvents", "<UpdaterLogs.Arn>", Value::Null),
    ] {
        assert_eq!(granting[action], [(json!(resource), condition)], "{action}");
    }

    let named = Template::with(&[
        ("ConnectorLabels", json!(["acme-crm", "acme-erp"])),
        ("FunctionNamePrefix", json!("acme-")),
        ("GrantInvoke", json!("true")),
    ])
    .allowed();
    let in_region = json!({ "StringEquals": { "aws:RequestedRegion": "us-east-1" } });
    for action in [
        "appflow:DescribeConnector",
        "appflow:UpdateConnectorRegistration",
    ] {
        let expected = ["acme-crm", "acme-erp"].map(|label| {
            let resource = format!("arn:*:appflow:*:*:connector/{label}");
            (json!(resource), in_region.clone())
        });
        assert_eq!(named[action], expected, "{action}");
    }
    for (action, rules) in named
        .iter()
        .filter(|(action, _)| action.starts_with("lambda:"))
    {
        let narrowed = "arn:aws:lambda:us-east-1:123456789012:function:acme-*";
        assert!(
            rules.iter().all(|(resource, _)| resource == narrowed),
            "{action}"
        );
    }
}

#[test]
fn both_failure_paths_end_in_a_queue_that_nobody_else_fills() {
    let template = defaults();
    let updater = template.resource("Updater");
    for (name, event) in updater["Properties"]["Events"].as_object().expect("events") {
        let queue = &event["Properties"]["DeadLetterConfig"]["Arn"];
        assert_eq!(queue, "<UndeliveredEvents.Arn>", "{name}");
    }
    let failure = &updater["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
    assert_eq!(failure["Destination"], "<FailedInvocations.Arn>");
    for name in ["UndeliveredEvents", "FailedInvocations"] {
        let queue = template.resource(name);
        assert_eq!(
            queue["Properties"]["MessageRetentionPeriod"],
            14 * 24 * 60 * 60
        );
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true);
        let policy = template.resource(&format!("{name}Policy"));
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].clone();
        let denied: Vec<Value> = list(&statements)
            .into_iter()
            .filter(|statement| statement["Effect"] == "Deny" && statement["Principal"] == "*")
            .map(|statement| statement["Action"].clone())
            .collect();
        assert_eq!(denied, ["sqs:SendMessage", "sqs:*"], "{name}");
    }
}

#[test]
fn every_failure_raises_an_alarm_that_goes_where_it_is_asked_to() {
    let alarms = [
        (
            "FailedInvocationsAlarm",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
        ),
        (
            "UndeliveredEventsAlarm",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
        ),
        ("ErrorsAlarm", "AWS/Lambda", "Errors"),
        ("ThrottlesAlarm", "AWS/Lambda", "Throttles"),
        ("DroppedEventsAlarm", "AWS/Lambda", "AsyncEventsDropped"),
    ];
    let topic = "arn:aws:sns:us-east-1:123456789012:operators";
    for (email, arn, expected) in [
        ("", "", json!([])),
        ("me@example.com", "", json!(["<AlarmTopic>"])),
        ("", topic, json!([topic])),
        ("me@example.com", topic, json!(["<AlarmTopic>", topic])),
    ] {
        let template =
            Template::with(&[("AlarmEmail", json!(email)), ("AlarmTopicArn", json!(arn))]);
        for (name, namespace, metric) in alarms {
            let alarm = template.resource(name);
            let properties = &alarm["Properties"];
            assert_eq!(properties["Namespace"], namespace, "{name}");
            assert_eq!(properties["MetricName"], metric, "{name}");
            assert_eq!(properties["AlarmActions"], expected, "{name}");
            let told = properties["AlarmDescription"]
                .as_str()
                .expect("a description");
            assert!(told.contains("When something"), "{name} says what to do");
        }
    }
    let readme = file("README.md");
    assert!(readme.contains("## When something failed"));
    for (name, ..) in alarms {
        assert!(
            readme.contains(&format!("`{name}`")),
            "the README tells of {name}"
        );
    }
}

#[test]
fn the_dashboard_shows_the_metrics_that_the_code_writes() {
    let template = Template::with(&[("Dashboard", json!("true"))]);
    assert!(template.condition("HasDashboard") && !defaults().condition("HasDashboard"));
    let dashboard = template.resource("UpdaterDashboard");
    let body = dashboard["Properties"]["DashboardBody"]
        .as_str()
        .expect("a body");
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    assert_eq!(body["widgets"].as_array().map(Vec::len), Some(5));
    let text = body.to_string();
    assert!(text.contains(&format!("[\"{}\",", metrics::NAMESPACE)));
    assert!(text.contains(&format!("\"{}\"", metrics::DIMENSION)));
    let line = metrics::Metrics::of(
        &[],
        metrics::About::Sweep,
        std::time::SystemTime::UNIX_EPOCH,
    )
    .line("updater", settings::LogLevel::Info);
    let line: Value = serde_json::from_str(&line).expect("a metric line");
    let counted = line.as_object().expect("members").keys();
    let counted = counted.filter(|name| name.starts_with("Registrations"));
    let in_sweeps = [
        "StaleRegistrations",
        "RegistrationsBehind",
        "OrphanedRegistrations",
    ];
    for name in counted.map(String::as_str).chain(in_sweeps) {
        assert!(text.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn the_environment_is_what_the_code_and_the_sdk_read() {
    let given = |template: &Template| -> BTreeMap<String, Value> {
        let updater = template.resource("Updater");
        let variables = updater["Properties"]["Environment"]["Variables"].as_object();
        variables.expect("variables").clone().into_iter().collect()
    };
    let read: BTreeSet<String> = settings::VARIABLES
        .into_iter()
        // Lambda sets its own two from the function's LoggingConfig.
        .filter(|name| !name.starts_with("AWS_LAMBDA_"))
        .chain(["AWS_ENDPOINT_URL_APPFLOW", "AWS_ENDPOINT_URL_LAMBDA"])
        .map(str::to_owned)
        .collect();
    let default = given(&defaults());
    for (service, variable) in [
        ("appflow", "AWS_ENDPOINT_URL_APPFLOW"),
        ("lambda", "AWS_ENDPOINT_URL_LAMBDA"),
    ] {
        assert!(settings::ENDPOINTS.contains(&variable));
        assert_eq!(
            default[variable],
            format!("https://{service}.us-east-1.amazonaws.com")
        );
    }
    assert_eq!(default.into_keys().collect::<BTreeSet<_>>(), read);

    let template = Template::with(&[
        ("ConnectorLabels", json!(["acme-crm", "acme-erp"])),
        ("FunctionNamePrefix", json!("acme-")),
        ("AppFlowEndpoint", json!("https://appflow.example")),
        ("LambdaEndpoint", json!("https://lambda.example")),
    ]);
    let variables = given(&template);
    assert_eq!(variables["CONNECTOR_LABELS"], "acme-crm,acme-erp");
    assert_eq!(variables["FUNCTION_NAME_PREFIX"], "acme-");
    assert_eq!(
        variables["AWS_ENDPOINT_URL_APPFLOW"],
        "https://appflow.example"
    );
    assert_eq!(
        variables["AWS_ENDPOINT_URL_LAMBDA"],
        "https://lambda.example"
    );
    assert_eq!(variables.into_keys().collect::<BTreeSet<_>>(), read);
}

#[test]
fn no_execution_is_reserved_unless_it_is_asked_for() {
    let reserved = |template: &Template| {
        template.resource("Updater")["Properties"]["ReservedConcurrentExecutions"].clone()
    };
    assert_eq!(reserved(&defaults()), Value::Null);
    for number in ["1", "25"] {
        let template = Template::with(&[("ReservedConcurrency", json!(number))]);
        assert_eq!(reserved(&template), number);
    }
}

#[test]
fn only_latest_the_state_events_and_the_sweep_are_off_by_default() {
    let states = |template: &Template| -> BTreeSet<String> {
        let updater = template.resource("Updater");
        let events = updater["Properties"]["Events"].as_object().expect("events");
        events
            .iter()
            .filter(|(_, event)| event["Properties"]["State"] == "DISABLED")
            .map(|(name, _)| name.clone())
            .collect()
    };
    let off = ["FunctionState", "LatestChanged", "Sweep"].map(str::to_owned);
    assert_eq!(states(&defaults()), off.into());
    let all_on = Template::with(&[
        ("WatchLatest", json!("true")),
        ("StateEvents", json!("true")),
        ("SweepSchedule", json!("rate(1 day)")),
    ]);
    assert_eq!(states(&all_on), [].into());
    let sweep = &all_on.resource("Updater")["Properties"]["Events"]["Sweep"];
    assert_eq!(sweep["Properties"]["Schedule"], "rate(1 day)");
}

#[test]
fn names_and_versions_are_the_package_s() {
    let template = source();
    let updater = &template["Resources"]["Updater"];
    assert_eq!(updater["Metadata"]["BuildMethod"], "rust-cargolambda");
    assert_eq!(
        updater["Metadata"]["BuildProperties"]["Binary"],
        env!("CARGO_PKG_NAME")
    );
    let application = &template["Metadata"]["AWS::ServerlessRepo::Application"];
    assert_eq!(application["Name"], env!("CARGO_PKG_NAME"));
    assert_eq!(application["SemanticVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(application["SpdxLicenseId"], env!("CARGO_PKG_LICENSE"));
}

#[test]
fn every_parameter_is_described_grouped_and_in_the_readme() {
    let template = source();
    let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let grouped: BTreeSet<&str> = groups
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["Parameters"].as_array().expect("parameters"))
        .map(|name| name.as_str().expect("a name"))
        .collect();
    let parameters = template["Parameters"].as_object().expect("parameters");
    assert_eq!(grouped, parameters.keys().map(String::as_str).collect());
    let readme = file("README.md");
    for (name, parameter) in parameters {
        assert!(parameter["Description"].is_string(), "{name}");
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "the README tells of {name}"
        );
    }
}
