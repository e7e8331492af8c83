//! A panic reaches Lambda as an error with a documented name, and ends the process.
//!
//! The updater has no known way to panic, so this test program also contains the function that does. The
//! tests start the program again as that function, as Lambda would start a bootstrap.

use std::env;
use std::process::Command;
use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::runtime_api::Outcome;
use connector_updater::report::log;
use connector_updater::report::panics;
use connector_updater::settings::{LogFormat, LogLevel};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

/// The name of [`function`] to the test harness.
const FUNCTION: &str = "function";

/// The function, which is not a test: the harness of the program that [`start`] starts runs only this.
#[test]
#[ignore = "the function that the tests start"]
fn function() -> Result<(), lambda_runtime::Error> {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Ok(());
    }
    panics::report_panics();
    log::start(LogLevel::Info, LogFormat::Json);
    if env::var_os("AT_STARTUP").is_some() {
        panic!("nothing to start with");
    }
    let handler = service_fn(|event: LambdaEvent<Value>| {
        panics::in_invocation(event.context.request_id.clone(), handle(event))
    });
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(handler))
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    if event.payload["on"] == "another thread" {
        let _ = std::thread::spawn(|| panic!("elsewhere")).join();
    }
    if event.payload["on"] == "this thread" {
        let label = "acme-crm";
        panic!("no room for {label}");
    }
    if event.payload["on"] == "another thread, later" {
        // By then, the response has been sent.
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            panic!("between invocations")
        });
    }
    Ok(event.payload)
}

fn start(aws: &AwsLocal, variables: &[(&str, &str)]) -> Bootstrap {
    let mut program = Command::new(env::current_exe().expect("this program"));
    program.args(["--ignored", "--exact", FUNCTION, "--nocapture"]);
    Bootstrap::spawn(&mut program, aws, variables).expect("this program starts")
}

#[test]
fn a_panic_in_an_invocation_is_its_error() {
    let aws = AwsLocal::start(0).expect("a free port");
    let mut function = start(&aws, &[]);
    assert_eq!(
        aws.invoke(r#"{"all": "well"}"#),
        Outcome::Answer(serde_json::json!({ "all": "well" }))
    );
    let Outcome::Error {
        error_type,
        message,
    } = aws.invoke(r#"{"on": "this thread"}"#)
    else {
        panic!("no error");
    };
    assert_eq!(error_type, "Panicked");
    assert!(
        message.contains("no room for acme-crm, at tests/panics.rs:"),
        "{message}"
    );
    assert_eq!(
        function.ended(Duration::from_secs(20)).expect("a status"),
        Some(1)
    );
    let log = function.lines().join("\n");
    assert!(log.contains(r#""errorType":"Panicked""#), "{log}");
    assert!(log.contains("no room for acme-crm"), "{log}");
}

#[test]
fn a_panic_on_another_thread_is_the_invocations_error_too() {
    let aws = AwsLocal::start(0).expect("a free port");
    let mut function = start(&aws, &[]);
    let outcome = aws.invoke(r#"{"on": "another thread"}"#);
    assert!(
        matches!(&outcome, Outcome::Error { error_type, message }
            if error_type == "Panicked" && message.contains("elsewhere")),
        "{outcome:?}"
    );
    assert_eq!(
        function.ended(Duration::from_secs(20)).expect("a status"),
        Some(1)
    );
}

#[test]
fn a_panic_between_invocations_is_logged_and_no_invocation_s_error() {
    let aws = AwsLocal::start(0).expect("a free port");
    let mut function = start(&aws, &[]);
    let payload = serde_json::json!({ "on": "another thread, later" });
    let outcome = aws.invoke(payload.to_string());
    assert_eq!(outcome, Outcome::Answer(payload));
    let status = function.ended(Duration::from_secs(20)).expect("a status");
    assert_eq!(status, Some(1));
    let log = function.lines().join("\n");
    assert!(log.contains("between invocations"), "{log}");
    assert!(!log.contains("failed to report the panic"), "{log}");
}

#[test]
fn a_panic_at_startup_is_an_error_of_startup() {
    let aws = AwsLocal::start(0).expect("a free port");
    let mut function = start(&aws, &[("AT_STARTUP", "1")]);
    assert_eq!(
        function.ended(Duration::from_secs(20)).expect("a status"),
        Some(1)
    );
    let outcome = aws.invoke("{}");
    assert!(
        matches!(&outcome, Outcome::NotStarted { error_type, message }
            if error_type == "Panicked" && message.contains("nothing to start with")),
        "{outcome:?}"
    );
}
