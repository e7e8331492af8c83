//! Hundreds of random histories: whatever is deployed, and whatever becomes of the events, AppFlow
//! ends up with what each function would answer now, and nothing ever goes back.
//!
//! Each history comes from one seed. A failure prints it, and `SIMULATION_SEED=<seed> cargo test
//! simulation` plays that history alone.

use std::collections::BTreeMap;
use std::env;
use std::panic::{self, AssertUnwindSafe};

use aws_local::lambda::{Name, Reference, Settling};
use aws_local::place::ACCOUNT;
use aws_local::runtime_api::Outcome;
use serde_json::{Value, json};

use crate::world::{World, arn, package};

const HISTORIES: u64 = 200;
const STEPS: u32 = 25;
const FUNCTIONS: [&str; 2] = ["crm", "erp"];
const ALIASES: [&str; 2] = ["live", "beta"];

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

struct History<'a> {
    world: &'a World,
    random: Random,
    /// Connector versions are numbered through, so that no two deployments are alike.
    deployed: u32,
    /// Events under way. They are delivered in any order, more than once, or never.
    under_way: Vec<Value>,
    told: Vec<String>,
}

impl History<'_> {
    fn version(&mut self) -> String {
        self.deployed += 1;
        format!("1.{}", self.deployed)
    }

    /// A call that may be refused, as deployments are while another one is in progress.
    fn call(&mut self, operation: &str, input: Value) {
        let done = self.world.aws.call(operation, input.clone());
        let mut input = input;
        if let Some(members) = input.as_object_mut() {
            members.retain(|name, _| name != "ZipFile" && name != "Code");
        }
        self.told.push(format!(
            "{operation} {input}{}",
            if done.is_err() { ", refused" } else { "" }
        ));
        for event in self.world.aws.take_events() {
            // One in five is lost, and some come twice.
            if !self.random.chance(20) {
                self.under_way.push(event.clone());
            }
            if self.random.chance(20) {
                self.under_way.push(event);
            }
        }
    }

    fn versions(&self, function: &str) -> Vec<u64> {
        self.world.aws.state().lambda.versions(&Name {
            account: ACCOUNT.to_owned(),
            name: function.to_owned(),
        })
    }

    fn create(&mut self, function: &str) {
        let version = self.version();
        self.call(
            "CreateFunction",
            json!({
                "FunctionName": function,
                "Code": { "ZipFile": package(&version) },
                "Publish": true,
            }),
        );
        self.call("AddPermission", permission(function, None));
        for alias in ALIASES {
            self.call(
                "CreateAlias",
                json!({ "FunctionName": function, "Name": alias, "FunctionVersion": "1" }),
            );
            self.call("AddPermission", permission(function, Some(alias)));
        }
    }

    fn step(&mut self) {
        let function = *self.random.of(&FUNCTIONS);
        match self.random.below(20) {
            0..=3 => {
                let version = self.version();
                let publish = self.random.chance(60);
                self.call(
                    "UpdateFunctionCode",
                    json!({
                        "FunctionName": function,
                        "ZipFile": package(&version),
                        "Publish": publish,
                    }),
                );
            }
            4..=5 => self.call("PublishVersion", json!({ "FunctionName": function })),
            6 => self.call(
                "UpdateFunctionConfiguration",
                json!({ "FunctionName": function, "Description": self.deployed.to_string() }),
            ),
            7..=9 => {
                let versions = self.versions(function);
                let version = self.random.of(&versions).to_string();
                let alias = *self.random.of(&ALIASES);
                let other = self.random.of(&versions).to_string();
                let weights = if self.random.chance(25) && other != version {
                    json!({ other: 0.5 })
                } else {
                    json!({})
                };
                self.call(
                    "UpdateAlias",
                    json!({
                        "FunctionName": function,
                        "Name": alias,
                        "FunctionVersion": version,
                        "RoutingConfig": { "AdditionalVersionWeights": weights },
                    }),
                );
            }
            10 if self.random.chance(30) => {
                self.call("DeleteFunction", json!({ "FunctionName": function }));
                self.create(function);
            }
            10 => {
                let versions = self.versions(function);
                let version = self.random.of(&versions).to_string();
                // The last version stays, for the pinned registrations to have somewhere to go.
                if versions.len() > 1 {
                    self.call(
                        "DeleteFunction",
                        json!({ "FunctionName": function, "Qualifier": version }),
                    );
                }
            }
            11 => {
                let looks = self.random.below(3) as u32;
                self.world
                    .aws
                    .state()
                    .lambda
                    .settle(Settling::AfterLooks(looks));
            }
            _ => self.deliver(),
        }
    }

    /// One event reaches the updater, and maybe stays under way.
    fn deliver(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let position = self.random.below(self.under_way.len());
        let event = if self.random.chance(15) {
            self.under_way[position].clone()
        } else {
            self.under_way.swap_remove(position)
        };
        self.invoke(&event.to_string());
    }

    /// Hands the updater a payload, and checks that nothing went back.
    fn invoke(&mut self, payload: &str) -> Outcome {
        let before = self.pinned();
        let outcome = self.world.outcome(payload);
        self.told.push(format!("{payload} -> {outcome:?}"));
        let existing: BTreeMap<&str, Vec<u64>> = FUNCTIONS
            .iter()
            .map(|function| (*function, self.versions(function)))
            .collect();
        for (label, (function, version)) in self.pinned() {
            let (_, had) = &before[&label];
            let still_there = existing[function.as_str()].contains(had);
            assert!(
                version >= *had || !still_there,
                "{label} went back from version {had}, which exists, to {version}"
            );
        }
        outcome
    }

    /// The function and the version of each registration that is pinned to one.
    fn pinned(&self) -> BTreeMap<String, (String, u64)> {
        let world = self.world.aws.state();
        world
            .appflow
            .registrations()
            .iter()
            .filter_map(|(label, registration)| {
                let reference = Reference::parse(&registration.lambda_arn)?;
                let version = reference.qualifier?.parse().ok()?;
                Some((label.clone(), (reference.name.name, version)))
            })
            .collect()
    }

    fn play(&mut self) {
        for function in FUNCTIONS {
            self.create(function);
            self.call("AddPermission", permission(function, Some("1")));
            let forms = [
                ("plain", None),
                ("pinned", Some("1")),
                ("live", Some("live")),
                ("latest", Some("$LATEST")),
                ("beta", Some("beta")),
            ];
            // The second function is there to be another; it need not have every form.
            let forms = if function == FUNCTIONS[0] {
                forms.as_slice()
            } else {
                &forms[..2]
            };
            for (form, qualifier) in forms {
                let label = format!("{function}-{form}");
                self.world.register(&label, &arn(function, *qualifier));
            }
        }
        for _ in 0..STEPS {
            self.step();
        }
        // Traffic has stopped shifting when the last sweep comes, or an alias has no one answer.
        for function in FUNCTIONS {
            for alias in ALIASES {
                self.call(
                    "UpdateAlias",
                    json!({
                        "FunctionName": function,
                        "Name": alias,
                        "RoutingConfig": { "AdditionalVersionWeights": {} },
                    }),
                );
            }
        }
        while !self.under_way.is_empty() && self.random.chance(80) {
            self.deliver();
        }
        let outcome = self.invoke(r#"{"sweep": {}}"#);
        assert!(matches!(outcome, Outcome::Answer(_)), "{outcome:?}");
        for (label, has, current) in self.world.aws.versions() {
            assert_eq!(
                has, current,
                "{label} holds another connector version than its function"
            );
        }
        for (label, (function, version)) in self.pinned() {
            let newest = self.versions(&function).last().copied();
            assert_eq!(
                Some(version),
                newest,
                "{label} is not at the newest version"
            );
        }
        // Late events after the sweep change nothing for the worse.
        for event in std::mem::take(&mut self.under_way) {
            self.invoke(&event.to_string());
        }
        for (label, has, current) in self.world.aws.versions() {
            assert_eq!(has, current, "{label}, after late events");
        }
    }
}

