//! The services behind TLS, as in AWS: which authorities the updater trusts, and when it opens connections.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use aws_local::AwsLocal;
use aws_local::bootstrap::{self, Bootstrap};
use aws_local::tls::{Authority, Tls};

use crate::world::{CRM, World, arn, error, outcomes};

pub const UPDATER: &str = env!("CARGO_BIN_EXE_connector-updater");
/// What the log says when Amazon's roots were not enough.
const SYSTEM: &str = "trusting the system's certificate authorities from now on";

/// A file of this name.
pub fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, content).expect("a file");
    file
}

/// The services, with a certificate that `authority` signed.
pub fn services(authority: &Authority) -> (AwsLocal, Tls) {
    let aws = AwsLocal::start(0).expect("a free port");
    let tls = aws.serve_tls(authority).expect("two more");
    (aws, tls)
}

/// One registration of `crm`, and an updater that reaches the services by TLS alone.
pub fn world((aws, tls): (AwsLocal, Tls), updater: &str, variables: &[(&str, &str)]) -> World {
    let mut settings = vec![
        ("AWS_ENDPOINT_URL_APPFLOW", tls.appflow.as_str()),
        ("AWS_ENDPOINT_URL_LAMBDA", tls.lambda.as_str()),
    ];
    settings.extend(variables);
    let updater = Bootstrap::start(updater, &aws, &settings).expect("the binary starts");
    let world = World::of(aws, updater);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    world
}

/// Deploys each version, and asserts that AppFlow has it.
pub fn deploy(world: &World, versions: &[&str]) {
    for version in versions {
        let event = world.publish(CRM, version);
        let answer = world.answer(&event);
        assert_eq!(outcomes(&answer), [("plain".into(), "updated".into())]);
        assert_eq!(world.held("plain").1, *version);
    }
}

pub fn says_that_it_trusts_the_system(world: &World) -> usize {
    let lines = world.updater.lines();
    lines.iter().filter(|line| line.contains(SYSTEM)).count()
}

/// A copy of the updater that contains `authority` in place of one of Amazon's roots. Without AWS's own keys,
/// nothing else shows that it trusts those.
pub fn with_root(name: &str, authority: &Authority) -> String {
    let updater = fs::read(UPDATER).expect("the binary");
    let copy = bootstrap::trusting(&updater, &authority.certificate).expect("roots in the binary");
    let file = file(name, copy);
    let permissions = fs::metadata(UPDATER).expect("the binary").permissions();
    fs::set_permissions(&file, permissions).expect("the copy may be run");
    file.to_string_lossy().into_owned()
}

#[test]
fn the_roots_in_the_program_are_trusted_first() {
    let authority = Authority::new().expect("a key");
    let updater = with_root("carries-the-authority", &authority);
    let world = world(services(&authority), &updater, &[]);
    deploy(&world, &["1.2"]);
    assert_eq!(says_that_it_trusts_the_system(&world), 0);
}

#[test]
fn other_certificates_are_left_to_the_systems_authorities_from_then_on() {
    // The system does not know this one either; a unit test of aws::https has a system that does.
    let authority = Authority::new().expect("a key");
    let world = world(services(&authority), UPDATER, &[]);
    let event = world.publish(CRM, "1.2");
    for _ in 0..2 {
        let (name, message) = world.error(&event);
        assert_eq!(name, "ListFailed");
        assert!(message.contains("UnknownIssuer"), "{message}");
    }
    assert_eq!(says_that_it_trusts_the_system(&world), 1);
}

#[test]
fn authorities_that_a_variable_names_are_trusted_from_the_start() {
    let authority = Authority::new().expect("a key");
    let roots = file("named.pem", &authority.certificate);
    let roots = ("SSL_CERT_FILE", roots.to_str().expect("a path"));
    let world = world(services(&authority), UPDATER, &[roots]);
    deploy(&world, &["1.2"]);
    assert_eq!(says_that_it_trusts_the_system(&world), 0);
}

