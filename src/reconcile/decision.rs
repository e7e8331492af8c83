//! What becomes of one registration: the decision table of this crate, and nothing that does I/O.
//!
//! | registered as | version *n* published | `$LATEST` changed | alias *a* moved | sweep |
//! |---|---|---|---|---|
//! | no qualifier, or `$LATEST` | refresh | refresh | skip | refresh |
//! | version *m* | *n* > *m*: move to *n* · *n* = *m*: skip · *n* < *m*: skip, unless *m* is gone | skip | skip | move to the newest |
//! | alias *b* | skip | skip | *a* = *b*: refresh, unless it shifts traffic; else skip | refresh |
//!
//! To *refresh* is to update with the ARN that is registered already; to *move*, with another
//! version of the same function. [`RegisterAs`] can turn the first row into the second and back.
//! Whatever the event says, the function itself never changes: every ARN here is the registered
//! one with another qualifier.

use std::fmt;

use crate::model::function_arn::{FunctionArn, Qualifier, Version};

/// What happened to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A version was published; `None` where the event was cut and does not tell which.
    Published(Option<Version>),
    /// The unpublished code or configuration changed.
    LatestChanged,
    /// An alias was created or now points elsewhere.
    AliasMoved {
        /// The alias's name.
        alias: String,
        /// The version it points at, where the event tells.
        version: Option<Version>,
        /// Whether it still sends some of its traffic to a second version.
        shifting: bool,
    },
}

impl Change {
    /// The version that was published or that the alias points at, where the event tells.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Published(version) | Self::AliasMoved { version, .. } => *version,
            Self::LatestChanged => None,
        }
    }
}

/// `REGISTER_AS`: the form that registrations are kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegisterAs {
    /// Each registration keeps its form.
    #[default]
    Follow,
    /// Unqualified registrations become version-pinned at the next published version.
    Version,
    /// Version-pinned registrations become unqualified at the next published version.
    Unqualified,
}

/// What to do with one registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Update it with this ARN.
    Update(FunctionArn),
    /// Update it with an older version if the one that it is registered with no longer exists, as
    /// after a function was deleted and created anew.
    UpdateIfGone {
        /// The ARN of the older version.
        target: FunctionArn,
        /// Why it is left alone if the registered version exists.
        otherwise: Skip,
    },
    /// Ask which published version is the newest, and call [`with_newest`].
    FindNewest,
    /// Leave it alone.
    Skip(Skip),
}

/// Why a registration is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is registered with the version that was published.
    AlreadyThere(Version),
    /// It is registered with a newer version than the event's: events come late and out of order.
    Older {
        /// The event's version.
        published: Version,
        /// The version that it is registered with.
        registered: Version,
    },
    /// It follows an alias, whose own event comes when the alias moves.
    FollowsAlias(String),
    /// Another alias moved than the one that it is registered with.
    AnotherAlias {
        /// The alias that moved.
        moved: String,
        /// The alias that it is registered with.
        registered: String,
    },
    /// Its alias still sends traffic to two versions, either of which might answer AppFlow.
    AliasIsShifting(String),
    /// It is pinned to a version, and no version was published.
    PinnedToVersion(Version),
    /// It follows the unpublished code, and an alias moved.
    FollowsLatest,
}

