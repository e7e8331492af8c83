//! What changed about a function, and the form to keep registrations in.

use crate::model::function_arn::Version;

/// What changed about a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A version was published; `None` if CloudTrail cut the event, so that it is unknown which one.
    Published(Option<Version>),
    /// `$LATEST.PUBLISHED` was published (Lambda Managed Instances).
    LatestPublished,
    /// The unpublished code or configuration changed.
    LatestChanged,
    /// An alias was created or now points elsewhere.
    AliasMoved {
        /// The alias's name.
        alias: String,
        /// Whether the record of the call splits its traffic between two versions.
        split: bool,
        /// The additional version to which the call's request sends all traffic, if there is one.
        asked: Option<String>,
    },
}

/// `REGISTER_AS`: the form to keep registrations in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RegisterAs {
    /// Each registration keeps its form.
    #[default]
    Follow,
    /// Unqualified registrations become version-pinned at the next published version.
    Version,
}
