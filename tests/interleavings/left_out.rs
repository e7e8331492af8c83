//! Without a part of the updater, the search finds a short counterexample.

use crate::budget::{Budget, Without};
use crate::{breaks, to_the_alias};

#[test]
fn without_the_check_after_an_update_old_code_stays() {
    let budget = Budget {
        change_latest: 2,
        late: 1,
        ..Budget::default()
    };
    let found = breaks("", budget, Without::Check);
    assert!(found.broken.contains("the function returns"), "{found}");
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
        operator: to_the_alias(),
        ..Budget::default()
    };
    let found = breaks("", budget, Without::Observation);
    assert!(
        found.broken.contains("before somebody changed it"),
        "{found}"
    );
    assert!(found.moves.len() < 10, "{found}");
}
