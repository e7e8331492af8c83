//! Decides what to do with one registration: the decision table, as a pure function.
//!
//! | registered as | version *n* published | `$LATEST` changed | alias *a* moved | sweep |
//! |---|---|---|---|---|
//! | no qualifier, or `$LATEST` | refresh | refresh | skip | refresh |
//! | version *m* | *n* > *m*: move to *n* · *n* = *m*: refresh · *n* < *m*: skip, unless version *m* no longer exists, then move to *n* · if the version to update with no longer exists: move to the newest | skip | skip | refresh, if nothing is newer · else skip, and report it as behind · with `move`, or if version *m* no longer exists: move to the newest |
//! | alias *b* | *b* points at `$LATEST`: refresh; else skip | *b* points at `$LATEST`: refresh; else skip | *a* = *b*: refresh; else skip | refresh |
//!
//! An alias that splits its traffic between two versions is skipped in each column, because either could
//! answer AppFlow.
//!
//! To *refresh* is to update with the ARN that is registered already; to *move*, with another version
//! of the same function. With [`RegisterAs::Version`], the first row moves to a version too, if one was
//! published. Publishing `$LATEST.PUBLISHED` refreshes registrations without a qualifier and those
//! registered with it. For the latter, only a sweep does so too. The function itself never changes: each
//! target is the registered ARN, with the same or another qualifier.

use crate::model::alias::{Alias as AliasState, Traffic};
use crate::model::change::{Change, RegisterAs};
use crate::model::function_arn::{FunctionArn, Qualifier, Version, Versions};
use crate::model::service_error::ServiceError;

/// Why a registration may need an update: the columns of the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The function changed.
    Changed(Change),
    /// Nothing is known to have changed: a sweep, or a version that no longer exists.
    Sweep {
        /// Whether version-pinned registrations move to the newest version.
        to_newest: bool,
    },
}

/// What to do with one registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Update it with this ARN: the registered one, or the same with another qualifier.
    Update(FunctionArn),
    /// Leave it alone.
    Skip(Skip),
    /// The registered version no longer exists, and the function has no other.
    NoVersion,
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
    /// Its alias splits its traffic between two versions, either of which AppFlow could invoke.
    AliasIsSplit(String),
    /// Whether its alias points at `$LATEST`, which changed, is unknown: the updater is not authorized to
    /// read the alias.
    AliasUnknown(String),
    /// It is pinned to a version, and no version was published.
    PinnedToVersion(Version),
    /// It follows the unpublished code, and something else changed.
    FollowsLatest,
    /// It follows `$LATEST.PUBLISHED`, and something else changed.
    FollowsLatestPublished,
    /// A sweep found it behind this version. To write the older one again could undo the move of an event
    /// that is being handled, and to move it could undo a rollback.
    Behind(Version),
    /// A sweep cannot see whether it is behind, because the updater is not authorized to list versions.
    VersionsUnknown(Version),
    /// A sweep found that its function, version, or alias no longer exists, with Lambda's error.
    Orphaned(ServiceError),
    /// A sweep found that its version no longer exists, and that this function has no other.
    NoVersion(FunctionArn),
}

/// Whether [`decide`] needs the function's published versions.
pub fn needs_versions(registered: &FunctionArn, cause: &Cause, register_as: RegisterAs) -> bool {
    use Cause::{Changed, Sweep};
    use Change::Published;
    match (registered.qualifier(), cause) {
        (Some(Qualifier::Version(pinned)), Changed(Published(Some(version)))) => version < pinned,
        (Some(Qualifier::Version(_)), Changed(Published(None)) | Sweep { .. }) => true,
        (None | Some(Qualifier::Latest), Changed(Published(None)) | Sweep { .. }) => {
            register_as == RegisterAs::Version
        }
        _ => false,
    }
}

