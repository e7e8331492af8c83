//! An operator changes the registration by hand.

use crate::budget::Budget;
use crate::world::Operator;
use crate::{back_to_version_1, deployments_beside_an_operator, holds, to_the_alias};

#[test]
fn an_operator_s_change_is_kept() {
    let describe_and_point = [vec![Operator::Describe], to_the_alias()].concat();
    for (registered, operator) in [
        (":2", to_the_alias()),
        ("", to_the_alias()),
        ("", vec![Operator::Describe]),
        (":live", vec![Operator::Point(None)]),
        (":2", describe_and_point),
    ] {
        holds(
            registered,
            Budget {
                late: 1,
                operator,
                ..deployments_beside_an_operator(registered)
            },
        );
    }
}

#[test]
fn an_operator_s_rollback_is_kept_by_every_event_that_had_moved_the_registration() {
    for registered in ["", ":2"] {
        holds(
            registered,
            Budget {
                publish: 2,
                double: 1,
                late: 1,
                operator: back_to_version_1(),
                ..Budget::default()
            },
        );
    }
}
