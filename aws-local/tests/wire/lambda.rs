//! The local Lambda: deployments, and when they become ready.

use std::time::{Duration, SystemTime};

use aws_local::Aws;
use aws_local::answer::ApiError;
use aws_local::lambda::{LastUpdate, Provisioning, Reference, Settling, State};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::world::{ARN, allow, deploy, held, in_memory, package, register, update, with_function};

#[test]
fn every_deployment_has_a_later_last_modified_than_all_before() {
    let aws = with_function();
    let look = |input: Value| {
        let configuration = aws.call("GetFunctionConfiguration", input).expect("a look");
        let time = configuration["LastModified"].as_str().expect("a time");
        time.to_owned()
    };
    let latest = || look(json!({ "FunctionName": "crm" }));
    let mut times = vec![latest()];
    for number in 0..50 {
        deploy(&aws, &format!("2.{number}"), false);
        times.push(latest());
        let described = json!({ "FunctionName": "crm", "Description": number.to_string() });
        aws.call("UpdateFunctionConfiguration", described)
            .expect("an update");
        times.push(latest());
        let published = aws
            .call("PublishVersion", json!({ "FunctionName": "crm" }))
            .expect("a version");
        let version = json!({ "FunctionName": "crm", "Qualifier": published["Version"] });
        times.push(look(version));
    }
    aws.call("DeleteFunction", json!({ "FunctionName": "crm" }))
        .expect("deleted");
    let code = json!({ "FunctionName": "crm", "Code": { "ZipFile": package("1.0") } });
    aws.call("CreateFunction", code).expect("recreated");
    times.push(latest());
    // All have the same format, so they sort as text.
    assert!(
        times.is_sorted_by(|earlier, later| earlier < later),
        "{times:?}"
    );
    let [date, rest] = times[0].split('T').collect::<Vec<_>>()[..] else {
        panic!("{}", times[0]);
    };
    assert_eq!(
        (date.len(), rest.len()),
        ("2026-01-31".len(), "12:00:00.123+0000".len())
    );
    assert!(
        rest.ends_with("+0000") && rest.as_bytes()[8] == b'.',
        "{rest}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_becomes_ready_by_tokio_s_clock() {
    let aws = with_function();
    let hour = Duration::from_secs(60 * 60);
    aws.state().lambda.settle(Settling::After(hour));
    deploy(&aws, "2.0", false);
    let status = || {
        let look = json!({ "FunctionName": "crm" });
        aws.call("GetFunctionConfiguration", look).expect("a look")["LastUpdateStatus"].clone()
    };
    tokio::time::sleep(hour - Duration::from_millis(1)).await;
    assert_eq!(status(), "InProgress");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(status(), "Successful");
}

#[test]
fn an_inactive_function_is_woken_by_the_invocation_that_fails() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let reference = Reference::parse("crm").expect("a name");
    aws.state()
        .lambda
        .put_into(&reference, State::Inactive, LastUpdate::Successful)
        .expect("a function");
    assert_eq!(
        update(&aws, "acme", ARN).expect_err("woken").code,
        "ConnectorServerException"
    );
    let look = json!({ "FunctionName": "crm" });
    assert_eq!(
        aws.call("GetFunctionConfiguration", look).expect("a look")["State"],
        "Pending"
    );
    update(&aws, "acme", ARN).expect("awake");
}

#[test]
fn a_function_that_is_not_active_shows_why_and_cannot_be_invoked() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    let reference = Reference::parse("crm").expect("a name");
    let reason = || "No instances.".to_owned();
    for (state, name, shown) in [
        (
            State::Pending,
            "Pending",
            json!("The function is being created."),
        ),
        (State::Failed(reason()), "Failed", json!(reason())),
        (
            State::Deactivating(reason()),
            "Deactivating",
            json!(reason()),
        ),
        (State::Deactivated(reason()), "Deactivated", json!(reason())),
        (State::Deleting(reason()), "Deleting", json!(reason())),
        (State::ActiveNonInvocable, "ActiveNonInvocable", json!(null)),
        (State::Other("Dreaming".to_owned()), "Dreaming", json!(null)),
    ] {
        aws.state()
            .lambda
            .put_into(&reference, state, LastUpdate::Successful)
            .expect("a function");
        let refused = update(&aws, "acme", ARN).expect_err(name);
        assert_eq!(refused.code, "ConnectorServerException", "{name}");
        assert!(refused.message.contains(name), "{}", refused.message);
        let look = json!({ "FunctionName": "crm" });
        let configuration = aws.call("GetFunctionConfiguration", look).expect(name);
        assert_eq!(configuration["State"], name);
        assert_eq!(configuration["StateReason"], shown, "{name}");
    }
}

