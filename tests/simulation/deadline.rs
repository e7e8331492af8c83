//! An invocation uses its 900 seconds, and no more.

use std::time::Duration;

use aws_local::lambda::Settling;
use connector_updater::report::error::Error;
use tokio::time::Instant;

use crate::clock;
use crate::conditions::Conditions;
use crate::invocations::Environments;
use crate::sweeps::{CALM, SWEEP, deploy, register};
use crate::world::World;

/// A function that is deployed and will be ready after this time. Its registration has the old
/// configuration.
fn deploying(world: &World, settling: Duration) {
    register(world, "crm");
    world.aws.state().lambda.settle(Settling::After(settling));
    deploy(world, "crm");
}

#[test]
fn an_invocation_reports_what_it_waits_for_right_before_it_times_out() {
    clock::run(async {
        let world = World::new(Conditions::new(1));
        let updater = Environments::new(&world, false);
        let twenty_minutes = Duration::from_secs(20 * 60);
        deploying(&world, twenty_minutes);

        let began = Instant::now();
        let first = updater.invoke(SWEEP, SWEEP, "1", CALM).await;
        let name = first.as_ref().err().map(Error::name);
        assert_eq!(name, Some("FunctionNotReady"));
        let took = began.elapsed().as_secs();
        assert!((895..900).contains(&took), "{took} s");

        let second = updater.invoke(SWEEP, SWEEP, "2", CALM).await;
        assert!(
            second.is_ok(),
            "{:?}",
            second.err().map(|error| error.to_string())
        );
        assert!(began.elapsed() >= twenty_minutes);
        assert_eq!(world.state().violation, None);
    });
}

#[test]
fn a_function_that_becomes_ready_shortly_before_the_deadline_is_still_updated() {
    clock::run(async {
        let world = World::new(Conditions::new(1));
        let updater = Environments::new(&world, false);
        // A sweep reads it every minute at the end, and the last of these reads would be after the
        // deadline.
        let ready = Duration::from_secs(890);
        deploying(&world, ready);
        let began = Instant::now();
        let swept = updater.invoke(SWEEP, SWEEP, "1", CALM).await;
        assert!(
            swept.is_ok(),
            "{:?}",
            swept.err().map(|error| error.to_string())
        );
        let took = began.elapsed();
        assert!(took > ready && took < Duration::from_secs(900), "{took:?}");
        assert_eq!(world.aws.versions()[0].1, "2.0");
    });
}
