//! A minimal Lambda: one function with an alias, what can happen to it, and what it answers. Times are
//! increasing numbers, and the code of a deployment is its time.

use std::collections::BTreeMap;

use connector_updater::model::alias::Alias;
use connector_updater::model::change::Change;
use connector_updater::model::function_arn::{FunctionArn, Qualifier, Version, Versions};
use connector_updater::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};

use crate::world::error;

/// The alias that the registration may follow.
pub const ALIAS: &str = "live";

/// The code of a deployment, by its time.
pub type Code = u8;

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// How often it was deleted and recreated.
    pub generation: u8,
    now: Code,
    latest: Code,
    /// The code from before the last change of `$LATEST`, which may run until that change's minute is over.
    before: Option<Code>,
    /// Whether that change is in progress, so that nothing but the code from before runs.
    is_updating: bool,
    versions: BTreeMap<Version, Code>,
    /// The version that is still `Pending`.
    pending: Option<Version>,
    /// The newest version that reads and lists show.
    known: Version,
    alias: Followed,
}

/// The alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Followed {
    version: Qualifier,
    additional: Option<(Version, Weight)>,
    /// Its moves of the last minute, and of the time that AppFlow may take to store what it read in that
    /// minute; the oldest first.
    moves: Vec<Moved>,
}

/// What the alias gives an additional version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Weight {
    /// A part of the traffic.
    Part,
    /// All of it, because somebody asked for that.
    All,
    /// All of it, while Lambda provisions concurrency.
    Provisioning,
}

/// A move of the alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moved {
    /// The number of its event.
    event: u8,
    /// The code from before, which may run until the minute is over.
    before: Vec<Code>,
    is_minute_over: bool,
}

/// Where an alias is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To the next version.
    Next,
    /// To version 1.
    First,
    /// To `$LATEST`.
    Latest,
    /// The next version gets a part of the traffic.
    Split,
    /// The version that had a part of the traffic gets all of it, by its weight.
    Additional,
}

impl Function {
    /// A function with so many versions, whose alias points at the first one.
    pub fn new(versions: Code) -> Self {
        let newest = Version::MIN.saturating_add(u64::from(versions) - 1);
        let codes = 1..=versions;
        Self {
            generation: 0,
            now: versions,
            latest: versions,
            before: None,
            is_updating: false,
            versions: codes
                .filter_map(|code| Some((Version::new(code.into())?, code)))
                .collect(),
            pending: None,
            known: newest,
            alias: Followed::new(),
        }
    }

    fn tick(&mut self) -> Code {
        self.now += 1;
        self.now
    }

    // Deployments.

    /// UpdateFunctionCode.
    pub fn change_latest(&mut self) -> Change {
        self.before = Some(self.latest);
        self.latest = self.tick();
        self.is_updating = true;
        Change::LatestChanged
    }

    /// UpdateFunctionCode with `publish`. Lambda may not know the version yet.
    pub fn publish(&mut self, is_known: bool) -> Change {
        self.change_latest();
        let version = self.newest().saturating_add(1);
        self.versions.insert(version, self.latest);
        self.pending = Some(version);
        if is_known {
            self.become_known();
        }
        Change::Published(Some(version))
    }

    /// DeleteFunction, and CreateFunction with `publish`: its versions are numbered from 1 again.
    pub fn recreate(&mut self) -> Change {
        let code = self.tick();
        *self = Self {
            generation: self.generation + 1,
            now: self.now,
            latest: code,
            before: None,
            is_updating: false,
            versions: [(Version::MIN, code)].into(),
            pending: Some(Version::MIN),
            known: Version::MIN,
            alias: Followed::new(),
        };
        Change::Published(Some(Version::MIN))
    }

    /// UpdateAlias. If the alias has provisioned concurrency, Lambda sends all traffic to the version from
    /// before until that is there for the new one.
    pub fn point_alias(&mut self, to: To, event: u8, is_provisioned: bool) -> Change {
        let before = self.alias_runs().unwrap_or_default();
        let (version, additional) = self.pointed(to).expect("a move that changes something");
        let ran = self.alias.runs();
        self.alias.moves.push(Moved {
            event,
            before,
            is_minute_over: false,
        });
        self.alias.additional = match (&ran, &version) {
            (Qualifier::Version(ran), Qualifier::Version(new))
                if is_provisioned && additional.is_none() && ran != new =>
            {
                Some((*ran, Weight::Provisioning))
            }
            _ => additional,
        };
        self.alias.version = version;
        let asked = additional.filter(|(_, weight)| *weight == Weight::All);
        Change::AliasMoved {
            alias: ALIAS.to_owned(),
            split: to == To::Split,
            asked: asked.map(|(version, _)| version.to_string()),
            points: true,
        }
    }