/// The row and column of the table for a registration and an event.
pub fn decide(registered: &FunctionArn, change: &Change, register_as: RegisterAs) -> Decision {
    use Change::{AliasMoved, LatestChanged, Published};
    use Decision::{FindNewest, Update};

    match (registered.qualifier(), change) {
        (None | Some(Qualifier::Latest), Published(version)) => match (register_as, version) {
            (RegisterAs::Version, Some(version)) => Update(at_version(registered, *version)),
            (RegisterAs::Version, None) => FindNewest,
            (RegisterAs::Follow | RegisterAs::Unqualified, _) => refresh(registered),
        },
        (None | Some(Qualifier::Latest), LatestChanged) => refresh(registered),
        (None | Some(Qualifier::Latest), AliasMoved { .. }) => skip(Skip::FollowsLatest),

        (Some(Qualifier::Version(pinned)), Published(version)) => match (register_as, version) {
            (RegisterAs::Unqualified, _) => Update(registered.with_qualifier(None)),
            (_, None) => FindNewest,
            (_, Some(version)) if version == pinned => skip(Skip::AlreadyThere(*pinned)),
            (_, Some(version)) => forward(registered, *pinned, *version),
        },
        (Some(Qualifier::Version(pinned)), LatestChanged | AliasMoved { .. }) => {
            skip(Skip::PinnedToVersion(*pinned))
        }

        (Some(Qualifier::Alias(followed)), Published(_) | LatestChanged) => {
            skip(Skip::FollowsAlias(followed.clone()))
        }
        (Some(Qualifier::Alias(followed)), AliasMoved { alias, .. }) if alias != followed => {
            skip(Skip::AnotherAlias {
                moved: alias.clone(),
                registered: followed.clone(),
            })
        }
        (Some(Qualifier::Alias(followed)), AliasMoved { shifting: true, .. }) => {
            skip(Skip::AliasIsShifting(followed.clone()))
        }
        (Some(Qualifier::Alias(_)), AliasMoved { .. }) => refresh(registered),
    }
}

/// The sweep's column of the table: what brings a registration to where its events would have.
pub fn decide_sweep(registered: &FunctionArn, register_as: RegisterAs) -> Decision {
    match (registered.qualifier(), register_as) {
        (None | Some(Qualifier::Latest), RegisterAs::Version) => Decision::FindNewest,
        (None | Some(Qualifier::Latest), RegisterAs::Follow | RegisterAs::Unqualified) => {
            refresh(registered)
        }
        (Some(Qualifier::Version(_)), RegisterAs::Unqualified) => {
            Decision::Update(registered.with_qualifier(None))
        }
        (Some(Qualifier::Version(_)), RegisterAs::Follow | RegisterAs::Version) => {
            Decision::FindNewest
        }
        (Some(Qualifier::Alias(_)), _) => refresh(registered),
    }
}

/// What [`Decision::FindNewest`] comes to once the newest published version is known. Unlike an
/// event, this refreshes a registration that is at the newest version already: its function may
/// have been created anew and have reached the same number again.
///
/// `None` for a registration that is pinned to a version of a function that has none.
pub fn with_newest(registered: &FunctionArn, newest: Option<Version>) -> Option<Decision> {
    match (registered.qualifier(), newest) {
        (Some(Qualifier::Version(_)), None) => None,
        (Some(Qualifier::Version(pinned)), Some(newest)) if newest != *pinned => {
            Some(forward(registered, *pinned, newest))
        }
        (None | Some(Qualifier::Latest), Some(newest)) => {
            Some(Decision::Update(at_version(registered, newest)))
        }
        _ => Some(refresh(registered)),
    }
}

/// To another version than the pinned one: never back, while the pinned one exists.
fn forward(registered: &FunctionArn, pinned: Version, version: Version) -> Decision {
    let target = at_version(registered, version);
    if version > pinned {
        return Decision::Update(target);
    }
    Decision::UpdateIfGone {
        target,
        otherwise: Skip::Older {
            published: version,
            registered: pinned,
        },
    }
}

fn refresh(registered: &FunctionArn) -> Decision {
    Decision::Update(registered.clone())
}

fn at_version(registered: &FunctionArn, version: Version) -> FunctionArn {
    registered.with_qualifier(Some(Qualifier::Version(version)))
}

