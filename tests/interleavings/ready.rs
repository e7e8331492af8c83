//! What is not settled for a while after a change: the code that runs, where an alias sends its traffic, and
//! which versions Lambda knows.

use crate::budget::Budget;
use crate::holds;

#[test]
fn an_alias_of_latest_is_refreshed_when_latest_changes() {
    for (change_latest, move_alias, sweep) in [(2, 0, 0), (1, 1, 0), (1, 0, 1)] {
        holds(
            ":live",
            Budget {
                change_latest,
                point_at_latest: 1,
                move_alias,
                sweep,
                late: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn an_alias_is_followed_when_weights_of_lambda_s_own_are_gone() {
    for (roll_back, double, lose, sweep) in [(0, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1)] {
        holds(
            ":live",
            Budget {
                move_alias: 2 - roll_back,
                roll_back,
                provision: 2,
                double,
                sweep,
                late: 1,
                lose,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn an_alias_that_splits_its_traffic_is_followed_when_all_of_it_goes_to_one_version() {
    for (move_alias, roll_back, sweep) in [(1, 1, 0), (1, 0, 1), (0, 1, 1)] {
        holds(
            ":live",
            Budget {
                split: 1,
                move_alias,
                roll_back,
                sweep,
                late: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn a_version_that_lambda_does_not_know_yet_is_waited_for() {
    for (publish, recreate, double, sweep) in [(2, 0, 1, 0), (2, 0, 0, 1), (1, 1, 0, 1)] {
        for registered in ["", ":2"] {
            holds(
                registered,
                Budget {
                    publish,
                    recreate,
                    unknown: 2,
                    double,
                    sweep,
                    late: 1,
                    ..Budget::default()
                },
            );
        }
    }
}
