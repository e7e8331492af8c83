//! A function, and the code of its versions.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use super::alias::Alias;
use super::code::Code;
use super::reference::{LATEST, LATEST_PUBLISHED};
use super::state::{LastUpdate, Settles, State};

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) latest: Deployed,
    /// `$LATEST.PUBLISHED`, which only a function on Lambda Managed Instances has.
    pub(super) latest_published: Option<Deployed>,
    pub(super) versions: BTreeMap<u64, Deployed>,
    /// The highest version number so far, which is not reused after a version is deleted.
    pub(super) published: u64,
    pub(super) aliases: BTreeMap<String, Alias>,
    /// `CapacityProviderConfig`: with one, the function is on Lambda Managed Instances.
    pub(super) capacity_provider: Option<Value>,
    /// The statements by qualifier, which is empty for the unqualified function.
    pub(super) policies: BTreeMap<String, Vec<Value>>,
}

/// What is deployed as one version, `$LATEST`, or `$LATEST.PUBLISHED`.
#[derive(Clone, Debug)]
pub(super) struct Deployed {
    pub(super) code: Code,
    /// The code that runs while an update is in progress, or after it failed.
    pub(super) before: Option<Code>,
    /// The code from before the last change, and until when invocations still run it.
    pub(super) stale: Option<(Code, Instant)>,
    /// When reads begin to know it, if it was just published.
    pub(super) known_from: Option<Instant>,
    /// The same for lists.
    pub(super) listed_from: Option<Instant>,
    pub(super) description: String,
    pub(super) state: State,
    /// The state that it settles into.
    pub(super) settled: State,
    pub(super) last_update: LastUpdate,
    pub(super) settles: Settles,
    pub(super) modified: String,
    pub(super) revision: u64,
}

impl Function {
    pub(super) fn deployed(&self, version: &str) -> Option<&Deployed> {
        match version {
            LATEST => Some(&self.latest),
            LATEST_PUBLISHED => self.latest_published.as_ref(),
            version => self.versions.get(&version.parse().ok()?),
        }
    }

    pub(super) fn deployed_mut(&mut self, version: &str) -> Option<&mut Deployed> {
        match version {
            LATEST => Some(&mut self.latest),
            LATEST_PUBLISHED => self.latest_published.as_mut(),
            version => self.versions.get_mut(&version.parse().ok()?),
        }
    }

    /// What an invocation without a qualifier runs.
    pub(super) fn unqualified(&self) -> &'static str {
        match self.capacity_provider {
            Some(_) => LATEST_PUBLISHED,
            None => LATEST,
        }
    }

    /// The version that an invocation of a qualifier runs.
    pub(super) fn turn(&mut self, qualifier: &str) -> Option<String> {
        match self.aliases.get_mut(qualifier) {
            Some(alias) => Some(alias.turn()),
            None => self.deployed(qualifier).map(|_| qualifier.to_owned()),
        }
    }
}

impl Deployed {
    /// Whether reads know it.
    pub(super) fn is_known(&self) -> bool {
        self.known_from.is_none_or(|from| Instant::now() >= from)
    }

    /// Whether lists have it.
    pub(super) fn is_listed(&self) -> bool {
        self.listed_from.is_none_or(|from| Instant::now() >= from)
    }

    /// The code that an invocation runs, if the function is `Active` and its last update is successful.
    pub(super) fn served(&self) -> &Code {
        match &self.stale {
            Some((stale, until)) if Instant::now() < *until => stale,
            _ => &self.code,
        }
    }

    /// Counts one GetFunctionConfiguration call.
    pub(super) fn look(&mut self) {
        if let Settles::AfterLooks(left) = &mut self.settles {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.settle();
            }
        }
    }

    pub(super) fn settle_by_time(&mut self) {
        if matches!(self.settles, Settles::At(at) if Instant::now() >= at) {
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        self.state = self.settled.clone();
        self.last_update = LastUpdate::Successful;
        self.before = None;
        self.settles = Settles::Settled;
    }
}
