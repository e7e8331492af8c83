//! The services behind TLS, as they are in AWS.

use std::fs;
use std::path::{Path, PathBuf};

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;

use crate::world::{CRM, World, arn, outcomes};

/// A file of this name with the authority's certificate in it.
fn roots(name: &str, authority: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, authority).expect("a file");
    file
}

/// One registration of `crm`, and an updater that reaches the services by TLS alone and trusts the
/// authority in `file`.
fn world(aws: AwsLocal, tls: &aws_local::tls::Tls, file: &Path) -> World {
    let settings = [
        ("AWS_ENDPOINT_URL_APPFLOW", tls.appflow.as_str()),
        ("AWS_ENDPOINT_URL_LAMBDA", tls.lambda.as_str()),
        ("SSL_CERT_FILE", file.to_str().expect("a path")),
    ];
    let updater = Bootstrap::start(env!("CARGO_BIN_EXE_connector-updater"), &aws, &settings)
        .expect("the binary starts");
    let world = World { aws, updater };
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    world
}

#[test]
fn one_connection_to_each_service_serves_all_calls_of_all_invocations() {
    let aws = AwsLocal::start(0).expect("a free port");
    let tls = aws.serve_tls().expect("two more");
    let file = roots("trusted.pem", &tls.authority);
    let world = world(aws, &tls, &file);
    for version in ["1.2", "1.3", "1.4"] {
        let event = world.publish(CRM, version);
        let answer = world.answer(&event);
        assert_eq!(outcomes(&answer), [("plain".into(), "updated".into())]);
    }
    assert_eq!(world.held("plain").1, "1.4");
    assert_eq!(world.aws.state().handshakes, 2);
}

#[test]
fn an_authority_that_is_not_trusted_is_named_as_the_reason() {
    let aws = AwsLocal::start(0).expect("a free port");
    let tls = aws.serve_tls().expect("two more");
    let other = AwsLocal::start(0).and_then(|other| other.serve_tls());
    let file = roots("other.pem", &other.expect("another").authority);
    let world = world(aws, &tls, &file);
    let event = world.publish(CRM, "1.2");
    let (name, message) = world.error(&event);
    assert_eq!(name, "ListFailed");
    assert!(message.contains("ListConnectors"), "{message}");
    assert!(
        message.contains("UnknownIssuer") || message.contains("BadSignature"),
        "{message}"
    );
    assert_eq!(world.calls(), [].into());
}
