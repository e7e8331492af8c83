//! Searches every order of events around a few deployments, on the updater's own steps.
//!
//! Two invocations run at once. Each of their calls may be handled at any time after it was made. Between
//! any two calls, functions are deployed, events are delivered late, twice, or never, AppFlow stores what
//! it read later than it read it, responses are lost, and processes end. In every final state, each
//! registration must hold what its function returns, and none may be at an older version than one that
//! still exists and whose event was handled. Each state is visited once. So the only bound is how often
//! each thing can happen, which each test states.
//!
//! `cargo test --test interleavings -- --nocapture` prints the numbers of states.

#![allow(unreachable_pub)] // nothing reaches into a test

mod search;
mod shared;
mod state;
mod world;

use connector_updater::model::function_arn::{Qualifier, Version};

use crate::search::{Counterexample, Explored, explore, replay};
use crate::state::{Budget, State, Without};
use crate::world::{ALIAS, Operator, World};

/// The label of the registration.
const CRM: &str = "crm";

/// A function with two versions, registered with a qualifier.
fn start(qualifier: &str, budget: Budget, without: Without) -> State {
    State::new(World::new(2, &[(CRM, qualifier)]), budget, without)
}

/// Asserts that no order of events within a budget breaks a promise.
fn holds(qualifier: &str, budget: Budget) {
    match explore(&start(qualifier, budget.clone(), Without::Nothing)) {
        Ok(Explored {
            states,
            transitions,
            ends,
        }) => {
            println!(
                "`{qualifier}`, {budget}: {states} states, {transitions} transitions, {ends} ends"
            );
            assert!(ends > 1, "nothing happened");
        }
        Err(found) => panic!("`{qualifier}`, {budget}:\n{found}"),
    }
}

/// Asserts that the search finds a broken promise without a part of the updater, and that the
/// counterexample can be replayed.
fn breaks(qualifier: &str, budget: Budget, without: Without) -> Box<Counterexample> {
    holds(qualifier, budget.clone());
    let start = start(qualifier, budget, without);
    let found = explore(&start).expect_err("a part of the updater is missing");
    println!("Without the {without:?}:\n{found}\n");
    assert_eq!(replay(&start, &found.moves), Err(found.broken.clone()));
    found
}

#[test]
fn three_deployments_with_two_invocations_at_once_end_at_the_newest_code() {
    holds(
        "",
        Budget {
            publish: 1,
            change_latest: 2,
            ..Budget::default()
        },
    );
}

#[test]
fn three_deployments_with_two_invocations_at_once_end_at_the_newest_version() {
    holds(
        ":2",
        Budget {
            publish: 2,
            change_latest: 1,
            ..Budget::default()
        },
    );
}

#[test]
fn an_alias_that_moves_twice_is_followed_though_an_event_comes_twice() {
    holds(
        ":live",
        Budget {
            publish: 2,
            move_alias: 2,
            double: 1,
            ..Budget::default()
        },
    );
}

#[test]
fn the_registration_of_a_recreated_function_is_updated() {
    for qualifier in ["", ":2"] {
        holds(
            qualifier,
            Budget {
                publish: 1,
                recreate: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn a_late_store_from_before_a_recreation_is_corrected() {
    holds(
        ":2",
        Budget {
            publish: 1,
            recreate: 1,
            late: 1,
            ..Budget::default()
        },
    );
}

#[test]
fn an_update_that_appflow_stores_late_or_whose_response_is_lost_does_no_harm() {
    for (qualifier, publish, change_latest) in [("", 0, 2), (":2", 2, 0)] {
        holds(
            qualifier,
            Budget {
                publish,
                change_latest,
                late: 1,
                lose: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn an_operator_s_change_is_kept() {
    let alias = || Operator::Point(Some(Qualifier::Alias(ALIAS.to_owned())));
    let back = || Operator::Point(Some(Qualifier::Version(Version::MIN)));
    for (qualifier, publish, move_alias, double, operator) in [
        (":2", 2, 0, 0, alias()),
        (":2", 1, 0, 1, back()),
        ("", 2, 0, 0, alias()),
        ("", 2, 0, 0, Operator::Describe),
        (":live", 1, 1, 0, Operator::Point(None)),
    ] {
        holds(
            qualifier,
            Budget {
                publish,
                move_alias,
                double,
                operator: vec![operator],
                ..Budget::default()
            },
        );
    }
}

#[test]
fn one_sweep_makes_up_for_lost_events() {
    for (qualifier, publish, change_latest, recreate) in
        [("", 0, 2, 0), (":2", 2, 0, 0), (":2", 1, 0, 1)]
    {
        holds(
            qualifier,
            Budget {
                publish,
                change_latest,
                recreate,
                drop: 1,
                sweep: 1,
                ..Budget::default()
            },
        );
    }
    holds(
        ":live",
        Budget {
            publish: 1,
            move_alias: 1,
            drop: 1,
            double: 1,
            sweep: 1,
            ..Budget::default()
        },
    );
}

#[test]
fn lambda_s_next_try_makes_up_for_a_process_that_ended() {
    for (qualifier, publish, change_latest) in [("", 0, 2), (":2", 2, 0)] {
        holds(
            qualifier,
            Budget {
                publish,
                change_latest,
                late: 1,
                crash: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn without_the_check_after_an_update_old_code_stays() {
    let budget = Budget {
        change_latest: 2,
        late: 1,
        ..Budget::default()
    };
    let found = breaks("", budget, Without::Check);
    assert!(found.broken.contains("its function returns"), "{found}");
    assert!(found.moves.len() < 20, "{found}");
    let budget = Budget {
        publish: 2,
        ..Budget::default()
    };
    let found = breaks(":2", budget, Without::Check);
    assert!(found.broken.contains("is at version 3"), "{found}");
    assert!(found.moves.len() < 25, "{found}");
}

#[test]
fn without_the_observation_before_an_update_an_operator_s_change_is_undone() {
    let budget = Budget {
        change_latest: 1,
        operator: vec![Operator::Point(Some(Qualifier::Alias(ALIAS.to_owned())))],
        ..Budget::default()
    };
    let found = breaks("", budget, Without::Observation);
    assert!(
        found.broken.contains("before somebody changed it"),
        "{found}"
    );
    assert!(found.moves.len() < 10, "{found}");
}
