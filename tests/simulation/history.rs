//! One random history, from its seed: deployments, operators' changes, and when events are delivered.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use aws_local::lambda::Provisioning;
use connector_updater::reconcile::outcome::ConnectorResult;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::conditions::{Conditions, LATEST_STORE, LONGEST_WAY};
use crate::deployments::arn;
use crate::events::{Event, Sources};
use crate::invariants;
use crate::invocations::Environments;
use crate::lags::MINUTE;
use crate::random::Random;
use crate::sweeps::SWEEP;
use crate::world::World;

const CRM: &str = "crm";
const ERP: &str = "erp";
pub const LIVE: &str = "live";

/// The result of a history.
pub struct Played {
    pub trace: Vec<String>,
    pub violation: Option<String>,
    pub invocations: usize,
}

/// Whether events may be lost, and may end in the failure queue. Even seeds have loss.
pub fn has_loss(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// Plays the history of a seed, in paused time.
pub fn play(seed: u64) -> Played {
    // The jitter of the SDK's pauses and of the updater's own.
    fastrand::seed(seed);
    clock::run(async {
        let world = World::new(Conditions::new(seed));
        History::new(seed, &world).play().await;
        let mut state = world.state();
        Played {
            trace: std::mem::take(&mut state.trace),
            violation: state.violation.take(),
            invocations: state.invocations.len(),
        }
    })
}

pub struct History {
    pub world: Arc<World>,
    pub environments: Rc<Environments>,
    pub random: Random,
    pub loss: bool,
    pub sources: Sources,
    /// Whether everything happens within seconds.
    pub hasty: bool,
    /// Whether much of what happens is about aliases.
    pub about_aliases: bool,
    /// Whether the updater lets AppFlow invoke each version; otherwise the deployment does.
    pub grant_invoke: bool,
    pub functions: Vec<&'static str>,
    pub deliveries: JoinSet<()>,
    /// Events that were lost, and some that were not: they may be delivered at the very end.
    pub late: Vec<Event>,
    /// The number of deployments so far. It is the connector version, so that no two are alike.
    pub deployed: u32,
    pub requests: u32,
    pub outages: u32,
    /// The longest time that a deployment takes to become ready.
    pub settling: Duration,
    /// How long old code is served after a change.
    pub old_code_served: Duration,
    /// When each function, or its alias, was changed last.
    pub changed: BTreeMap<String, Instant>,
    /// How long Lambda provisions concurrency for aliases that move.
    pub provisioning: Option<Provisioning>,
}

impl History {
    fn new(seed: u64, world: &Arc<World>) -> Self {
        let mut random = Random::new(seed, 0);
        let grant_invoke = random.chance(50);
        let sources = *random.of(&[
            Sources::Trail,
            Sources::Trail,
            Sources::Both,
            Sources::States,
        ]);
        let hasty = random.chance(50);
        let about_aliases = random.chance(30);
        let functions = match random.chance(10) {
            true => vec![CRM, ERP],
            false => vec![CRM],
        };
        Self {
            environments: Rc::new(Environments::new(world, grant_invoke)),
            world: Arc::clone(world),
            random,
            loss: has_loss(seed),
            sources,
            hasty,
            about_aliases,
            grant_invoke,
            functions,
            deliveries: JoinSet::new(),
            late: Vec::new(),
            deployed: 0,
            requests: 0,
            outages: 0,
            settling: Duration::ZERO,
            old_code_served: Duration::ZERO,
            changed: BTreeMap::new(),
            provisioning: None,
        }
    }

    async fn play(&mut self) {
        self.set_up();
        let steps = 3 + self.random.below(5);
        for _ in 0..steps {
            let gap = match self.random.below(10) {
                0..9 if self.hasty => self.random.between(0, 1_500),
                0..6 => self.random.between(0, 4_000),
                6..9 => self.random.between(4_000, 40_000),
                _ => self.random.between(40_000, 240_000),
            };
            self.pass(gap).await;
            self.step().await;
            if self.is_wrong() {
                return;
            }
        }
        self.settle_aliases();
        self.quiet().await;
        if self.is_wrong() {
            return;
        }
        invariants::none_is_older_than_handled(&self.world);
        match self.loss {
            false => invariants::all_that_exist_hold(&self.world),
            true if self.is_wrong() => {}
            true => self.sweep_and_be_right().await,
        }
    }

    /// With loss, a sweep makes everything right, and events after it do not change that.
    async fn sweep_and_be_right(&mut self) {
        let standing = invariants::standing(&self.world);
        let swept = self.sweep(SWEEP, true).await;
        invariants::all_hold_but_recreated_behind(&self.world, &swept);
        invariants::none_has_moved(&self.world, &standing);
        if self.is_wrong() {
            return;
        }
        self.sweep("{\"sweep\": {\"move\": true}}", true).await;
        invariants::all_hold(&self.world);
        invariants::all_are_at_the_newest(&self.world);
        if self.is_wrong() {
            return;
        }
        for event in std::mem::take(&mut self.late).into_iter().take(2) {
            self.send(event, Duration::ZERO);
        }
        self.quiet().await;
        if self.is_wrong() {
            return;
        }
        invariants::all_hold(&self.world);
        invariants::all_are_at_the_newest(&self.world);
    }

    fn set_up(&mut self) {
        self.world.tell(format!(
            "{}, events from {:?}, {}",
            if self.loss {
                "with loss"
            } else {
                "without loss"
            },
            self.sources,
            if self.grant_invoke {
                "the updater grants"
            } else {
                "the deployment grants"
            },
        ));
        self.world.aws.state().state_events = self.sources != Sources::Trail;
        self.lag();
        self.provision();
        for function in self.functions.clone() {
            self.create(function);
            self.grant(function, Some("1"));
            let mut forms = vec![("plain", None), ("pinned", Some("1"))];
            if function == CRM {
                let more = [
                    ("live", Some(LIVE)),
                    ("latest", Some("$LATEST")),
                    ("other", Some("1")),
                ];
                let live = if self.about_aliases { 100 } else { 60 };
                for (form, percent) in more.into_iter().zip([live, 10, 20]) {
                    if self.random.chance(percent) {
                        forms.push(form);
                    }
                }
            }
            for (form, qualifier) in forms {
                self.call(
                    "RegisterConnector",
                    json!({
                        "connectorLabel": format!("{function}-{form}"),
                        "connectorProvisioningType": "LAMBDA",
                        "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn(function, qualifier) } },
                        "description": "A connector",
                    }),
                );
            }
        }
        // The updater does not get the events of the setup.
        self.deliveries = JoinSet::new();
        self.late.clear();
        self.settle();
    }

    pub async fn step(&mut self) {
        let functions = self.functions.clone();
        let function = *self.random.of(&functions);
        match self.random.below(20) {
            0..9 if self.about_aliases => self.move_alias(function),
            0..6 => {
                let publish = self.random.chance(60);
                self.deploy(function, publish);
            }
            6..8 => self.publish(function),
            8 => {
                let description = self.deployed.to_string();
                let input = json!({ "FunctionName": function, "Description": description });
                self.deployment("UpdateFunctionConfiguration", input);
            }
            9..11 => self.move_alias(function),
            11 => self.recreate(function).await,
            12 => self.delete_version(function),
            13 => self.settle(),
            14..17 => self.operate(),
            17 if self.outages < 2 => {
                // With at most two outages, an event is handled by its third try.
                self.outages += 1;
                let told = self.world.state().conditions.fails();
                self.world.tell(told);
                if self.random.chance(50) {
                    let gap = self.random.between(1_000, 10_000);
                    self.pass(gap).await;
                    self.operate();
                }
            }
            18 => {
                self.sweep(SWEEP, false).await;
            }
            _ => self.deploy(function, true),
        }
    }

    // Events.

    /// Lets time pass. Lambda's own events are sent when deployments have become ready.
    pub async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        if self.sources != Sources::Trail {
            while Instant::now() + Duration::from_secs(1) < until {
                sleep(Duration::from_secs(1)).await;
                self.collect();
            }
        }
        tokio::time::sleep_until(until).await;
        self.collect();
    }

    /// Sends the new events on their way, each once or twice; with loss, some are lost.
    pub fn collect(&mut self) {
        for event in Event::take(&self.world, self.sources, &mut self.random) {
            if self.loss && self.random.chance(20) {
                self.world.tell(format!("lost: {}", event.told));
                self.late.push(event);
                continue;
            }
            if self.random.chance(15) {
                let delay = self.delay();
                self.send(event.clone(), delay);
            }
            if self.loss && self.random.chance(5) {
                self.late.push(event.clone());
            }
            let delay = self.delay();
            self.send(event, delay);
        }
    }

    fn delay(&mut self) -> Duration {
        match self.random.below(20) {
            drawn if self.hasty && drawn < 15 => self.random.between(0, 2_000),
            0..10 => self.random.between(0, 3_000),
            10..14 => self.random.between(3_000, 55_000),
            // Most rules end about a minute after the change.
            14..18 => self.random.between(55_000, 70_000),
            _ => self.random.between(60_000, 480_000),
        }
    }

    fn send(&mut self, event: Event, delay: Duration) {
        let (environments, loss) = (Rc::clone(&self.environments), self.loss);
        let request_id = self.request_id();
        self.deliveries.spawn_local(async move {
            sleep(delay).await;
            environments.deliver(event, request_id, loss).await;
        });
    }

    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("00000000-0000-4000-9000-{:012}", self.requests)
    }

    /// Waits until all deployments are ready, no old code is served, Lambda has taken its own weights away,
    /// all events were handled, and AppFlow has stored all it read.
    async fn quiet(&mut self) {
        let unsettled = self.world.state().unsettled.values().max().copied();
        let unsettled = unsettled.map_or(MINUTE, |until| until - Instant::now());
        let settled = self.settling.max(MINUTE).max(unsettled);
        self.pass(settled + Duration::from_secs(2)).await;
        while let Some(ended) = self.deliveries.join_next().await {
            if let Err(error) = ended {
                self.world.violated(format!("{error}"));
            }
            self.collect();
            if self.is_wrong() {
                return;
            }
        }
        sleep(LATEST_STORE + 2 * LONGEST_WAY).await;
    }

    /// Sends a sweep on its way. Whatever comes of it, it must not make anything wrong.
    pub fn sweep_later(&mut self, delay: Duration) {
        let environments = Rc::clone(&self.environments);
        let request_id = self.request_id();
        self.deliveries.spawn_local(async move {
            sleep(delay).await;
            let swept = environments.invoke(SWEEP, SWEEP, &request_id, false);
            // What it did is in the trace.
            drop(swept.await);
        });
    }

    pub async fn sweep(&mut self, payload: &str, calm: bool) -> Vec<ConnectorResult> {
        let request_id = self.request_id();
        let swept = self
            .environments
            .invoke(payload, payload, &request_id, calm)
            .await;
        match swept {
            Ok(response) => response.connectors.unwrap_or_default(),
            Err(error) => {
                if calm {
                    self.world.violated(format!("the sweep failed: {error}"));
                }
                Vec::new()
            }
        }
    }

    pub fn is_wrong(&self) -> bool {
        self.world.state().violation.is_some()
    }
}