    /// Whether the alias can be moved there, and is not there yet.
    pub fn can_point(&self, to: To) -> bool {
        self.pointed(to).is_some()
    }

    fn pointed(&self, to: To) -> Option<(Qualifier, Option<(Version, Weight)>)> {
        let Followed {
            version,
            additional,
            ..
        } = &self.alias;
        let next = match version {
            Qualifier::Version(version) => version.saturating_add(1).min(self.known),
            _ => self.known,
        };
        let pointed = match (to, additional) {
            (To::Next, _) => (Qualifier::Version(next), None),
            (To::First, _) => (Qualifier::Version(Version::MIN), None),
            (To::Latest, _) => (Qualifier::Latest, None),
            (To::Split, None)
                if *version != Qualifier::Latest && *version != Qualifier::Version(next) =>
            {
                (version.clone(), Some((next, Weight::Part)))
            }
            (To::Additional, Some((additional, Weight::Part))) => {
                (version.clone(), Some((*additional, Weight::All)))
            }
            (To::Split | To::Additional, _) => return None,
        };
        (pointed != (version.clone(), *additional)).then_some(pointed)
    }

    // What passes.

    /// Whether a deployment is in progress: Lambda rejects others in the meantime.
    pub fn is_settling(&self) -> bool {
        self.is_updating || self.pending.is_some()
    }

    /// Completes the deployment in progress.
    pub fn settle(&mut self) {
        self.is_updating = false;
        self.pending = None;
    }

    /// Whether the minute of the last change of `$LATEST` is not over.
    pub fn is_latest_recent(&self) -> bool {
        self.before.is_some()
    }

    /// Ends that minute.
    pub fn end_minute_of_latest(&mut self) {
        self.before = None;
    }

    /// Whether the alias moved in the last minute.
    pub fn is_alias_recent(&self) -> bool {
        self.alias.moves.iter().any(|moved| !moved.is_minute_over)
    }

    /// Ends the oldest of these minutes, and returns the number of its event.
    pub fn end_minute_of_alias(&mut self) -> u8 {
        let mut moves = self.alias.moves.iter_mut();
        let moved = moves.find(|moved| !moved.is_minute_over);
        let moved = moved.expect("a minute that is not over");
        moved.is_minute_over = true;
        moved.event
    }

    /// Forgets the moves whose minute is over, but not this one and those after it.
    pub fn forget_moves(&mut self, kept: Option<u8>) {
        let is_kept = |event| kept.is_some_and(|kept| kept <= event);
        let moves = &mut self.alias.moves;
        moves.retain(|moved| !moved.is_minute_over || is_kept(moved.event));
    }

    /// Whether the alias points at `$LATEST`.
    pub fn alias_is_latest(&self) -> bool {
        self.alias.version == Qualifier::Latest
    }

    /// Whether the alias's move by this event is as recent as one of the last minute, or, with `storing`, of
    /// the time after it in which AppFlow stores what it read.
    pub fn is_move_recent(&self, event: u8, storing: bool) -> bool {
        let mut moves = self.alias.moves.iter();
        moves.any(|moved| moved.event == event && (storing || !moved.is_minute_over))
    }

    /// Whether Lambda provisions concurrency for the alias.
    pub fn is_provisioning(&self) -> bool {
        matches!(self.alias.additional, Some((_, Weight::Provisioning)))
    }

    /// Lambda takes its own weights away, without a call or an event.
    pub fn end_provisioning(&mut self) {
        self.alias.additional = None;
    }

    /// Whether the alias splits its traffic.
    pub fn is_split(&self) -> bool {
        matches!(self.alias.additional, Some((_, Weight::Part)))
    }

    /// Whether Lambda does not know the newest version yet.
    pub fn has_unknown(&self) -> bool {
        self.known < self.newest()
    }

    /// Lambda knows the newest version.
    pub fn become_known(&mut self) {
        self.known = self.newest();
    }

    /// Whether an invocation of the alias may run other code later, although it does not move.
    pub fn is_alias_settled(&self) -> bool {
        self.alias.moves.is_empty() && !self.is_provisioning()
    }

    /// Whether time alone changes nothing.
    pub fn is_settled(&self) -> bool {
        !self.is_settling()
            && !self.is_latest_recent()
            && self.is_alias_settled()
            && !self.has_unknown()
    }

    // Calls.

