//! Decides what to do with one registration: the decision table, as a pure function.
//!
//! | registered as | version *n* published | `$LATEST` changed | alias *a* moved | sweep |
//! |---|---|---|---|---|
//! | no qualifier, or `$LATEST` | refresh | refresh | skip | refresh |
//! | version *m* | *n* > *m*: move to *n* · *n* = *m*: refresh · *n* < *m*: skip, unless version *m* no longer exists, then move to *n* | skip | skip | refresh; with `move`, or if version *m* no longer exists: move to the newest |
//! | alias *b* | skip | skip | *a* = *b*: refresh, unless the alias is shifting traffic; else skip | refresh |
//!
//! To *refresh* is to update with the ARN that is registered already; to *move*, with another version
//! of the same function. [`RegisterAs`] can turn the first row into the second and back. Publishing
//! `$LATEST.PUBLISHED` refreshes registrations without a qualifier and those registered with it. For
//! the latter, only a sweep does so too. The function itself never changes: each target is the
//! registered ARN, with the same or another qualifier.

use crate::model::change::{Change, RegisterAs};
use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::versions::Versions;

/// What happened: the columns of the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Happened {
    /// The function changed.
    Changed(Change),
    /// Nothing is known to have happened: a sweep.
    Sweep {
        /// Whether version-pinned registrations move to the newest version.
        to_newest: bool,
    },
}

/// What Lambda has said about the function so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// Whether the registered version exists.
    pub registered: Option<Reply<bool>>,
    /// The published versions.
    pub versions: Option<Reply<&'a Versions>>,
}

/// Lambda's answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply<T> {
    /// What it said.
    Known(T),
    /// The updater is not authorized to ask, for example about another account's function.
    NotAuthorized,
}

/// What to do with one registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Update it with this ARN.
    Update {
        /// The registered ARN, or the same with another qualifier.
        target: FunctionArn,
        /// The newest version, if the registration stays behind it.
        behind: Option<Version>,
    },
    /// Leave it alone.
    Skip(Skip),
    /// Ask Lambda this, and decide again.
    Ask(Question),
    /// The registered version no longer exists, and there is no other.
    NoVersion,
}

/// What a decision can need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Does the registered version exist?
    Registered,
    /// Which versions are published?
    Versions,
}

/// Why a registration is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// It is registered with a newer version than the event's: events come late and out of order.
    Older {
        /// The event's version.
        published: Version,
        /// The version that it is registered with.
        registered: Version,
        /// Whether Lambda confirmed that the registered version exists.
        confirmed: bool,
    },
    /// It follows an alias, whose own event comes when the alias moves.
    FollowsAlias(String),
    /// An alias moved, but not the one that it is registered with.
    AnotherAlias {
        /// The alias that moved.
        moved: String,
        /// The alias that it is registered with.
        registered: String,
    },
    /// Its alias still sends traffic to two versions, either of which AppFlow could invoke.
    AliasIsShifting(String),
    /// It is pinned to a version, and no version was published.
    PinnedToVersion(Version),
    /// It follows the unpublished code, and something else changed.
    FollowsLatest,
    /// It follows `$LATEST.PUBLISHED`, and something else changed.
    FollowsLatestPublished,
}

