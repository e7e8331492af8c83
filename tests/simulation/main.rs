//! Random histories of the real updater, with the SDK and its retries, in memory and in paused time.
//! Whatever is deployed, whenever operators change registrations, and whatever happens to events,
//! requests, and responses, AppFlow must end up with what each function returns.
//!
//! Histories of even seeds have loss, and those of odd seeds do not.
//!
//! - *Without loss*, each event reaches the updater at least once and is handled by its third try, and
//!   AppFlow has to be right without any sweep.
//!   Two events may fail: that of a function or version that is gone, and that of an alias to which a
//!   later call gave a weight of 1.0, which looks as if Lambda provisioned concurrency. Sweeps come at any
//!   time, and make nothing wrong.
//! - *With loss*, events are lost or end in the failure queue, and one sweep has to make AppFlow right.
//!
//! Each history draws how long old code is served after a change and new versions are unknown, whether
//! Lambda provisions concurrency for aliases, and how long ([`lags`], [`aliases`]). A history is judged when
//! no alias splits its traffic any more and Lambda has taken its own weights away; then a registration has
//! what the version that gets all traffic returns.
//!
//! At all times, an operator's change must be kept ([`operator`]), what an undisturbed invocation
//! reports as updated must be up to date ([`invariants::updated`]), what it reports as changed must have
//! changed ([`invariants::evidence_is_no_false_alarm`]), and no invocation may fail because
//! of a few faults or take longer than its timeout.
//!
//! [`sweeps`] and [`deadline`] are no random histories: they are about many registrations, and about the
//! end of an invocation's time, which would take minutes in real time.
//!
//! Each history is determined by its seed. A failure prints the seed and what happened, with the time in
//! seconds at the start of each line. `SIMULATION_SEED=<seed> cargo test --test simulation` plays only
//! that history, and `SIMULATION_HISTORIES=<count>` plays another number than [`HISTORIES`].

#![allow(unreachable_pub)] // nothing reaches into a test

mod aliases;
mod clock;
mod conditions;
mod deadline;
mod deployments;
mod events;
mod history;
mod invariants;
mod invocations;
mod lags;
mod network;
mod operator;
mod random;
mod sweeps;
mod world;

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::history::{Played, has_loss, play};

/// As many as play within a minute on two cores, in the debug profile.
const HISTORIES: u64 = 600;

#[test]
fn without_loss_appflow_is_right_without_a_sweep() {
    play_all(false);
}

#[test]
fn with_loss_one_sweep_makes_appflow_right() {
    play_all(true);
}

#[test]
fn a_history_is_the_same_whenever_it_is_played() {
    for seed in 1..=6 {
        assert_eq!(play(seed).trace, play(seed).trace, "seed {seed}");
    }
}

/// Plays the histories with or without loss, several at a time, until one is not right.
fn play_all(loss: bool) {
    let seeds: Vec<u64> = match number("SIMULATION_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SIMULATION_HISTORIES").unwrap_or(HISTORIES)).collect(),
    };
    let seeds: Vec<u64> = seeds
        .into_iter()
        .filter(|seed| has_loss(*seed) == loss)
        .collect();
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (played, invocations) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed: Mutex<Vec<(u64, Played)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed)
                    && let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let history = play(*seed);
                    played.fetch_add(1, Ordering::Relaxed);
                    invocations.fetch_add(history.invocations, Ordering::Relaxed);
                    if history.violation.is_some() {
                        stop.store(true, Ordering::Relaxed);
                        failed
                            .lock()
                            .expect("no thread panicked")
                            .push((*seed, history));
                    }
                }
            });
        }
    });
    println!(
        "{played:?} histories with {invocations:?} invocations in {:.1?}",
        began.elapsed()
    );
    let mut failed = failed.into_inner().expect("no thread panicked");
    failed.sort_by_key(|(seed, _)| *seed);
    if let Some((seed, history)) = failed.into_iter().next() {
        println!("{}", history.trace.join("\n"));
        panic!(
            "SIMULATION_SEED={seed}: {}",
            history.violation.unwrap_or_default()
        );
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number of histories, or a seed"))
}
