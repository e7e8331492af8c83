//! Late stores, lost responses, throttling, and processes that end.

use crate::budget::Budget;
use crate::{back_to_version_1, deployments_beside_an_operator, holds, two_deployments};

#[test]
fn an_update_that_appflow_stores_late_or_whose_response_is_lost_does_no_harm() {
    for registered in ["", ":2", ":live"] {
        holds(
            registered,
            Budget {
                late: 2,
                lose: 2,
                ..two_deployments(registered)
            },
        );
    }
}

#[test]
fn an_update_that_appflow_throttles_is_made_later_and_by_a_new_description() {
    // More often than an update is tried otherwise.
    holds(
        ":2",
        Budget {
            publish: 1,
            throttle: 6,
            ..Budget::default()
        },
    );
    for registered in ["", ":2", ":live"] {
        holds(
            registered,
            Budget {
                throttle: 2,
                late: 1,
                lose: 1,
                ..two_deployments(registered)
            },
        );
        holds(
            registered,
            Budget {
                throttle: 1,
                operator: back_to_version_1(),
                ..deployments_beside_an_operator(registered)
            },
        );
    }
}

#[test]
fn lambda_s_next_try_makes_up_for_a_process_that_ended() {
    for registered in ["", ":2", ":live"] {
        holds(
            registered,
            Budget {
                late: 1,
                lose: 1,
                crash: 1,
                ..two_deployments(registered)
            },
        );
    }
}

#[test]
fn an_event_that_comes_twice_and_is_stored_late_and_whose_process_ends_is_not_lost() {
    for registered in ["", ":2", ":live"] {
        for (crash, lose) in [(1, 0), (0, 1)] {
            holds(
                registered,
                Budget {
                    double: 1,
                    late: 1,
                    crash,
                    lose,
                    ..two_deployments(registered)
                },
            );
        }
    }
}
