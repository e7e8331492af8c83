//! Connections that stay open and carry nothing, as behind a NAT gateway that has forgotten them: over HTTP/2, one
//! connection to each service.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_local::tls::Authority;

use crate::tls::{deploy, services, wait_until_ready, with_root, world};
use crate::world::{CRM, World, arn, outcomes};

const UPDATE: &str = "UpdateConnectorRegistration";
/// What an event takes where nothing is silent. It takes milliseconds, on a machine that is not busy.
const USUAL: Duration = Duration::from_secs(4);

/// One registration of [`CRM`] at services behind TLS.
fn started(name: &str) -> World {
    let authority = Authority::new().expect("a key");
    let updater = with_root(name, &authority);
    let world = world(services(&authority), &updater, &[]);
    wait_until_ready(&world);
    world
}

/// Deploys a version, and asserts that AppFlow has it within this time.
fn deploy_within(world: &World, version: &str, time: Duration) {
    let start = Instant::now();
    deploy(world, &[version]);
    assert!(start.elapsed() < time, "{version}: {:?}", start.elapsed());
}

/// Has the connections fall silent before a read of an event.
fn falls_silent_before(read: &str) {
    let world = started(&format!("silent-{read}"));
    world.aws.once_before(read, |world| world.fall_silent());
    deploy_within(&world, "1.2", Duration::from_secs(30));
    deploy_within(&world, "1.3", USUAL);
}

#[test]
fn a_connection_that_falls_silent_before_the_list_costs_one_attempt_and_nothing_later() {
    falls_silent_before("ListConnectors");
}

#[test]
fn a_connection_that_falls_silent_before_a_description_costs_one_attempt_and_nothing_later() {
    falls_silent_before("DescribeConnector");
}

#[test]
fn a_connection_that_falls_silent_before_a_function_is_read_costs_one_attempt_and_nothing_later() {
    falls_silent_before("GetFunctionConfiguration");
}

#[test]
fn an_update_whose_connection_falls_silent_ends_within_a_minute_and_the_next_in_the_usual_time() {
    let world = started("silent-update");
    world.aws.once_before(UPDATE, |world| world.fall_silent());
    deploy_within(&world, "1.2", Duration::from_secs(60));
    deploy_within(&world, "1.3", USUAL);
}

#[test]
fn connections_that_fall_silent_before_the_first_event_cost_one_attempt_each() {
    let world = started("silent-before-the-first");
    world.aws.fall_silent();
    deploy_within(&world, "1.2", Duration::from_secs(30));
    deploy_within(&world, "1.3", USUAL);
}

#[test]
fn connections_that_fall_silent_while_the_updater_is_frozen_cost_one_attempt_each() {
    let world = started("silent-while-frozen");
    deploy_within(&world, "1.2", USUAL);
    signal(&world, "STOP");
    world.aws.fall_silent();
    signal(&world, "CONT");
    deploy_within(&world, "1.3", Duration::from_secs(30));
    deploy_within(&world, "1.4", USUAL);
}

#[test]
fn calls_that_share_a_silent_connection_lose_one_attempt_each() {
    let world = started("silent-shared");
    world.register("other", &arn(CRM, None));
    world
        .aws
        .once_before("DescribeConnector", |world| world.fall_silent());
    let start = Instant::now();
    let event = world.publish(CRM, "1.2");
    let answer = world.answer(&event);
    let updated = |label: &str| (label.to_owned(), "updated".to_owned());
    assert_eq!(outcomes(&answer), [updated("other"), updated("plain")]);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

/// Sends the updater's process a signal.
fn signal(world: &World, signal: &str) {
    let id = world.updater.id().to_string();
    let status = Command::new("kill")
        .args([&format!("-{signal}"), &id])
        .status();
    assert!(status.expect("`kill` runs").success());
}