fn skip(reason: Skip) -> Decision {
    Decision::Skip(reason)
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyThere(version) => {
                write!(f, "already registered with version {version}")
            }
            Self::Older {
                published,
                registered,
            } => write!(
                f,
                "version {published} is older than the registered version {registered}"
            ),
            Self::FollowsAlias(alias) => write!(
                f,
                "registered with alias {alias}: it is updated when the alias moves"
            ),
            Self::AnotherAlias { moved, registered } => write!(
                f,
                "alias {moved} moved, and this is registered with alias {registered}"
            ),
            Self::AliasIsShifting(alias) => write!(
                f,
                "alias {alias} still shifts traffic between two versions: it is updated when the \
                 shift ends"
            ),
            Self::PinnedToVersion(version) => write!(
                f,
                "registered with version {version}: it moves when a version is published"
            ),
            Self::FollowsLatest => {
                f.write_str("registered without a version: moving an alias does not change it")
            }
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

    fn published(version: u64) -> Change {
        Change::Published(Version::new(version))
    }

    fn moved(alias: &str, shifting: bool) -> Change {
        Change::AliasMoved {
            alias: alias.to_owned(),
            version: Version::new(7),
            shifting,
        }
    }

    /// What a decision comes to, in a word or two.
    fn word(decision: &Decision) -> String {
        let qualifier = |arn: &FunctionArn| {
            arn.qualifier()
                .map_or_else(|| "unqualified".to_owned(), ToString::to_string)
        };
        match decision {
            Decision::Update(arn) => qualifier(arn),
            Decision::UpdateIfGone { target, .. } => format!("{} if gone", qualifier(target)),
            Decision::FindNewest => "newest".to_owned(),
            Decision::Skip(_) => "skip".to_owned(),
        }
    }

    #[test]
    fn every_cell_of_the_table() {
        use RegisterAs::{Follow, Unqualified, Version as Pinned};
        let cut = Change::Published(None);
        let latest = Change::LatestChanged;
        for (registered, change, register_as, expected) in [
            ("", published(7), Follow, "unqualified"),
            ("", cut.clone(), Follow, "unqualified"),
            ("", latest.clone(), Follow, "unqualified"),
            ("", moved("live", false), Follow, "skip"),
            (":$LATEST", published(7), Follow, "$LATEST"),
            (":$LATEST", latest.clone(), Follow, "$LATEST"),
            (":$LATEST", moved("live", false), Follow, "skip"),
            (":6", published(7), Follow, "7"),
            (":7", published(7), Follow, "skip"),
            (":8", published(7), Follow, "7 if gone"),
            (":10", published(9), Follow, "9 if gone"),
            (":9", published(10), Follow, "10"),
            (":6", cut.clone(), Follow, "newest"),
            (":6", latest.clone(), Follow, "skip"),
            (":6", moved("live", false), Follow, "skip"),
            (":live", published(7), Follow, "skip"),
            (":live", cut.clone(), Follow, "skip"),
            (":live", latest.clone(), Follow, "skip"),
            (":live", moved("live", false), Follow, "live"),
            (":live", moved("live", true), Follow, "skip"),
            (":live", moved("Live", false), Follow, "skip"),
            (":live", moved("beta", false), Follow, "skip"),
            ("", published(7), Pinned, "7"),
            (":$LATEST", published(7), Pinned, "7"),
            ("", cut.clone(), Pinned, "newest"),
            ("", latest.clone(), Pinned, "unqualified"),
            ("", moved("live", false), Pinned, "skip"),
            (":6", published(7), Pinned, "7"),
            (":live", published(7), Pinned, "skip"),
            (":live", moved("live", false), Pinned, "live"),
            ("", published(7), Unqualified, "unqualified"),
            (":6", published(7), Unqualified, "unqualified"),
            (":6", cut, Unqualified, "unqualified"),
            (":6", latest, Unqualified, "skip"),
            (":6", moved("live", false), Unqualified, "skip"),
            (":live", published(7), Unqualified, "skip"),
            (":live", moved("live", false), Unqualified, "live"),
        ] {
            let decision = decide(&arn(registered), &change, register_as);
            assert_eq!(
                word(&decision),
                expected,
                "`{registered}`, {change:?}, {register_as:?}"
            );
        }
    }

    #[test]
    fn every_cell_of_the_sweep() {
        use RegisterAs::{Follow, Unqualified, Version as Pinned};
        for (registered, register_as, expected) in [
            ("", Follow, "unqualified"),
            (":$LATEST", Follow, "$LATEST"),
            (":6", Follow, "newest"),
            (":live", Follow, "live"),
            ("", Pinned, "newest"),
            (":6", Pinned, "newest"),
            (":live", Pinned, "live"),
            ("", Unqualified, "unqualified"),
            (":6", Unqualified, "unqualified"),
            (":live", Unqualified, "live"),
        ] {
            let decision = decide_sweep(&arn(registered), register_as);
            assert_eq!(word(&decision), expected, "`{registered}`, {register_as:?}");
        }
    }

    #[test]
    fn the_newest_version_decides_what_was_left_open() {
        for (registered, newest, expected) in [
            (":6", 7, Some("7")),
            (":6", 6, Some("6")),
            (":6", 2, Some("2 if gone")),
            (":6", 0, None),
            ("", 7, Some("7")),
            ("", 0, Some("unqualified")),
            (":$LATEST", 0, Some("$LATEST")),
        ] {
            let decision = with_newest(&arn(registered), Version::new(newest));
            assert_eq!(
                decision.as_ref().map(word).as_deref(),
                expected,
                "`{registered}`, {newest}"
            );
        }
    }

    fn arns() -> impl Strategy<Value = FunctionArn> {
        "(|:\\$LATEST|:[1-9][0-9]?|:[a-c])".prop_map(|qualifier| arn(&qualifier))
    }

    fn changes() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0u64..100).prop_map(published),
            Just(Change::LatestChanged),
            ("[a-c]", any::<bool>()).prop_map(|(alias, shifting)| moved(&alias, shifting)),
        ]
    }

    fn forms() -> impl Strategy<Value = RegisterAs> {
        prop_oneof![
            Just(RegisterAs::Follow),
            Just(RegisterAs::Version),
            Just(RegisterAs::Unqualified)
        ]
    }

    proptest! {
        #[test]
        fn no_event_moves_a_registration_to_another_function_or_back(
            registered in arns(), change in changes(), form in forms(), newest in 0u64..100,
        ) {
            for decision in [
                Some(decide(&registered, &change, form)),
                Some(decide_sweep(&registered, form)),
                with_newest(&registered, Version::new(newest)),
            ].into_iter().flatten() {
                if let Decision::Update(target) | Decision::UpdateIfGone { target, .. } = &decision {
                    prop_assert_eq!(target.function(), registered.function());
                    prop_assert_eq!(target.partition(), registered.partition());
                }
                if let (Decision::Update(target), Some(Qualifier::Version(from)))
                    = (&decision, registered.qualifier())
                    && let Some(Qualifier::Version(to)) = target.qualifier()
                {
                    prop_assert!(to >= from);
                }
            }
        }

        #[test]
        fn follow_keeps_every_registration_in_its_form(registered in arns(), change in changes()) {
            if let Decision::Update(target) = decide(&registered, &change, RegisterAs::Follow) {
                prop_assert_eq!(
                    registered.qualifier().map(std::mem::discriminant),
                    target.qualifier().map(std::mem::discriminant)
                );
            }
        }

        #[test]
        fn a_registration_that_was_moved_is_not_moved_again(
            registered in arns(), change in changes(), form in forms(),
        ) {
            if let Decision::Update(target) = decide(&registered, &change, form) {
                match decide(&target, &change, form) {
                    Decision::Update(again) => prop_assert_eq!(again, target),
                    Decision::Skip(_) | Decision::FindNewest => {}
                    Decision::UpdateIfGone { target, .. } => prop_assert!(false, "back to {target}"),
                }
            }
        }
    }
}