#[test]
fn where_a_variable_names_authorities_the_roots_in_the_program_are_not_trusted() {
    let authority = Authority::new().expect("a key");
    let other = Authority::new().expect("another key");
    let updater = with_root("carries-what-is-not-named", &authority);
    let roots = file("other.pem", &other.certificate);
    let folder = roots.with_file_name("authorities");
    fs::create_dir_all(&folder).expect("a folder");
    // OpenSSL finds them by names like this.
    file("authorities/0a1b2c3d.0", &other.certificate);
    for (name, value) in [
        ("SSL_CERT_FILE", &roots),
        ("SSL_CERT_DIR", &folder),
        ("AWS_CA_BUNDLE", &roots),
    ] {
        let variable = (name, value.to_str().expect("a path"));
        let world = world(services(&authority), &updater, &[variable]);
        let event = world.publish(CRM, "1.2");
        let (error, message) = world.error(&event);
        assert_eq!(error, "ListFailed", "{name}");
        assert!(
            message.contains("UnknownIssuer") || message.contains("BadSignature"),
            "{name}: {message}"
        );
        assert_eq!(world.calls(), [].into(), "{name}");
    }
}

#[test]
fn one_connection_to_each_service_serves_all_calls_of_all_invocations() {
    let authority = Authority::new().expect("a key");
    let updater = with_root("one-connection-each", &authority);
    let world = world(services(&authority), &updater, &[]);
    deploy(&world, &["1.2", "1.3", "1.4"]);
    assert_eq!(world.aws.state().handshakes, 2);
}

#[test]
fn the_connections_are_opened_before_there_is_an_event_and_nothing_is_sent() {
    let authority = Authority::new().expect("a key");
    let updater = with_root("opens-at-the-start", &authority);
    let world = world(services(&authority), &updater, &[]);
    wait_until_ready(&world);
    assert_eq!(world.calls(), [].into());
    assert_eq!(world.aws.state().handshakes, 2);
    deploy(&world, &["1.2"]);
    assert_eq!(world.aws.state().handshakes, 2);
}

#[test]
fn connections_that_were_closed_before_the_first_event_are_opened_again() {
    let authority = Authority::new().expect("a key");
    let updater = with_root("closed-before-the-event", &authority);
    let world = world(services(&authority), &updater, &[]);
    wait_until_ready(&world);
    assert_eq!(world.aws.state().handshakes, 2);
    world.aws.close_tls_connections();
    deploy(&world, &["1.2"]);
    assert_eq!(world.aws.state().handshakes, 4);
}

#[test]
fn a_service_that_does_not_respond_keeps_no_event_from_being_asked_for_and_fails_it() {
    // The system accepts connections for it, and nobody reads what comes.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let endpoint = format!("https://{}", silent.local_addr().expect("an address"));
    let aws = AwsLocal::start(0).expect("a free port");
    let settings = [
        ("AWS_ENDPOINT_URL_APPFLOW", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_LAMBDA", endpoint.as_str()),
    ];
    let updater = Bootstrap::start(UPDATER, &aws, &settings).expect("the binary starts");
    let world = World::of(aws, updater);
    // For how long startup waits, a unit test of aws::https says.
    world.until("is an event asked for", |world| {
        world.aws.state().runtime.times().ready.is_some()
    });

    let sweep = world.outcome_within(Duration::from_secs(3), r#"{"sweep": {}}"#);
    let (name, message) = error(sweep);
    assert_eq!(name, "OutOfTime");
    let part = "timed out while waiting for ListConnectors";
    assert!(message.contains(part), "{message}");
}

/// Waits until the updater asks for an event, and the services are done with two handshakes.
pub fn wait_until_ready(world: &World) {
    let end = Instant::now() + Duration::from_secs(20);
    let is_ready = || {
        let world = world.aws.state();
        world.runtime.times().ready.is_some() && world.handshakes >= 2
    };
    while !is_ready() {
        assert!(Instant::now() < end, "no event was asked for");
        thread::sleep(Duration::from_millis(5));
    }
}
