//! Lambda as it invokes the updater: execution environments, and asynchronous invocations with retries
//! and a failure queue.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_local::place::{REGION, UPDATER, function_arn};
use aws_sdk_appflow::config::{Credentials, Region, SharedCredentialsProvider};
use connector_updater::aws::clients::Aws;
use connector_updater::model::function_state::Unready;
use connector_updater::model::service_error::ErrorKind;
use connector_updater::reconcile::outcome::{Failure, Outcome};
use connector_updater::report::error::Error;
use connector_updater::report::response::Response;
use connector_updater::settings::{Labels, LogFormat, LogLevel, Settings};
use connector_updater::updater::Updater;
use futures_util::FutureExt;
use lambda_runtime::{Context, LambdaEvent};
use tokio::time::{Instant, sleep};

use crate::events::Event;
use crate::invariants;
use crate::network;
use crate::world::{Handled, Invocation, World, split};

/// The pause before each try of an asynchronous invocation.
const TRIES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(120),
];
/// The function's timeout.
const TIMEOUT: Duration = Duration::from_secs(900);
/// From then on, an invocation only reports. What a fault has delayed until then is not done.
const TIME_IS_UP: Duration = Duration::from_secs(899);
/// Before that, an invocation must not fail because of this many faults: every call has at least five
/// attempts.
const BORNE: u32 = 4;

/// The updater's execution environments. Each handles one invocation at a time, and a new one is created
/// when all are busy.
pub struct Environments {
    world: Arc<World>,
    settings: Settings,
    all: RefCell<Vec<Rc<Updater>>>,
    idle: RefCell<Vec<usize>>,
}

impl Environments {
    pub fn new(world: &Arc<World>, grant_invoke: bool) -> Self {
        let settings = Settings {
            labels: Labels::All,
            function_name_prefix: String::new(),
            register_as: Default::default(),
            description: None,
            grant_invoke,
            dry_run: false,
            log_level: LogLevel::Fatal,
            log_format: LogFormat::Text,
        };
        Self {
            world: Arc::clone(world),
            settings,
            all: RefCell::default(),
            idle: RefCell::default(),
        }
    }

    /// Invokes the updater once.
    pub async fn invoke(
        &self,
        payload: &str,
        about: &str,
        request_id: &str,
        calm: bool,
    ) -> Result<Response, Error> {
        let idle = self.idle.borrow_mut().pop();
        let environment = match idle {
            Some(idle) => idle,
            None => self.make().await,
        };
        let updater = Rc::clone(&self.all.borrow()[environment]);
        let number = begin(&self.world, environment, calm);
        self.world.tell(format!(
            "#{number} begins in environment {environment}: {about}{}",
            if calm { ", without faults" } else { "" }
        ));
        let began = Instant::now();
        let mut context = Context::default();
        context.request_id = request_id.to_owned();
        context.invoked_function_arn = function_arn(UPDATER);
        // A length, as `cargo lambda` sends it, and not a time, so that only tokio's clock matters.
        context.deadline = TIMEOUT.as_millis() as u64;
        let outcome = updater.handle(LambdaEvent::new(payload.to_owned(), context));
        // Boxed, because the compiler cannot compute the layout otherwise.
        let outcome = outcome.boxed_local().await;
        end(&self.world, number, began, &outcome);
        self.idle.borrow_mut().insert(0, environment);
        outcome
    }

    async fn make(&self) -> usize {
        let number = self.all.borrow().len();
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "simulation");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(network::client(&self.world, number))
            .time_source(self.world.clock)
            .build();
        // It has its credentials, and waits for nothing.
        let aws = Aws::new(&config).await;
        let updater = Updater::new(self.settings.clone(), aws);
        self.all
            .borrow_mut()
            .push(Rc::new(updater.with_metrics_to(|_| ())));
        self.world.state().environments.push(0);
        number
    }

    /// Invokes the updater asynchronously with an event, as EventBridge does. Without loss, the last try
    /// has no faults, so only these may end in the failure queue: an event of a function that is gone, and
    /// one of an alias to which a later call gave a weight of 1.0, because that looks as if Lambda
    /// provisioned concurrency. The event of the later call knows better.
    pub async fn deliver(&self, event: Event, request_id: String, loss: bool) {
        let payload = event.payload.to_string();
        let mut error = None;
        for (tries, pause) in TRIES.into_iter().enumerate() {
            sleep(pause).await;
            let calm = !loss && tries + 1 == TRIES.len();
            let about = format!("{}, try {}", event.told, tries + 1);
            let began = Instant::now();
            match self.invoke(&payload, &about, &request_id, calm).await {
                Ok(_) => return handled(&self.world, &event, began),
                Err(failed) => error = Some(failed),
            }
        }
        let (gone, waits) = error.map_or((false, false), |error| {
            let waits =
                failures(&error).all(waits_for_weights) && failures(&error).next().is_some();
            (only_gone(&error), waits)
        });
        let mut state = self.world.state();
        state.tell(format!("in the failure queue: {}", event.told));
        let waits = waits && !state.provisioning.contains(&event.function);
        if waits {
            return;
        }
        state.given_up.insert(event.function);
        if !loss && !gone {
            state.violated("an event is in the failure queue");
        }
    }
}