/// Looks up the table's cell for a registration and what happened.
pub fn decide(
    registered: &FunctionArn,
    happened: &Happened,
    register_as: RegisterAs,
    known: Known<'_>,
) -> Decision {
    use Change::{AliasMoved, LatestChanged, LatestPublished, Published};
    use Happened::{Changed, Sweep};
    use Qualifier::{Alias, Latest, LatestPublished as OnManagedInstances, Version as Pinned};

    match (registered.qualifier(), happened) {
        // No qualifier, or `$LATEST`.
        (None | Some(Latest), Changed(Published(version)))
            if register_as == RegisterAs::Version =>
        {
            match version {
                Some(version) => update(at(registered, *version)),
                None => pin_to_newest(registered, known),
            }
        }
        (None | Some(Latest), Sweep { .. }) if register_as == RegisterAs::Version => {
            pin_to_newest(registered, known)
        }
        (None | Some(Latest), Changed(Published(_) | LatestChanged) | Sweep { .. })
        | (None, Changed(LatestPublished)) => refresh(registered),
        (None, Changed(AliasMoved { .. }))
        | (Some(Latest), Changed(AliasMoved { .. } | LatestPublished)) => {
            Decision::Skip(Skip::FollowsLatest)
        }

        // A version.
        (Some(Pinned(_)), Changed(Published(_)) | Sweep { .. })
            if register_as == RegisterAs::Unqualified =>
        {
            update(registered.with_qualifier(None))
        }
        (Some(Pinned(pinned)), Changed(Published(Some(version)))) => {
            follow(registered, *pinned, *version, known)
        }
        (Some(Pinned(pinned)), Changed(Published(None))) => match known.versions {
            None => Decision::Ask(Question::Versions),
            Some(Reply::Known(versions)) => match versions.newest() {
                Some(newest) => follow(registered, *pinned, newest, known),
                None => Decision::NoVersion,
            },
            Some(Reply::NotAuthorized) => refresh(registered),
        },
        (Some(Pinned(pinned)), Sweep { to_newest }) => {
            let to_newest = *to_newest || register_as == RegisterAs::Version;
            sweep_pinned(registered, *pinned, to_newest, known)
        }
        (Some(Pinned(pinned)), Changed(LatestChanged | LatestPublished | AliasMoved { .. })) => {
            Decision::Skip(Skip::PinnedToVersion(*pinned))
        }

        // An alias.
        (Some(Alias(followed)), Changed(AliasMoved { alias, .. })) if alias != followed => {
            Decision::Skip(Skip::AnotherAlias {
                moved: alias.clone(),
                registered: followed.clone(),
            })
        }
        (Some(Alias(followed)), Changed(AliasMoved { shifting: true, .. })) => {
            Decision::Skip(Skip::AliasIsShifting(followed.clone()))
        }
        (Some(Alias(_)), Changed(AliasMoved { .. }) | Sweep { .. }) => refresh(registered),
        (Some(Alias(followed)), Changed(Published(_) | LatestChanged | LatestPublished)) => {
            Decision::Skip(Skip::FollowsAlias(followed.clone()))
        }

        // `$LATEST.PUBLISHED`.
        (Some(OnManagedInstances), Changed(LatestPublished) | Sweep { .. }) => refresh(registered),
        (Some(OnManagedInstances), Changed(Published(_) | LatestChanged | AliasMoved { .. })) => {
            Decision::Skip(Skip::FollowsLatestPublished)
        }
    }
}

/// Version *m* is registered, and version *n* was published.
fn follow(
    registered: &FunctionArn,
    pinned: Version,
    published: Version,
    known: Known<'_>,
) -> Decision {
    // If both are the same, AppFlow re-reads it.
    if published >= pinned {
        return update(at(registered, published));
    }
    let exists = match known.versions {
        Some(Reply::Known(versions)) => Some(Reply::Known(versions.contains(pinned))),
        _ => known.registered,
    };
    match exists {
        None => Decision::Ask(Question::Registered),
        Some(Reply::Known(false)) => update(at(registered, published)),
        Some(exists) => Decision::Skip(Skip::Older {
            published,
            registered: pinned,
            confirmed: exists == Reply::Known(true),
        }),
    }
}

/// Version *m* is registered, and a sweep runs.
fn sweep_pinned(
    registered: &FunctionArn,
    pinned: Version,
    to_newest: bool,
    known: Known<'_>,
) -> Decision {
    let versions = match known.versions {
        None => return Decision::Ask(Question::Versions),
        Some(Reply::NotAuthorized) => return refresh(registered),
        Some(Reply::Known(versions)) => versions,
    };
    match versions.newest() {
        None => Decision::NoVersion,
        Some(newest) if to_newest || !versions.contains(pinned) => update(at(registered, newest)),
        Some(newest) => Decision::Update {
            target: registered.clone(),
            behind: Some(newest).filter(|newest| *newest > pinned),
        },
    }
}

/// Pins an unqualified registration to the newest version, if there is one.
fn pin_to_newest(registered: &FunctionArn, known: Known<'_>) -> Decision {
    match known.versions {
        None => Decision::Ask(Question::Versions),
        Some(Reply::Known(versions)) => match versions.newest() {
            Some(newest) => update(at(registered, newest)),
            None => refresh(registered),
        },
        Some(Reply::NotAuthorized) => refresh(registered),
    }
}

fn refresh(registered: &FunctionArn) -> Decision {
    update(registered.clone())
}

