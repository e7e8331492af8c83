//! The environment is validated before the first event.

use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::runtime_api::Outcome;

use crate::tls::{self, UPDATER};
use crate::world::{CRM, World, arn};

#[test]
fn an_invalid_setting_stops_startup_and_names_the_variable_and_what_is_allowed() {
    for (variable, value, allowed) in [
        ("CONNECTOR_LABELS", "fine,not fine", "2 to 256 characters"),
        ("CONNECTOR_LABELS", "acme-crm,!acme-erp", "not both"),
        (
            "FUNCTION_NAME_PREFIX",
            "acme crm",
            "the beginning of a Lambda function's name",
        ),
        ("REGISTER_AS", "unqualified", "follow, version"),
        (
            "UPDATE_DESCRIPTION",
            "at {time}",
            "{function}, {version} and {date}",
        ),
        ("GRANT_INVOKE", "maybe", "false, true"),
        ("DRY_RUN", "TRUE", "false, true"),
        (
            "AWS_LAMBDA_LOG_LEVEL",
            "verbose",
            "TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
        ),
        ("AWS_LAMBDA_LOG_FORMAT", "yaml", "JSON, Text"),
        (
            "AWS_ENDPOINT_URL_APPFLOW",
            "appflow.example",
            "expected a URL",
        ),
        (
            "AWS_ENDPOINT_URL_LAMBDA",
            "lambda.example",
            "expected a URL",
        ),
    ] {
        let mut world = World::with(&[(variable, value)]);
        let code = world.updater.ended(Duration::from_secs(20)).unwrap();
        assert_eq!(code, Some(1), "{variable}");
        let Some(Outcome::NotStarted {
            error_type,
            message,
        }) = world.aws.state().runtime.init_error().cloned()
        else {
            panic!("{variable}: it was not reported to Lambda");
        };
        assert_eq!(error_type, "InvalidSettings");
        for part in [variable, value, allowed] {
            assert!(message.contains(part), "`{part}` is not in {message}");
            assert!(world.log().contains(part), "`{part}` is not in the log");
        }
        assert_eq!(world.calls(), [].into());
    }
}

#[test]
fn endpoints_of_another_kind_and_ones_own_stop_startup_naming_both_variables() {
    for kind in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let mut world = World::with(&[(kind, "true")]);
        let code = world.updater.ended(Duration::from_secs(20)).unwrap();
        assert_eq!(code, Some(1), "{kind}");
        let Some(Outcome::NotStarted {
            error_type,
            message,
        }) = world.aws.state().runtime.init_error().cloned()
        else {
            panic!("{kind}: it was not reported to Lambda");
        };
        assert_eq!(error_type, "InvalidSettings");
        for part in [kind, "AWS_ENDPOINT_URL", "Leave one of the two out"] {
            assert!(message.contains(part), "`{part}` is not in {message}");
        }
    }
    let world = World::with(&[
        ("AWS_USE_FIPS_ENDPOINT", "false"),
        ("AWS_USE_DUALSTACK_ENDPOINT", ""),
    ]);
    world.answer(r#"{"sweep": {"dryRun": true}}"#);
}

#[test]
fn blank_settings_are_the_defaults() {
    let world = World::with(&[
        ("CONNECTOR_LABELS", ""),
        ("FUNCTION_NAME_PREFIX", ""),
        ("REGISTER_AS", ""),
        ("UPDATE_DESCRIPTION", ""),
        ("GRANT_INVOKE", ""),
        ("DRY_RUN", ""),
    ]);
    let answer = world.answer(r#"{"source": "aws.s3", "detail-type": "Object Created"}"#);
    assert_eq!(answer["dryRun"], false);
}

#[test]
fn a_blank_endpoint_of_a_service_counts_as_unset() {
    for blank in ["", " "] {
        let aws = AwsLocal::start(0).expect("a free port");
        let endpoint = aws.endpoint();
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ENDPOINT_URL_APPFLOW", blank),
            ("AWS_ENDPOINT_URL_LAMBDA", blank),
        ];
        let updater = Bootstrap::start(UPDATER, &aws, &variables).expect("the binary starts");
        let world = World::of(aws, updater);
        world.function(CRM, 1);
        world.register("plain", &arn(CRM, None));
        tls::deploy(&world, &["1.2"]);
    }
}
