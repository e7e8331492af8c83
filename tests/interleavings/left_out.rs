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

#[test]
fn without_the_minute_after_a_change_old_code_stays() {
    let budget = Budget {
        change_latest: 1,
        ..Budget::default()
    };
    let found = breaks("", budget, Without::Minute);
    assert!(found.broken.contains("the function returns"), "{found}");
    assert!(found.moves.len() < 10, "{found}");
    let budget = Budget {
        move_alias: 1,
        ..Budget::default()
    };
    let found = breaks(":live", budget, Without::Minute);
    assert!(found.broken.contains("the function returns"), "{found}");
    assert!(found.moves.len() < 10, "{found}");
}

#[test]
fn without_the_time_to_store_what_was_read_in_an_alias_s_minute_old_code_stays() {
    let budget = Budget {
        move_alias: 1,
        sweep: 1,
        late: 1,
        ..Budget::default()
    };
    let found = breaks(":live", budget, Without::StoringTime);
    assert!(found.broken.contains("the function returns"), "{found}");
    assert!(found.moves.len() < 20, "{found}");
}

#[test]
fn without_the_wait_for_weights_of_lambda_s_own_old_code_stays() {
    let budget = Budget {
        move_alias: 1,
        provision: 1,
        ..Budget::default()
    };
    let found = breaks(":live", budget, Without::WaitForWeights);
    assert!(found.broken.contains("the function returns"), "{found}");
    assert!(found.moves.len() < 20, "{found}");
}

#[test]
fn without_the_wait_for_a_version_that_lambda_does_not_know_it_is_not_registered() {
    let budget = Budget {
        publish: 1,
        unknown: 1,
        ..Budget::default()
    };
    let found = breaks(":2", budget, Without::WaitForVersion);
    assert!(found.broken.contains("is at version 2"), "{found}");
    assert!(found.moves.len() < 20, "{found}");
}
