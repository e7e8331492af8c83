//! What changed about a function, and the form to keep registrations in.

use crate::model::function_arn::Version;

/// What changed about a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A version was published; `None` if the event does not have its number, so that it has to be
    /// looked up.
    Published(Option<Version>),
    /// `$LATEST.PUBLISHED` was published (Lambda Managed Instances).
    LatestPublished,
    /// The unpublished code or configuration changed.
    LatestChanged,
    /// An alias was created or now points elsewhere.
    AliasMoved {
        /// The alias's name.
        alias: String,
        /// Whether the event has weights between 0 and 1, so that two versions share its traffic.
        split: bool,
        /// The additional version to which the request gives all traffic, as text. Lambda itself gives
        /// such a weight while it provisions concurrency, and that one nobody asked for.
        asked: Option<String>,
        /// Whether the request points the alias at a version, as far as that is known. Only then does Lambda
        /// give weights of its own.
        points: bool,
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