fn begin(world: &World, environment: usize, calm: bool) -> usize {
    let mut state = world.state();
    let number = state.invocations.len();
    let mut alone = state.requests == 0 && !state.stores_later(None);
    for other in &mut state.invocations {
        if !other.ended {
            other.alone = false;
            alone = false;
        }
    }
    let happenings = state.happenings;
    state.invocations.push(Invocation {
        calm,
        faults: 0,
        alone,
        happenings,
        ended: false,
    });
    state.environments[environment] = number;
    number
}

fn end(world: &World, number: usize, began: Instant, outcome: &Result<Response, Error>) {
    let (alone, faults) = {
        let mut state = world.state();
        let happenings = state.happenings;
        let invocation = &mut state.invocations[number];
        invocation.ended = true;
        let alone = invocation.alone && invocation.happenings == happenings;
        let faults = invocation.faults;
        state.tell(format!("#{number} ends: {}", told(outcome)));
        if began.elapsed() > TIMEOUT {
            state.violated(format!("#{number} took {:?}", began.elapsed()));
        }
        (alone, faults)
    };
    let connectors = match outcome {
        Ok(response) => response.connectors.as_deref().unwrap_or_default(),
        Err(error) => error.connectors(),
    };
    if alone {
        invariants::updated(world, connectors, began);
    }
    invariants::evidence_is_no_false_alarm(world, connectors);
    if faults <= BORNE && began.elapsed() < TIME_IS_UP && outcome.as_ref().is_err_and(is_transient)
    {
        world.violated(format!("#{number} failed because of {faults} faults"));
    }
}

/// Records that the event of a published version was handled: from now on, no registration of its
/// function may be at an older version.
fn handled(world: &World, event: &Event, began: Instant) {
    if let Some(version) = event.version {
        world.state().handled.push(Handled {
            function: event.function.clone(),
            life: event.life,
            version,
            began,
        });
    }
}

fn failures(error: &Error) -> impl Iterator<Item = &Failure> {
    error
        .connectors()
        .iter()
        .filter_map(|connector| match &connector.outcome {
            Outcome::Failed { failure, .. } => Some(failure),
            _ => None,
        })
}

fn kind(failure: &Failure) -> Option<ErrorKind> {
    match failure {
        Failure::Describe(error)
        | Failure::Function(error)
        | Failure::Unchecked(error)
        | Failure::Update { error, .. } => Some(error.kind),
        _ => None,
    }
}

/// Whether all that failed did so because a function or version no longer exists.
fn only_gone(error: &Error) -> bool {
    let mut failures = failures(error).peekable();
    failures.peek().is_some() && failures.all(|failure| kind(failure) == Some(ErrorKind::NotFound))
}

/// Whether it waited for a weight of 1.0 on its alias to go away.
fn waits_for_weights(failure: &Failure) -> bool {
    matches!(failure, Failure::NotReady(Unready::Provisioning { .. }))
}

/// Whether it failed with an error that only faults cause.
fn is_transient(error: &Error) -> bool {
    let transient = |kind| {
        matches!(
            kind,
            ErrorKind::NoAnswer | ErrorKind::Internal | ErrorKind::Throttled
        )
    };
    match error {
        Error::ListFailed(error) => transient(error.kind),
        error => failures(error).any(|failure| kind(failure).is_some_and(transient)),
    }
}

fn told(outcome: &Result<Response, Error>) -> String {
    let connectors = match outcome {
        Ok(response) => match &response.ignored {
            Some(reason) => return format!("ignored, {reason}"),
            None => response.connectors.as_deref().unwrap_or_default(),
        },
        Err(Error::Registrations(connectors)) => connectors,
        Err(error) => return format!("{}: {error}", error.name()),
    };
    let told = connectors.iter().map(|connector| {
        let became = match &connector.outcome {
            Outcome::Updated { target, .. } => {
                let (function, qualifier) = split(&target.to_string());
                format!("updated to {function}:{}", qualifier.unwrap_or_default())
            }
            Outcome::Skipped(skip) => format!("skipped, {skip:?}"),
            Outcome::Failed { failure, .. } => format!("FAILED, {failure:?}"),
            other => format!("{other:?}"),
        };
        format!("{} {became}", connector.label)
    });
    told.collect::<Vec<_>>().join("; ")
}