fn update(target: FunctionArn) -> Decision {
    Decision::Update {
        target,
        behind: None,
    }
}

fn at(registered: &FunctionArn, version: Version) -> FunctionArn {
    registered.with_qualifier(Some(Qualifier::Version(version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn arn(qualifier: &str) -> FunctionArn {
        format!("{FUNCTION}{qualifier}").parse().unwrap()
    }

    fn published(version: u64) -> Happened {
        Happened::Changed(Change::Published(Version::new(version)))
    }

    fn moved(alias: &str, shifting: bool) -> Happened {
        Happened::Changed(Change::AliasMoved {
            alias: alias.to_owned(),
            shifting,
        })
    }

    fn sweep(to_newest: bool) -> Happened {
        Happened::Sweep { to_newest }
    }

    fn versions(numbers: &[u64]) -> Versions {
        let mut versions = Versions::default();
        for number in numbers {
            versions.add(Version::new(*number).unwrap(), "");
        }
        versions
    }

    /// A decision in a word: the target's qualifier, or else what it is.
    fn word(decision: &Decision) -> String {
        match decision {
            Decision::Update { target, behind } => {
                let qualifier = target
                    .qualifier()
                    .map_or("unqualified".to_owned(), ToString::to_string);
                match behind {
                    Some(newest) => format!("{qualifier}, behind {newest}"),
                    None => qualifier,
                }
            }
            Decision::Skip(Skip::Older { confirmed, .. }) => format!("older, {confirmed}"),
            Decision::Skip(_) => "skip".to_owned(),
            Decision::Ask(Question::Registered) => "does it exist?".to_owned(),
            Decision::Ask(Question::Versions) => "which versions?".to_owned(),
            Decision::NoVersion => "no version".to_owned(),
        }
    }

    fn check(registered: &str, happened: &Happened, form: RegisterAs, known: Known, cell: &str) {
        let decision = decide(&arn(registered), happened, form, known);
        assert_eq!(
            word(&decision),
            cell,
            "`{registered}`, {happened:?}, {form:?}, {known:?}"
        );
    }

    #[test]
    fn the_table_is_the_readme_s() {
        let table = |text: &str| -> Vec<String> {
            let rows = text.lines().map(|line| line.trim_start_matches("//! "));
            let rows = rows.skip_while(|line| !line.starts_with("| registered as"));
            rows.take_while(|line| line.starts_with('|'))
                .map(str::to_owned)
                .collect()
        };
        let here = table(include_str!("decide.rs"));
        assert_eq!(here.len(), 5);
        assert_eq!(table(include_str!("../../README.md")), here);
    }

    #[test]
    fn every_cell_of_the_table() {
        use RegisterAs::{Follow, Unqualified, Version as Versioned};
        let latest = &Happened::Changed(Change::LatestChanged);
        let latest_published = &Happened::Changed(Change::LatestPublished);
        for (registered, happened, form, cell) in [
            ("", &published(7), Follow, "unqualified"),
            ("", latest, Follow, "unqualified"),
            ("", &moved("live", false), Follow, "skip"),
            ("", &sweep(false), Follow, "unqualified"),
            ("", &sweep(true), Follow, "unqualified"),
            ("", latest_published, Follow, "unqualified"),
            (":$LATEST", &published(7), Follow, "$LATEST"),
            (":$LATEST", latest, Follow, "$LATEST"),
            (":$LATEST", &moved("live", false), Follow, "skip"),
            (":$LATEST", &sweep(false), Follow, "$LATEST"),
            (":$LATEST", latest_published, Follow, "skip"),
            (":6", &published(7), Follow, "7"),
            (":6", &published(10), Follow, "10"),
            (":6", &published(6), Follow, "6"),
            (":6", &published(5), Follow, "does it exist?"),
            (":6", &published(0), Follow, "which versions?"),
            (":6", latest, Follow, "skip"),
            (":6", &moved("live", false), Follow, "skip"),
            (":6", &sweep(false), Follow, "which versions?"),
            (":6", latest_published, Follow, "skip"),
            (":live", &published(7), Follow, "skip"),
            (":live", latest, Follow, "skip"),
            (":live", &moved("live", false), Follow, "live"),
            (":live", &moved("live", true), Follow, "skip"),
            (":live", &moved("beta", false), Follow, "skip"),
            (":live", &moved("beta", true), Follow, "skip"),
            (":live", &sweep(false), Follow, "live"),
            (":live", latest_published, Follow, "skip"),
            (
                ":$LATEST.PUBLISHED",
                latest_published,
                Follow,
                "$LATEST.PUBLISHED",
            ),
            (
                ":$LATEST.PUBLISHED",
                &sweep(false),
                Follow,
                "$LATEST.PUBLISHED",
            ),
            (":$LATEST.PUBLISHED", &published(7), Follow, "skip"),
            (":$LATEST.PUBLISHED", latest, Follow, "skip"),
            (":$LATEST.PUBLISHED", &moved("live", false), Follow, "skip"),
            // REGISTER_AS=version
            ("", &published(7), Versioned, "7"),
            (":$LATEST", &published(7), Versioned, "7"),
            ("", &published(0), Versioned, "which versions?"),
            ("", latest, Versioned, "unqualified"),
            ("", latest_published, Versioned, "unqualified"),
            ("", &sweep(false), Versioned, "which versions?"),
            (":6", &published(7), Versioned, "7"),
            (":6", &sweep(false), Versioned, "which versions?"),
            (":live", &published(7), Versioned, "skip"),
            (":live", &sweep(false), Versioned, "live"),
            // REGISTER_AS=unqualified
            ("", &published(7), Unqualified, "unqualified"),
            ("", &sweep(false), Unqualified, "unqualified"),
            (":6", &published(7), Unqualified, "unqualified"),
            (":6", &published(5), Unqualified, "unqualified"),
            (":6", &published(0), Unqualified, "unqualified"),
            (":6", &sweep(false), Unqualified, "unqualified"),
            (":6", latest, Unqualified, "skip"),
            (":6", &moved("live", false), Unqualified, "skip"),
            (":live", &published(7), Unqualified, "skip"),
            (":live", &sweep(false), Unqualified, "live"),
        ] {
            check(registered, happened, form, Known::default(), cell);
        }
    }

    #[test]
    fn the_versions_decide_what_was_left_open() {
        use RegisterAs::{Follow, Version as Versioned};
        for (registered, happened, form, exist, cell) in [
            (":6", sweep(false), Follow, &[5, 6][..], "6"),
            (":6", sweep(false), Follow, &[6, 8], "6, behind 8"),
            (":6", sweep(true), Follow, &[6, 8], "8"),
            (":6", sweep(true), Follow, &[5, 6], "6"),
            (":6", sweep(false), Versioned, &[6, 8], "8"),
            (":6", sweep(false), Follow, &[7, 8], "8"),
            (":6", sweep(false), Follow, &[1, 2], "2"),
            (":6", sweep(true), Follow, &[1, 2], "2"),
            (":6", sweep(false), Follow, &[], "no version"),
            (":6", published(0), Follow, &[6, 7], "7"),
            (":6", published(0), Follow, &[6], "6"),
            (":6", published(0), Follow, &[2], "2"),
            (":6", published(0), Follow, &[], "no version"),
            // Versions that are known already answer for the registered one too.
            (":6", published(5), Follow, &[5, 6], "older, true"),
            (":6", published(5), Follow, &[5], "5"),
            ("", published(0), Versioned, &[7], "7"),
            ("", published(0), Versioned, &[], "unqualified"),
            ("", sweep(false), Versioned, &[7], "7"),
            (":$LATEST", sweep(false), Versioned, &[], "$LATEST"),
        ] {
            let versions = versions(exist);
            let known = Known {
                versions: Some(Reply::Known(&versions)),
                ..Known::default()
            };
            check(registered, &happened, form, known, cell);
        }
    }

    #[test]
    fn an_older_version_is_only_moved_to_when_the_registered_one_is_known_to_be_gone() {
        for (exists, cell) in [
            (Reply::Known(true), "older, true"),
            (Reply::Known(false), "5"),
            (Reply::NotAuthorized, "older, false"),
        ] {
            let known = Known {
                registered: Some(exists),
                ..Known::default()
            };
            check(":6", &published(5), RegisterAs::Follow, known, cell);
        }
    }

    #[test]
    fn what_lambda_does_not_tell_leaves_a_registration_in_its_place() {
        let known = Known {
            versions: Some(Reply::NotAuthorized),
            ..Known::default()
        };
        for (registered, happened, form, cell) in [
            (":6", sweep(false), RegisterAs::Follow, "6"),
            (":6", sweep(true), RegisterAs::Follow, "6"),
            (":6", published(0), RegisterAs::Follow, "6"),
            ("", sweep(false), RegisterAs::Version, "unqualified"),
            ("", published(0), RegisterAs::Version, "unqualified"),
        ] {
            check(registered, &happened, form, known, cell);
        }
    }

    fn arns() -> impl Strategy<Value = FunctionArn> {
        "(|:\\$LATEST(\\.PUBLISHED)?|:[1-9][0-9]?|:[a-c])".prop_map(|qualifier| arn(&qualifier))
    }

    fn happenings() -> impl Strategy<Value = Happened> {
        prop_oneof![
            (0u64..100).prop_map(published),
            Just(Happened::Changed(Change::LatestChanged)),
            Just(Happened::Changed(Change::LatestPublished)),
            ("[a-c]", any::<bool>()).prop_map(|(alias, shifting)| moved(&alias, shifting)),
            any::<bool>().prop_map(sweep),
        ]
    }

    fn forms() -> impl Strategy<Value = RegisterAs> {
        prop_oneof![
            Just(RegisterAs::Follow),
            Just(RegisterAs::Version),
            Just(RegisterAs::Unqualified)
        ]
    }

    fn existence() -> impl Strategy<Value = Option<Reply<bool>>> {
        prop::option::of(prop_oneof![
            any::<bool>().prop_map(Reply::Known),
            Just(Reply::NotAuthorized)
        ])
    }

    fn published_versions() -> impl Strategy<Value = Option<Reply<Versions>>> {
        prop::option::of(prop_oneof![
            prop::collection::vec(1u64..100, 0..5)
                .prop_map(|numbers| Reply::Known(versions(&numbers))),
            Just(Reply::NotAuthorized)
        ])
    }

    proptest! {
        #[test]
        fn no_event_moves_a_registration_to_another_function_or_back(
            registered in arns(), happened in happenings(), form in forms(),
            exists in existence(), listed in published_versions(),
        ) {
            let known = Known {
                registered: exists,
                versions: listed.as_ref().map(|listed| match listed {
                    Reply::Known(versions) => Reply::Known(versions),
                    Reply::NotAuthorized => Reply::NotAuthorized,
                }),
            };
            if let Decision::Update { target, behind } = decide(&registered, &happened, form, known) {
                prop_assert_eq!(target.function(), registered.function());
                prop_assert_eq!(target.partition(), registered.partition());
                if let (Some(from), Some(to)) = (registered.version(), target.version()) {
                    let gone = match &listed {
                        Some(Reply::Known(versions)) => !versions.contains(from),
                        _ => exists == Some(Reply::Known(false)),
                    };
                    prop_assert!(to >= from || gone, "back from {} to {}", from, to);
                    prop_assert!(behind.is_none_or(|newest| newest > to));
                }
            }
        }

        #[test]
        fn a_question_is_asked_once(
            registered in arns(), happened in happenings(), form in forms(),
            exists in existence(), listed in published_versions(),
        ) {
            let listed = listed.unwrap_or(Reply::NotAuthorized);
            let known = Known {
                registered: Some(exists.unwrap_or(Reply::NotAuthorized)),
                versions: Some(match &listed {
                    Reply::Known(versions) => Reply::Known(versions),
                    Reply::NotAuthorized => Reply::NotAuthorized,
                }),
            };
            let decision = decide(&registered, &happened, form, known);
            prop_assert!(!matches!(decision, Decision::Ask(_)), "{:?}", decision);
        }

        #[test]
        fn follow_keeps_every_registration_in_its_form(
            registered in arns(), happened in happenings(),
        ) {
            let known = Known::default();
            if let Decision::Update { target, .. } =
                decide(&registered, &happened, RegisterAs::Follow, known)
            {
                prop_assert_eq!(
                    registered.qualifier().map(std::mem::discriminant),
                    target.qualifier().map(std::mem::discriminant)
                );
            }
        }

        #[test]
        fn a_registration_that_was_updated_stays_where_it_is(
            registered in arns(), happened in happenings(), form in forms(),
        ) {
            let known = Known::default();
            if let Decision::Update { target, .. } = decide(&registered, &happened, form, known)
                && let Decision::Update { target: again, .. } =
                    decide(&target, &happened, form, known)
            {
                prop_assert_eq!(again, target);
            }
        }
    }
}
