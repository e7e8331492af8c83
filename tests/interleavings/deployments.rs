//! Deployments, events that come twice or in another order, and functions that are recreated.

use crate::budget::Budget;
use crate::{holds, holds_at_once, two_deployments};

#[test]
fn after_four_deployments_the_connector_has_the_newest_code() {
    holds(
        "",
        Budget {
            publish: 1,
            change_latest: 3,
            ..Budget::default()
        },
    );
}

#[test]
fn after_four_deployments_the_connector_is_at_the_newest_version() {
    holds(
        ":2",
        Budget {
            publish: 3,
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
            double: 1,
            ..two_deployments(":live")
        },
    );
}

#[test]
fn three_invocations_at_once_end_at_what_is_newest() {
    holds_at_once(
        3,
        "",
        Budget {
            change_latest: 3,
            late: 1,
            lose: 1,
            ..Budget::default()
        },
    );
    holds_at_once(
        3,
        ":2",
        Budget {
            publish: 3,
            late: 1,
            ..Budget::default()
        },
    );
    holds_at_once(
        3,
        ":live",
        Budget {
            late: 1,
            ..two_deployments(":live")
        },
    );
    holds_at_once(
        3,
        ":2",
        Budget {
            sweep: 1,
            late: 1,
            ..two_deployments(":2")
        },
    );
}

#[test]
fn the_registration_of_a_recreated_function_is_updated() {
    for registered in ["", ":2"] {
        holds(
            registered,
            Budget {
                publish: 2,
                recreate: 1,
                ..Budget::default()
            },
        );
    }
}

#[test]
fn a_late_store_from_before_a_recreation_is_corrected() {
    for (publish, lose) in [(2, 0), (1, 1)] {
        holds(
            ":2",
            Budget {
                publish,
                recreate: 1,
                late: 1,
                lose,
                ..Budget::default()
            },
        );
    }
}
