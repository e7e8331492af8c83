//! Sweeps, beside events and after lost ones.

use crate::budget::Budget;
use crate::{back_to_version_1, holds, two_deployments};

#[test]
fn one_sweep_makes_up_for_lost_events() {
    for registered in ["", ":2", ":live"] {
        holds(
            registered,
            Budget {
                drop: 1,
                sweep: 1,
                ..two_deployments(registered)
            },
        );
    }
    holds(
        ":2",
        Budget {
            publish: 1,
            recreate: 1,
            drop: 1,
            sweep: 1,
            ..Budget::default()
        },
    );
}

#[test]
fn a_sweep_that_begins_at_any_time_beside_events_does_no_harm() {
    for registered in ["", ":2", ":live"] {
        holds(
            registered,
            Budget {
                sweep: 1,
                late: 1,
                lose: 1,
                ..two_deployments(registered)
            },
        );
    }
    for (late, double, recreate, sweep) in [(1, 1, 0, 1), (1, 0, 1, 1), (1, 0, 0, 2)] {
        holds(
            ":2",
            Budget {
                publish: 1,
                sweep,
                late,
                double,
                recreate,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn a_sweep_leaves_a_registration_that_is_behind_and_an_event_moves_it() {
    holds(
        ":1",
        Budget {
            sweep: 1,
            late: 1,
            lose: 1,
            ..two_deployments(":1")
        },
    );
}

#[test]
fn a_sweep_beside_an_event_keeps_an_operator_s_rollback() {
    for registered in [":1", ":2"] {
        holds(
            registered,
            Budget {
                publish: 1,
                sweep: 1,
                late: 1,
                lose: 1,
                operator: back_to_version_1(),
                ..Budget::default()
            },
        );
    }
}