#[test]
fn after_a_failed_update_the_old_code_still_runs() {
    let aws = with_function();
    register(&aws, "acme", ARN).expect("registered");
    deploy(&aws, "2.0", false);
    let reference = Reference::parse("crm").expect("a name");
    let failed = LastUpdate::Failed("The subnet has no free address.".to_owned());
    aws.state()
        .lambda
        .put_into(&reference, State::Active, failed)
        .expect("a function");
    update(&aws, "acme", ARN).expect("no error");
    assert_eq!(
        aws.versions(),
        [("acme".to_owned(), json!("1.0"), json!("1.0"))]
    );
}

/// What an invocation of `crm` with this qualifier runs: the connector version.
fn runs(aws: &Aws, qualifier: &str) -> Value {
    update(aws, "acme", &format!("{ARN}{qualifier}")).expect("an update");
    held(aws, "acme")
}

/// Function `crm` with versions 1 and 2, the alias `live` of version 1, and a registration.
fn with_alias() -> Aws {
    let aws = in_memory();
    register(&aws, "acme", ARN).expect("registered");
    deploy(&aws, "1.1", true);
    deploy(&aws, "1.2", true);
    let alias = json!({ "FunctionName": "crm", "Name": "live", "FunctionVersion": "1" });
    aws.call("CreateAlias", alias).expect("an alias");
    allow(&aws, Some("live")).expect("a permission");
    aws.take_events();
    aws
}

fn move_alias(aws: &Aws, changes: Value) -> Result<Value, ApiError> {
    let mut input = json!({ "FunctionName": "crm", "Name": "live" });
    for (name, value) in changes.as_object().expect("members") {
        input[name] = value.clone();
    }
    aws.call("UpdateAlias", input)
}

fn get_alias(aws: &Aws) -> Value {
    let alias = json!({ "FunctionName": "crm", "Name": "live" });
    aws.call("GetAlias", alias).expect("an alias")
}

fn weights(weights: Value) -> Value {
    json!({ "RoutingConfig": { "AdditionalVersionWeights": weights } })
}

#[test]
fn an_alias_runs_the_versions_that_its_weights_say() {
    let aws = with_alias();
    for (given, first, second) in [
        (json!({ "2": 0.1 }), "1.2", "1.1"),
        (json!({ "2": 1.0 }), "1.2", "1.2"),
        (json!({ "2": 0.0 }), "1.1", "1.1"),
        (json!({}), "1.1", "1.1"),
    ] {
        move_alias(&aws, weights(given.clone())).expect("weights");
        let shown = &get_alias(&aws)["RoutingConfig"]["AdditionalVersionWeights"];
        assert_eq!(
            shown.as_object(),
            given.as_object().filter(|given| !given.is_empty())
        );
        let both = [runs(&aws, ":live"), runs(&aws, ":live")];
        assert!(
            both.contains(&json!(first)) && both.contains(&json!(second)),
            "{given}: {both:?}"
        );
    }
    let look = json!({ "FunctionName": "crm", "Qualifier": "live" });
    let look = aws.call("GetFunctionConfiguration", look).expect("a look");
    assert_eq!(look["Version"], "1");
}

#[test]
fn weights_that_lambda_rejects_are_rejected() {
    let aws = with_alias();
    for changes in [
        weights(json!({ "1": 0.5 })),
        weights(json!({ "2": 1.5 })),
        weights(json!({ "2": 0.1, "$LATEST": 0.1 })),
        weights(json!({ "$LATEST": 0.1 })),
        json!({
            "FunctionVersion": "$LATEST",
            "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.1 } },
        }),
    ] {
        let error = move_alias(&aws, changes.clone()).expect_err("weights");
        assert_eq!(error.code, "InvalidParameterValueException", "{changes}");
    }
    assert_eq!(get_alias(&aws)["FunctionVersion"], "1");
}