    /// The newest version, known or not.
    pub fn newest(&self) -> Version {
        let newest = self.versions.keys().last();
        *newest.expect("a function with versions")
    }

    /// The newest version that reads and lists show.
    pub fn known(&self) -> Version {
        self.known
    }

    /// Whether this version exists, known or not.
    pub fn exists(&self, version: Version) -> bool {
        self.versions.contains_key(&version)
    }

    /// ListVersionsByFunction.
    pub fn versions(&self) -> Versions {
        let versions = self.versions.keys().copied();
        versions.filter(|version| *version <= self.known).collect()
    }

    /// GetAlias. Without `own`, the weights of Lambda's own are left out.
    pub fn alias(&self, own: bool) -> Alias {
        let weights = self.alias.additional.iter();
        let weights = weights.filter(|(_, weight)| own || *weight != Weight::Provisioning);
        Alias::new(
            self.alias.version.clone(),
            weights.map(|(version, weight)| {
                let share = if *weight == Weight::Part { 0.1 } else { 1.0 };
                (Qualifier::Version(*version), share)
            }),
        )
    }

    /// GetFunctionConfiguration.
    ///
    /// # Errors
    /// When Lambda does not know the version.
    pub fn read(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let version = match arn.qualifier() {
            Some(Qualifier::Alias(_)) => Some(&self.alias.version),
            qualifier => qualifier,
        };
        let (version, code, not_yet) = match version {
            Some(Qualifier::Version(version)) => {
                let known = self.versions.get(version);
                let Some(code) = known.filter(|_| *version <= self.known) else {
                    return Err(error(
                        Operation::GetFunctionConfiguration,
                        ErrorKind::NotFound,
                    ));
                };
                let is_pending = self.pending == Some(*version);
                let not_yet = is_pending.then_some("its State is Pending");
                (version.to_string(), *code, not_yet)
            }
            _ => {
                let not_yet = self
                    .is_updating
                    .then_some("its LastUpdateStatus is InProgress");
                ("$LATEST".to_owned(), self.latest, not_yet)
            }
        };
        let not_yet = not_yet.map(|state| Readiness::NotYet(Unready::State(state.to_owned())));
        Ok(FunctionState {
            readiness: not_yet.unwrap_or(Readiness::Ready),
            code: DeployedCode {
                version,
                code_sha256: format!("code {code}"),
                last_modified: format!("at {code}"),
            },
        })
    }

    /// What an invocation of this ARN may run: first what it will run when nothing is recent.
    ///
    /// # Errors
    /// When it cannot be invoked.
    pub fn runs(&self, arn: &FunctionArn) -> Result<Vec<Code>, ErrorKind> {
        let Some(Qualifier::Alias(_)) = arn.qualifier() else {
            return self.version_runs(arn.qualifier());
        };
        let mut codes = self.alias_runs()?;
        let recent = self
            .alias
            .moves
            .iter()
            .filter(|moved| !moved.is_minute_over);
        for code in recent.flat_map(|moved| &moved.before) {
            if !codes.contains(code) {
                codes.push(*code);
            }
        }
        Ok(codes)
    }

    fn alias_runs(&self) -> Result<Vec<Code>, ErrorKind> {
        let mut codes = self.version_runs(Some(&self.alias.runs()))?;
        if let Some((additional, Weight::Part)) = self.alias.additional {
            codes.extend(self.version_runs(Some(&Qualifier::Version(additional)))?);
        }
        Ok(codes)
    }

    fn version_runs(&self, version: Option<&Qualifier>) -> Result<Vec<Code>, ErrorKind> {
        match version {
            Some(Qualifier::Version(version)) if self.pending == Some(*version) => {
                Err(ErrorKind::ConnectorServer)
            }
            Some(Qualifier::Version(version)) => {
                let code = self.versions.get(version);
                Ok(vec![*code.ok_or(ErrorKind::NotFound)?])
            }
            _ => {
                let latest = (!self.is_updating).then_some(self.latest);
                Ok(latest.into_iter().chain(self.before).collect())
            }
        }
    }
}

impl Followed {
    /// Points at version 1.
    fn new() -> Self {
        Self {
            version: Qualifier::Version(Version::MIN),
            additional: None,
            moves: Vec::new(),
        }
    }

    /// What runs, apart from the additional version of a split.
    fn runs(&self) -> Qualifier {
        match self.additional {
            Some((additional, Weight::All | Weight::Provisioning)) => {
                Qualifier::Version(additional)
            }
            _ => self.version.clone(),
        }
    }
}