/// Whether [`decide`] needs to know where the alias of `registered` sends its traffic. For a refresh, the read
/// of what the alias runs says so, which a dry run does without.
pub fn needs_alias(registered: &FunctionArn, cause: &Cause, dry_run: bool) -> bool {
    use Change::AliasMoved;
    match (registered.qualifier(), cause) {
        (Some(Qualifier::Alias(followed)), Cause::Changed(AliasMoved { alias, split, .. })) => {
            dry_run && alias == followed && !split
        }
        (Some(Qualifier::Alias(_)), Cause::Sweep { .. }) => dry_run,
        (Some(Qualifier::Alias(_)), _) => true,
        _ => false,
    }
}

/// Looks up the table's cell for a registration and a cause. `versions` are the function's published
/// versions, and `alias` is the alias of `registered`; `None` if they are not needed, or if the updater is
/// not authorized to read them.
pub fn decide(
    registered: &FunctionArn,
    cause: &Cause,
    register_as: RegisterAs,
    versions: Option<&Versions>,
    alias: Option<&AliasState>,
) -> Decision {
    use Cause::{Changed, Sweep};
    use Change::{AliasMoved, LatestChanged, LatestPublished, Published};
    use Qualifier::{Alias, Latest, LatestPublished as OnManagedInstances, Version as Pinned};
    use RegisterAs::Version as Versioned;
    use Traffic::Split;

    let newest = versions.and_then(|versions| versions.last().copied());
    let exists = |version| versions.is_some_and(|versions| versions.contains(version));
    let stays_behind = *cause == Sweep { to_newest: false } && register_as == RegisterAs::Follow;
    let refresh = || Decision::Update(registered.clone());
    let at = |version| Decision::Update(registered.with_qualifier(Some(Pinned(version))));
    let skip = Decision::Skip;

    match (registered.qualifier(), cause) {
        // No qualifier, or `$LATEST`.
        (None | Some(Latest), Changed(Published(version))) if register_as == Versioned => {
            version.or(newest).map_or_else(refresh, at)
        }
        (None | Some(Latest), Sweep { .. }) if register_as == Versioned => {
            newest.map_or_else(refresh, at)
        }
        (None | Some(Latest), Changed(Published(_) | LatestChanged) | Sweep { .. }) => refresh(),
        (None, Changed(LatestPublished)) => refresh(),
        (None, Changed(AliasMoved { .. })) => skip(Skip::FollowsLatest),
        (Some(Latest), Changed(AliasMoved { .. } | LatestPublished)) => skip(Skip::FollowsLatest),

        // A version.
        (Some(Pinned(pinned)), Changed(Published(Some(version)))) => match versions {
            _ if version >= pinned => at(*version),
            Some(_) if !exists(pinned) => at(*version),
            known => skip(Skip::Older {
                published: *version,
                registered: *pinned,
                confirmed: known.is_some(),
            }),
        },
        (Some(Pinned(pinned)), Changed(Published(None)) | Sweep { .. }) => match (versions, newest)
        {
            (None, _) => skip(Skip::VersionsUnknown(*pinned)),
            (_, None) => Decision::NoVersion,
            (_, Some(newest)) if stays_behind && newest > *pinned && exists(pinned) => {
                skip(Skip::Behind(newest))
            }
            (_, Some(newest)) => at(newest),
        },
        (Some(Pinned(pinned)), Changed(LatestChanged | LatestPublished | AliasMoved { .. })) => {
            skip(Skip::PinnedToVersion(*pinned))
        }

        // An alias.
        (Some(Alias(followed)), Changed(AliasMoved { alias, .. })) if alias != followed => {
            skip(Skip::AnotherAlias {
                moved: alias.clone(),
                registered: followed.clone(),
            })
        }
        (Some(Alias(followed)), Changed(AliasMoved { split: true, .. })) => {
            skip(Skip::AliasIsSplit(followed.clone()))
        }
        (Some(Alias(followed)), _) if alias.is_some_and(|alias| alias.traffic == Split) => {
            skip(Skip::AliasIsSplit(followed.clone()))
        }
        (Some(Alias(_)), Changed(AliasMoved { .. }) | Sweep { .. }) => refresh(),
        (Some(Alias(followed)), Changed(Published(_) | LatestChanged | LatestPublished)) => {
            match alias {
                Some(alias) if alias.version == Latest => refresh(),
                Some(_) => skip(Skip::FollowsAlias(followed.clone())),
                None => skip(Skip::AliasUnknown(followed.clone())),
            }
        }

        // `$LATEST.PUBLISHED`.
        (Some(OnManagedInstances), Changed(LatestPublished) | Sweep { .. }) => refresh(),
        (Some(OnManagedInstances), Changed(Published(_) | LatestChanged | AliasMoved { .. })) => {
            skip(Skip::FollowsLatestPublished)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn arn(qualifier: &str) -> FunctionArn {
        format!("{FUNCTION}{qualifier}").parse().unwrap()
    }

    fn published(version: u64) -> Cause {
        Cause::Changed(Change::Published(Version::new(version)))
    }

    fn moved(alias: &str, split: bool) -> Cause {
        Cause::Changed(Change::AliasMoved {
            alias: alias.to_owned(),
            split,
            asked: None,
            points: true,
        })
    }

    /// An alias that points at `version` and gives version 9 this weight.
    fn alias(version: &str, weight: f64) -> AliasState {
        let nine = "9".parse().unwrap();
        AliasState::new(version.parse().unwrap(), [(nine, weight)])
    }

    fn sweep(to_newest: bool) -> Cause {
        Cause::Sweep { to_newest }
    }

    fn versions(numbers: &[u64]) -> Versions {
        let numbers = numbers.iter();
        numbers.filter_map(|number| Version::new(*number)).collect()
    }

    /// A decision in a word: the target's qualifier, or else what it is.
    fn word(decision: &Decision) -> String {
        match decision {
            Decision::Update(target) => target
                .qualifier()
                .map_or("unqualified".to_owned(), ToString::to_string),
            Decision::Skip(Skip::Older { confirmed, .. }) => format!("older, {confirmed}"),
            Decision::Skip(Skip::Behind(newest)) => format!("behind {newest}"),
            Decision::Skip(Skip::VersionsUnknown(_)) => "versions unknown".to_owned(),
            Decision::Skip(Skip::AliasIsSplit(_)) => "split".to_owned(),
            Decision::Skip(Skip::AliasUnknown(_)) => "alias unknown".to_owned(),
            Decision::Skip(_) => "skip".to_owned(),
            Decision::NoVersion => "no version".to_owned(),
        }
    }

    fn check(
        registered: &str,
        cause: &Cause,
        form: RegisterAs,
        versions: Option<&Versions>,
        cell: &str,
    ) {
        let decision = decide(&arn(registered), cause, form, versions, None);
        assert_eq!(
            word(&decision),
            cell,
            "`{registered}`, {cause:?}, {form:?}, {versions:?}"
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
        assert_eq!(table(include_str!("../README.md")), here);
    }

    #[test]
    fn every_cell_of_the_table() {
        use RegisterAs::{Follow, Version as Versioned};
        let latest = &Cause::Changed(Change::LatestChanged);
        let latest_published = &Cause::Changed(Change::LatestPublished);
        for (registered, cause, form, cell) in [
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
            (":6", &published(5), Follow, "which versions?"),
            (":6", &published(0), Follow, "which versions?"),
            (":6", latest, Follow, "skip"),
            (":6", &moved("live", false), Follow, "skip"),
            (":6", &sweep(false), Follow, "which versions?"),
            (":6", latest_published, Follow, "skip"),
            (":live", &moved("live", true), Follow, "split"),
            (":live", &moved("beta", false), Follow, "skip"),
            (":live", &moved("beta", true), Follow, "skip"),
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
        ] {
            if cell == "which versions?" {
                assert!(
                    needs_versions(&arn(registered), cause, form),
                    "`{registered}`"
                );
            } else {
                assert!(
                    !needs_versions(&arn(registered), cause, form),
                    "`{registered}`"
                );
                assert!(
                    !needs_alias(&arn(registered), cause, true),
                    "`{registered}`"
                );
                check(registered, cause, form, None, cell);
            }
        }
    }

    #[test]
    fn where_an_alias_points_decides_what_was_left_open() {
        let (plain, at_latest) = (alias("6", 0.0), alias("$LATEST", 0.0));
        let (split, all_to_another) = (alias("6", 0.5), alias("6", 1.0));
        let latest = || Cause::Changed(Change::LatestChanged);
        let latest_published = || Cause::Changed(Change::LatestPublished);
        for (cause, alias, cell) in [
            (published(7), Some(&plain), "skip"),
            (published(7), Some(&at_latest), "live"),
            (published(7), Some(&split), "split"),
            (published(7), Some(&all_to_another), "skip"),
            (published(7), None, "alias unknown"),
            (latest(), Some(&plain), "skip"),
            (latest(), Some(&at_latest), "live"),
            (latest(), Some(&split), "split"),
            (latest(), None, "alias unknown"),
            (latest_published(), Some(&plain), "skip"),
            (latest_published(), Some(&at_latest), "live"),
            (latest_published(), None, "alias unknown"),
            (moved("live", false), Some(&plain), "live"),
            (moved("live", false), Some(&at_latest), "live"),
            (moved("live", false), Some(&split), "split"),
            (moved("live", false), Some(&all_to_another), "live"),
            (moved("live", false), None, "live"),
            (sweep(false), Some(&plain), "live"),
            (sweep(false), Some(&at_latest), "live"),
            (sweep(false), Some(&split), "split"),
            (sweep(true), Some(&all_to_another), "live"),
            (sweep(false), None, "live"),
        ] {
            let live = arn(":live");
            assert!(needs_alias(&live, &cause, true), "{cause:?}");
            let of_another = matches!(
                cause,
                Cause::Changed(
                    Change::Published(_) | Change::LatestChanged | Change::LatestPublished
                )
            );
            assert_eq!(needs_alias(&live, &cause, false), of_another, "{cause:?}");
            for form in [RegisterAs::Follow, RegisterAs::Version] {
                let decision = decide(&live, &cause, form, None, alias);
                assert_eq!(word(&decision), cell, "{cause:?}, {alias:?}");
            }
        }
    }

    #[test]
    fn the_versions_decide_what_was_left_open() {
        use RegisterAs::{Follow, Version as Versioned};
        for (registered, cause, form, exist, cell) in [
            (":6", sweep(false), Follow, &[5, 6][..], "6"),
            (":6", sweep(false), Follow, &[6, 8], "behind 8"),
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
            (":6", published(5), Follow, &[5, 6], "older, true"),
            (":6", published(5), Follow, &[5], "5"),
            ("", published(0), Versioned, &[7], "7"),
            ("", published(0), Versioned, &[], "unqualified"),
            ("", sweep(false), Versioned, &[7], "7"),
            (":$LATEST", sweep(false), Versioned, &[], "$LATEST"),
        ] {
            check(registered, &cause, form, Some(&versions(exist)), cell);
        }
    }

    #[test]
    fn without_the_versions_a_registration_stays_where_it_is() {
        for (registered, cause, form, cell) in [
            (":6", sweep(false), RegisterAs::Follow, "versions unknown"),
            (":6", sweep(true), RegisterAs::Follow, "versions unknown"),
            (":6", published(0), RegisterAs::Follow, "versions unknown"),
            (":6", published(5), RegisterAs::Follow, "older, false"),
            ("", sweep(false), RegisterAs::Version, "unqualified"),
            ("", published(0), RegisterAs::Version, "unqualified"),
        ] {
            check(registered, &cause, form, None, cell);
        }
    }

    fn arns() -> impl Strategy<Value = FunctionArn> {
        "(|:\\$LATEST(\\.PUBLISHED)?|:[1-9][0-9]?|:[a-c])".prop_map(|qualifier| arn(&qualifier))
    }

    fn causes() -> impl Strategy<Value = Cause> {
        prop_oneof![
            (0u64..100).prop_map(published),
            Just(Cause::Changed(Change::LatestChanged)),
            Just(Cause::Changed(Change::LatestPublished)),
            ("[a-c]", any::<bool>()).prop_map(|(alias, split)| moved(&alias, split)),
            any::<bool>().prop_map(sweep),
        ]
    }

    fn forms() -> impl Strategy<Value = RegisterAs> {
        prop_oneof![Just(RegisterAs::Follow), Just(RegisterAs::Version),]
    }

    fn aliases() -> impl Strategy<Value = Option<AliasState>> {
        let weights = prop::sample::select(vec![0.0, 0.5, 1.0]);
        let versions = prop::sample::select(vec!["6", "$LATEST"]);
        prop::option::of((versions, weights).prop_map(|(version, weight)| alias(version, weight)))
    }

    fn listed() -> impl Strategy<Value = Option<Versions>> {
        prop::option::of(
            prop::collection::vec(1u64..100, 0..5).prop_map(|numbers| versions(&numbers)),
        )
    }

    proptest! {
        #[test]
        fn no_event_moves_a_registration_to_another_function_or_back(
            registered in arns(), cause in causes(), form in forms(), listed in listed(), alias in aliases(),
        ) {
            let decision = decide(&registered, &cause, form, listed.as_ref(), alias.as_ref());
            if let Decision::Update(target) = decision {
                prop_assert_eq!(target.function(), registered.function());
                prop_assert_eq!(target.partition(), registered.partition());
                if let (Some(from), Some(to)) = (registered.version(), target.version()) {
                    let gone = listed.is_some_and(|versions| !versions.contains(&from));
                    prop_assert!(to >= from || gone, "back from {} to {}", from, to);
                }
            }
        }

        #[test]
        fn a_plain_sweep_writes_no_version_while_a_newer_one_exists(
            registered in arns(), listed in listed(),
        ) {
            let versions = listed.as_ref();
            if let Decision::Update(target) = decide(&registered, &sweep(false), RegisterAs::Follow, versions, None)
                && let Some(to) = target.version()
            {
                prop_assert_eq!(versions.and_then(|versions| versions.last().copied()), Some(to));
            }
        }

        #[test]
        fn versions_and_aliases_make_a_difference_only_where_they_are_needed(
            registered in arns(), cause in causes(), form in forms(), listed in listed(), alias in aliases(),
        ) {
            let with = |listed, alias| decide(&registered, &cause, form, listed, alias);
            let (listed, alias) = (listed.as_ref(), alias.as_ref());
            if !needs_versions(&registered, &cause, form) {
                prop_assert_eq!(with(listed, alias), with(None, alias));
            }
            if !needs_alias(&registered, &cause, true) {
                prop_assert_eq!(with(listed, alias), with(listed, None));
            }
        }

        #[test]
        fn follow_keeps_every_registration_in_its_form(
            registered in arns(), cause in causes(), alias in aliases(),
        ) {
            if let Decision::Update(target) =
                decide(&registered, &cause, RegisterAs::Follow, None, alias.as_ref())
            {
                prop_assert_eq!(
                    registered.qualifier().map(std::mem::discriminant),
                    target.qualifier().map(std::mem::discriminant)
                );
            }
        }

        #[test]
        fn a_registration_that_was_updated_stays_where_it_is(
            registered in arns(), cause in causes(), form in forms(),
        ) {
            if let Decision::Update(target) = decide(&registered, &cause, form, None, None)
                && let Decision::Update(again) = decide(&target, &cause, form, None, None)
            {
                prop_assert_eq!(again, target);
            }
        }
    }
}
