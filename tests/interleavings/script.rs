//! Runs the updater's own [`round`], one answer at a time.
//!
//! A round is run from its beginning, with the answers so far. What it then asks is what can be answered
//! next. The same job, progress, and answers always ask the same, so each step is computed once.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::pending;
use std::rc::Rc;

use connector_updater::decide::Cause;
use connector_updater::model::alias::{Alias, Traffic};
use connector_updater::model::change::Change;
use connector_updater::model::function_arn::{FunctionArn, Qualifier, Versions};
use connector_updater::model::function_state::{DeployedCode, FunctionState, Readiness, Unready};
use connector_updater::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use connector_updater::model::service_error::ServiceError;
use connector_updater::model::update::Update;
use connector_updater::reconcile::job::Job;
use connector_updater::reconcile::outcome::Outcome;
use connector_updater::reconcile::progress::{Next, Pause, Progress};
use connector_updater::reconcile::round::round;
use connector_updater::reconcile::services::Services;
use futures_util::FutureExt;

use crate::shared::digest;

/// What a round asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// DescribeConnector, to decide.
    Observe,
    /// Whether the last observation is fresh.
    IsFresh,
    /// DescribeConnector, to see what an update changed.
    Evidence,
    /// GetAlias.
    Alias,
    /// GetFunctionConfiguration.
    Function {
        /// What the round asks about.
        target: FunctionArn,
        /// What an invocation of that runs: another version, if all traffic of an alias goes there.
        runs: FunctionArn,
    },
    /// ListVersionsByFunction.
    Versions,
    /// UpdateConnectorRegistration.
    Update(Update),
}

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To `Observe` and `Evidence`.
    Described(Registration),
    Fresh(bool),
    Alias(Alias),
    Function(Result<FunctionState, ServiceError>),
    Versions(Versions),
    Updated(Result<(), ServiceError>),
}

/// A round that waits for an answer.
pub struct Asking {
    /// Two rounds have the same number if and only if they have the same job, progress, and answers.
    pub id: usize,
    pub job: Rc<Job>,
    pub progress: Progress,
    /// The answers so far in this round.
    pub answers: Vec<Answer>,
    /// What it asks now.
    pub call: Call,
}

impl Asking {
    /// Whether AppFlow has confirmed an update in this round, so that what follows checks it.
    pub fn is_checking(&self) -> bool {
        self.answers.contains(&Answer::Updated(Ok(())))
    }
}

/// What follows an answer.
#[derive(Clone)]
pub enum Step {
    /// The round asks the next thing.
    Asks(Rc<Asking>),
    /// The round has ended. After the pause, the next one asks this.
    Again(Rc<Asking>, Pause),
    /// There is nothing more to do.
    Done(Option<Rc<Outcome>>),
}

/// Every round that a search has run.
#[derive(Default)]
pub struct Rounds {
    begun: RefCell<HashMap<u64, Rc<Asking>>>,
    steps: RefCell<HashMap<(usize, u64), Step>>,
    next_id: Cell<usize>,
    /// How often `round` was run.
    pub runs: Cell<usize>,
}

impl Rounds {
    /// The beginning of a round, which always asks something.
    pub fn begin(&self, job: &Rc<Job>, progress: Progress) -> Rc<Asking> {
        let key = digest(&(job, &progress));
        if let Some(known) = self.begun.borrow().get(&key) {
            return Rc::clone(known);
        }
        let Step::Asks(asking) = self.run(job, progress, Vec::new()) else {
            unreachable!("a round ends by answers");
        };
        self.begun.borrow_mut().insert(key, Rc::clone(&asking));
        asking
    }

    /// What follows an answer.
    pub fn answer(&self, asking: &Asking, answer: Answer) -> Step {
        let key = (asking.id, digest(&answer));
        if let Some(known) = self.steps.borrow().get(&key) {
            return known.clone();
        }
        let mut answers = asking.answers.clone();
        answers.push(answer);
        let step = self.run(&asking.job, asking.progress.clone(), answers);
        self.steps.borrow_mut().insert(key, step.clone());
        step
    }

