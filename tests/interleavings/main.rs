//! Searches every order of events around a few deployments, on the updater's own `round`.
//!
//! Two or three invocations run at once. Each of their calls may be handled at any time after it was made.
//! Between any two calls, functions are deployed, events are delivered late, twice, or never, sweeps
//! begin, AppFlow throttles, or stores what it read later than it read it, responses are lost, and
//! processes end. For a minute after a change, an invocation may run old code; Lambda gives an alias weights
//! of its own, and takes them away without an event; and a version may not be known yet. In every final
//! state, the registration must hold what its function returns, and must not be at an older version than one
//! that still exists and whose event was handled. An operator's change is kept, and no event ends in the
//! failure queue. Each state is visited once. So the only bound is how often each thing can happen, which
//! each test states.
//!
//! `cargo test --test interleavings -- --nocapture` prints the numbers of states.

#![allow(unreachable_pub)] // nothing reaches into a test

mod answers;
mod budget;
mod deployments;
mod faults;
mod invocation;
mod lambda;
mod left_out;
mod moves;
mod operator;
mod promises;
mod ready;
mod script;
mod search;
mod shared;
mod state;
mod sweeps;
mod tell;
mod world;

use std::time::Instant;

use connector_updater::model::function_arn::{Qualifier, Version};

use crate::budget::{Budget, Setup, Without};
use crate::lambda::ALIAS;
use crate::search::{Counterexample, Explored, explore, replay};
use crate::state::State;
use crate::world::Operator;

/// Asserts that no order of events within a budget breaks a promise, with two invocations at once.
fn holds(registered: &'static str, budget: Budget) {
    holds_at_once(2, registered, budget);
}

fn holds_at_once(at_once: usize, registered: &'static str, budget: Budget) {
    let setup = Setup {
        registered,
        budget,
        at_once,
        without: Without::Nothing,
    };
    let begun = Instant::now();
    match explore(&State::new(&setup)) {
        Ok(Explored {
            states,
            transitions,
            ends,
            runs,
        }) => {
            let time = begun.elapsed().as_millis();
            println!(
                "{setup}: {states} states, {transitions} transitions, {ends} ends, {runs} runs of \
                 round, {time} ms"
            );
            assert!(ends > 1, "nothing happened");
        }
        Err(found) => panic!("{setup}:\n{found}"),
    }
}

/// Asserts that the search finds a broken promise without a part of the updater, and that the
/// counterexample can be replayed.
fn breaks(registered: &'static str, budget: Budget, without: Without) -> Box<Counterexample> {
    holds(registered, budget.clone());
    let start = State::new(&Setup {
        registered,
        budget,
        at_once: 2,
        without,
    });
    let found = explore(&start).expect_err("a part of the updater is missing");
    println!("Without the {without:?}:\n{found}\n");
    assert_eq!(replay(&start, &found.moves), Err(found.broken.clone()));
    found
}

/// An operator's change to an alias.
fn to_the_alias() -> Vec<Operator> {
    vec![Operator::Point(Some(Qualifier::Alias(ALIAS.to_owned())))]
}

/// Two deployments, beside an operator's change.
fn deployments_beside_an_operator(registered: &str) -> Budget {
    match registered {
        ":live" => Budget {
            publish: 1,
            move_alias: 1,
            ..Budget::default()
        },
        _ => two_deployments(registered),
    }
}

/// An operator's rollback.
fn back_to_version_1() -> Vec<Operator> {
    vec![Operator::Point(Some(Qualifier::Version(Version::MIN)))]
}

/// Two deployments of what a connector is registered with.
fn two_deployments(registered: &str) -> Budget {
    let (change_latest, publish, move_alias) = match registered {
        "" => (2, 0, 0),
        ":live" => (0, 0, 2),
        _ => (0, 2, 0),
    };
    Budget {
        change_latest,
        publish,
        move_alias,
        ..Budget::default()
    }
}
