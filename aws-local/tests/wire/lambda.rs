//! The local Lambda: deployments, and when they become ready.

use std::time::Duration;

use aws_local::lambda::{LastUpdate, Reference, Settling, State};
use serde_json::{Value, json};

use crate::world::{ARN, deploy, package, register, update, with_function};

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