    fn run(&self, job: &Rc<Job>, progress: Progress, answers: Vec<Answer>) -> Step {
        self.runs.set(self.runs.get() + 1);
        let script = Script {
            job,
            answers: &answers,
            asked: Cell::new(0),
            pending: RefCell::new(None),
        };
        match round(job, &label(), progress.clone(), &script).now_or_never() {
            Some(Next::Done(result)) => Step::Done(result.map(|result| Rc::new(result.outcome))),
            Some(Next::Again(progress, pause)) => Step::Again(self.begin(job, progress), pause),
            None => {
                let call = script.pending.take().expect("a round that waits asks");
                Step::Asks(Rc::new(Asking {
                    id: self.next_id.replace(self.next_id.get() + 1),
                    job: Rc::clone(job),
                    progress,
                    answers,
                    call,
                }))
            }
        }
    }
}

/// What a round gets of a function that is not ready.
pub fn not_ready(readiness: Readiness) -> FunctionState {
    FunctionState {
        readiness,
        code: DeployedCode::default(),
    }
}

/// The label of the registration.
fn label() -> ConnectorLabel {
    "crm".parse().expect("a label")
}

/// Whether Lambda itself may send all traffic of an alias to this additional version.
pub fn may_be_provisioning(job: &Job, runs: &Qualifier) -> bool {
    match &job.cause {
        Cause::Changed(Change::AliasMoved { asked, .. }) => {
            asked.as_deref() != Some(runs.to_string().as_str())
        }
        _ => false,
    }
}

/// Services that give these answers, and then none. An alias is read in the same steps as in
/// `src/reconcile/aws_services.rs`.
struct Script<'a> {
    job: &'a Job,
    answers: &'a [Answer],
    asked: Cell<usize>,
    /// What was asked after the last answer.
    pending: RefCell<Option<Call>>,
}

impl Script<'_> {
    async fn ask(&self, call: Call) -> Answer {
        let asked = self.asked.replace(self.asked.get() + 1);
        match self.answers.get(asked) {
            Some(answer) => answer.clone(),
            None => {
                *self.pending.borrow_mut() = Some(call);
                pending().await
            }
        }
    }

    async fn describe(&self, call: Call) -> Result<Registration, ServiceError> {
        match self.ask(call).await {
            Answer::Described(registration) => Ok(registration),
            other => unreachable!("{other:?}"),
        }
    }
}

impl Services for Script<'_> {
    async fn observe(&self, _: &ConnectorLabel) -> Result<Registration, ServiceError> {
        self.describe(Call::Observe).await
    }

    async fn is_fresh(&self) -> bool {
        match self.ask(Call::IsFresh).await {
            Answer::Fresh(is_fresh) => is_fresh,
            other => unreachable!("{other:?}"),
        }
    }

    async fn evidence(&self, _: &ConnectorLabel) -> Result<Registration, ServiceError> {
        self.describe(Call::Evidence).await
    }

    async fn alias(&self, _: &FunctionArn) -> Result<Alias, ServiceError> {
        match self.ask(Call::Alias).await {
            Answer::Alias(alias) => Ok(alias),
            other => unreachable!("{other:?}"),
        }
    }

    async fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let mut runs = arn.clone();
        if let Some(Qualifier::Alias(_)) = arn.qualifier() {
            let Alias { version, traffic } = self.alias(arn).await?;
            match traffic {
                Traffic::Split => return Ok(not_ready(Readiness::Split)),
                Traffic::All(runs) if runs != version && may_be_provisioning(self.job, &runs) => {
                    let unready = Unready::Provisioning { runs, version };
                    return Ok(not_ready(Readiness::NotYet(unready)));
                }
                Traffic::All(behind) => runs = arn.with_qualifier(Some(behind)),
            }
        }
        let target = arn.clone();
        match self.ask(Call::Function { target, runs }).await {
            Answer::Function(read) => read,
            other => unreachable!("{other:?}"),
        }
    }

    async fn versions(&self, _: &FunctionArn) -> Result<Versions, ServiceError> {
        match self.ask(Call::Versions).await {
            Answer::Versions(versions) => Ok(versions),
            other => unreachable!("{other:?}"),
        }
    }

    async fn grant(&self, _: &FunctionArn, _: &AppFlowSource) -> Result<(), ServiceError> {
        unreachable!("nothing is granted here")
    }

    async fn update(&self, update: &Update) -> Result<(), ServiceError> {
        match self.ask(Call::Update(update.clone())).await {
            Answer::Updated(result) => result,
            other => unreachable!("{other:?}"),
        }
    }
}