#[tokio::test(start_paused = true)]
async fn lambda_sends_an_alias_to_the_old_version_while_it_provisions_concurrency() {
    let aws = with_alias();
    let name = Reference::parse("crm").expect("a name").name;
    let provision = |provisioning| {
        let mut world = aws.state();
        let lambda = &mut world.lambda;
        lambda.provision_concurrency(&name, "live", provisioning)
    };
    provision(Provisioning::After(Duration::from_secs(60))).expect("an alias");
    move_alias(&aws, json!({ "FunctionVersion": "2" })).expect("moved");
    let record = aws.take_events().pop().expect("an event");
    let shown = "/detail/responseElements/routingConfig/additionalVersionWeights";
    assert_eq!(record.pointer(shown), Some(&json!({ "1": 1.0 })));
    assert_eq!(runs(&aws, ":live"), "1.1");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(get_alias(&aws)["RoutingConfig"], Value::Null);
    assert_eq!(runs(&aws, ":live"), "1.2");

    provision(Provisioning::UntilFinished).expect("an alias");
    move_alias(&aws, json!({ "FunctionVersion": "1" })).expect("moved");
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(runs(&aws, ":live"), "1.2");
    aws.state()
        .lambda
        .finish_provisioning(&name, "live")
        .expect("an alias");
    assert_eq!(runs(&aws, ":live"), "1.1");
    assert_eq!(aws.take_events().len(), 1, "only the move has an event");
}

#[tokio::test(start_paused = true)]
async fn old_code_is_served_for_a_while_after_a_change() {
    let aws = with_alias();
    aws.state()
        .lambda
        .serve_old_code_for(Duration::from_secs(50));
    deploy(&aws, "1.3", false);
    move_alias(&aws, json!({ "FunctionVersion": "2" })).expect("moved");
    sleep(Duration::from_secs(49)).await;
    assert_eq!([runs(&aws, ""), runs(&aws, ":live")], ["1.2", "1.1"]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!([runs(&aws, ""), runs(&aws, ":live")], ["1.3", "1.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_is_unknown_to_reads_for_a_while_after_it_was_published() {
    let aws = with_alias();
    aws.state()
        .lambda
        .versions_unknown_for(Duration::from_secs(10));
    deploy(&aws, "1.3", true);
    let look = || {
        let third = json!({ "FunctionName": "crm", "Qualifier": "3" });
        aws.call("GetFunctionConfiguration", third)
            .map(|look| look["Version"].clone())
    };
    let listed = || {
        let list = aws.call("ListVersionsByFunction", json!({ "FunctionName": "crm" }));
        list.expect("a list")["Versions"].as_array().map(Vec::len)
    };
    assert_eq!(
        look().expect_err("unknown").code,
        "ResourceNotFoundException"
    );
    assert_eq!(listed(), Some(3));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(look(), Ok(json!("3")));
    assert_eq!(listed(), Some(4));
}

#[tokio::test(start_paused = true)]
async fn changes_have_the_time_of_the_clock_or_are_dated_back() {
    let aws = in_memory();
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    aws.set_time(noon);
    sleep(Duration::from_secs(1)).await;
    let times = |number: &str| {
        deploy(&aws, number, false);
        let event = aws.take_events().pop().expect("an event");
        let look = aws.call("GetFunctionConfiguration", json!({ "FunctionName": "crm" }));
        let modified = look.expect("a look")["LastModified"].clone();
        (modified, event["detail"]["eventTime"].clone())
    };
    let (modified, event) = times("2.0");
    assert_eq!(modified, "2027-01-15T08:00:01.000+0000");
    assert_eq!(event, "2027-01-15T08:00:01Z");
    sleep(Duration::from_secs(3600)).await;
    aws.state()
        .lambda
        .date_changes_back(Duration::from_secs(120));
    let (modified, event) = times("2.1");
    assert_eq!(modified, "2027-01-15T08:58:01.000+0000");
    assert_eq!(event, "2027-01-15T08:58:01Z");
}

#[test]
fn records_are_as_cloudtrail_writes_them() {
    let aws = with_alias();
    let package = package("9.0");
    let code = json!({ "FunctionName": "new", "Code": { "ZipFile": package }, "Publish": true });
    aws.call("CreateFunction", code).expect("a function");
    let created = aws.take_events().pop().expect("an event");
    let response = &created["detail"]["responseElements"];
    let arn = ARN.replace(":crm", ":new");
    assert_eq!(
        [&response["functionArn"], &response["version"]],
        [&json!(arn), &json!("1")]
    );

    deploy(&aws, "1.4", true);
    let published = aws.take_events().pop().expect("an event");
    let request = &published["detail"]["requestParameters"];
    let relative = &request["fullyQualifiedArn"]["relativeId"]["functionName"];
    assert_eq!(
        [&request["publish"], relative],
        [&json!(true), &json!("crm")]
    );

    move_alias(&aws, weights(json!({}))).expect("moved");
    let moved = aws.take_events().pop().expect("an event");
    for part in ["requestParameters", "responseElements"] {
        let weights = &moved["detail"][part]["routingConfig"]["additionalVersionWeights"];
        assert_eq!(*weights, json!({}), "{part}");
    }
}