fn permission(function: &str, qualifier: Option<&str>) -> Value {
    json!({
        "FunctionName": function,
        "Qualifier": qualifier,
        "StatementId": "appflow",
        "Action": "lambda:InvokeFunction",
        "Principal": "appflow.amazonaws.com",
    })
}

#[test]
fn whatever_becomes_of_the_events_appflow_ends_up_right() {
    let seeds: Vec<u64> = match env::var("SIMULATION_SEED") {
        Ok(seed) => vec![seed.parse().expect("SIMULATION_SEED is a number")],
        Err(_) => (1..=HISTORIES).collect(),
    };
    // One binary for many histories, as in life: an execution environment is kept for hours.
    std::thread::scope(|scope| {
        for seeds in seeds.chunks(HISTORIES as usize / 6) {
            scope.spawn(move || {
                let mut world = World::with(&[("GRANT_INVOKE", "true")]);
                for seed in seeds {
                    play(&mut world, *seed);
                }
            });
        }
    });
}

fn play(world: &mut World, seed: u64) {
    world.fresh();
    let mut history = History {
        world,
        random: Random(seed),
        deployed: 0,
        under_way: Vec::new(),
        told: Vec::new(),
    };
    let played = panic::catch_unwind(AssertUnwindSafe(|| history.play()));
    if let Err(panic) = played {
        eprintln!("SIMULATION_SEED={seed}\n{}", history.told.join("\n"));
        panic::resume_unwind(panic);
    }
}
