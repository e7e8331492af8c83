//! `cargo bench`: the updater beside its peers, driven as Lambda drives them, with AppFlow and Lambda
//! behind TLS on this machine.
//!
//! Everything is measured in turns in one run, so that whatever else the machine does meets all
//! alike; compare the figures of one run with each other, never with those of another.

#![allow(unreachable_pub)] // nothing reaches into a benchmark

mod certificates;
mod contestants;
mod figures;
mod measure;
mod plot;
mod share;
mod tables;
mod world;

use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::tls::Authority;
use clap::Parser;
use zip::write::SimpleFileOptions;

use crate::contestants::{Contestant, PLAIN, UPDATER};
use crate::figures::{Comparison, Figures, Package, Results, Scale, Spread};
use crate::measure::Started;
use crate::share::{REST, Share};
use crate::world::World;

/// Measures connector-updater beside a handler that does nothing, the plain way to write it, and the
/// same in Python where python3 has boto3 and awslambdaric.
#[derive(Parser)]
#[command(name = "cargo bench --", bin_name = "cargo bench --")]
struct Arguments {
    /// Cold starts of each contestant
    #[arg(long, default_value = "20")]
    cold: NonZeroUsize,
    /// Warm invocations of each contestant
    #[arg(long, default_value_t = 200)]
    warm: usize,
    /// How many registrations to measure events with
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    registrations: Vec<NonZeroUsize>,
    /// A Python that has boto3 and awslambdaric
    #[arg(long, default_value = "python3")]
    python: String,
    /// The share of one CPU that functions get once they are ready, as Lambda gives to 128 MB. Left out
    /// where this machine cannot limit a process to it
    #[arg(long, value_name = "CPUS", value_parser = Share::parse)]
    share: Option<Share>,
    /// Another bootstrap to measure in turns with the rest, such as one built before a change
    #[arg(long, value_name = "NAME=FILE", value_parser = also)]
    also: Vec<(String, PathBuf)>,
    /// Where the figures and the plot go; by default below the target folder
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What every answer takes when many registrations are measured.
const LATENCY: Duration = Duration::from_millis(20);
/// The share of 128 MB: 128/1769.
const SHARE: &str = "0.0724";
const MEGABYTE: f64 = 1_000_000.0;

fn also(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected NAME=FILE")?;
    Ok((name.to_owned(), file.into()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // cargo's own: the folder that it builds into, with `tmp` in it.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().ok_or("no target folder")?;
    // cargo runs benchmarks in their package's folder, and people name files from the project's.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let save = match arguments.save {
        Some(folder) => root.join(folder),
        None => target.join("performance"),
    };

    let share = match arguments.share {
        Some(share) => {
            share
                .check()
                .map_err(|error| format!("cannot limit a process to a share of a CPU: {error}"))?;
            Some(share)
        }
        None => {
            let share = Share::parse(SHARE)?;
            match share.check() {
                Ok(()) => Some(share),
                Err(error) => {
                    println!(
                        "measuring whole CPUs only: cannot limit a process to a share of a CPU: {error}"
                    );
                    None
                }
            }
        }
    };

    let authority = certificates::authority(scratch)?;
    println!("building …");
    let mut contestants = contestants::build(target, &arguments.python, &authority, scratch)?;
    for (name, file) in arguments.also {
        if contestants.iter().any(|other| other.name == name) {
            return Err(format!("there is a {name} already").into());
        }
        let file = root.join(file);
        contestants.push(Contestant::updater(&name, file, &authority, scratch)?);
    }
    let bench = Bench {
        contestants,
        cold: arguments.cold.get(),
        warm: arguments.warm,
        registrations: arguments.registrations.iter().map(|n| n.get()).collect(),
        authority,
        scratch: scratch.to_owned(),
    };
    let worlds = share.map(Some).into_iter().chain([None]);
    let results = Results {
        machine: machine(),
        cold_starts: bench.cold,
        warm_invocations: bench.warm,
        packages: bench.packages()?,
        worlds: bench.compare(&worlds.collect::<Vec<_>>())?,
    };
    progress("");
    println!("{}", tables::all(&results));

    fs::create_dir_all(&save)?;
    let figures = save.join("performance.json");
    fs::write(&figures, serde_json::to_string_pretty(&results)? + "\n")?;
    println!("\n{}", figures.display());
    if let Some(svg) = plot::svg(&results) {
        let plot = save.join("performance.svg");
        fs::write(&plot, svg)?;
        println!("{}", plot.display());
    }
    Ok(())
}

/// What is measured, and how often.
struct Bench {
    contestants: Vec<Contestant>,
    cold: usize,
    warm: usize,
    registrations: Vec<usize>,
    authority: Authority,
    scratch: PathBuf,
}

/// What one contestant has shown so far in one of the worlds, in milliseconds and bytes.
#[derive(Default)]
struct Samples {
    to_ready: Vec<f64>,
    first_answer: Vec<f64>,
    cold_start: Vec<f64>,
    warm: Vec<f64>,
    cpu_to_ready: Vec<f64>,
    cpu_first_answer: Vec<f64>,
    cpu: Vec<f64>,
    peak_memory: Vec<f64>,
}

impl Samples {
    fn figures(self, name: &str) -> io::Result<Figures> {
        let spread = |values| Spread::of(values).ok_or_else(|| io::Error::other("no sample"));
        Ok(Figures {
            name: name.to_owned(),
            to_ready_ms: spread(self.to_ready)?,
            first_answer_ms: spread(self.first_answer)?,
            cold_start_ms: spread(self.cold_start)?,
            warm_ms: Spread::of(self.warm),
            cpu_to_ready_ms: Spread::of(self.cpu_to_ready),
            cpu_first_answer_ms: Spread::of(self.cpu_first_answer),
            cpu_ms: Spread::of(self.cpu),
            peak_memory_mb: Spread::of(self.peak_memory),
        })
    }
}

impl Bench {
    /// Everything in each of the worlds: at a share of a CPU, and on whole ones.
    fn compare(&self, worlds: &[Option<Share>]) -> io::Result<Vec<Comparison>> {
        let contestants = self.starts(worlds)?;
        let scale = worlds.iter().map(|share| self.scale(*share));
        let scale = scale.collect::<io::Result<Vec<_>>>()?;
        let comparisons = worlds.iter().zip(contestants).zip(scale);
        Ok(comparisons
            .map(|((share, contestants), scale)| Comparison {
                share: share.map(Share::cpus),
                contestants,
                scale,
            })
            .collect())
    }

    /// Cold starts and warm invocations with one connector, in turns.
    fn starts(&self, worlds: &[Option<Share>]) -> io::Result<Vec<Vec<Figures>>> {
        let new = || self.contestants.iter().map(|_| Samples::default());
        let mut samples: Vec<Vec<Samples>> = worlds.iter().map(|_| new().collect()).collect();
        for round in 0..self.cold {
            progress(&format!("cold start {} of {}", round + 1, self.cold));
            // This round's share of the warm invocations.
            let warm = self.warm * (round + 1) / self.cold - self.warm * round / self.cold;
            for (share, samples) in worlds.iter().zip(&mut samples) {
                for (contestant, samples) in self.contestants.iter().zip(samples) {
                    self.start(contestant, *share, warm, samples)?;
                }
            }
        }
        samples
            .into_iter()
            .map(|samples| {
                let samples = self.contestants.iter().zip(samples);
                samples
                    .map(|(contestant, samples)| samples.figures(&contestant.name))
                    .collect()
            })
            .collect()
    }

    /// One cold start and so many warm invocations after it.
    fn start(
        &self,
        contestant: &Contestant,
        share: Option<Share>,
        warm: usize,
        samples: &mut Samples,
    ) -> io::Result<()> {
        let mut world = World::new(1, &self.authority, &self.scratch)?;
        let event = world.deploy()?;
        let mut started = Started::with(contestant, &world, event, share)?;
        samples.to_ready.push(milliseconds(started.to_ready));
        samples
            .first_answer
            .push(milliseconds(started.first_answer));
        samples.cold_start.push(milliseconds(started.both));
        if let (Some(before), Some(after)) = (started.cpu_to_ready, started.cpu_first_answer) {
            samples.cpu_to_ready.push(milliseconds(before));
            samples.cpu_first_answer.push(milliseconds(after));
            samples.cpu.push(milliseconds(before + after));
        }
        let memory = started.peak_memory();
        samples
            .peak_memory
            .extend(memory.map(|bytes| bytes as f64 / MEGABYTE));
        for _ in 0..warm {
            let event = world.deploy()?;
            if share.is_some() {
                thread::sleep(REST);
            }
            let time = started.again(contestant, &world.aws, event)?;
            samples.warm.push(milliseconds(time));
        }
        if contestant.works {
            world.check()?;
        }
        Ok(())
    }

    /// The sizes of what has to be deployed.
    fn packages(&self) -> io::Result<Vec<Package>> {
        let mut packages = Vec::new();
        for contestant in &self.contestants {
            if let Some(path) = &contestant.package {
                let file = fs::read(path)?;
                packages.push(Package {
                    name: contestant.name.clone(),
                    size_mb: file.len() as f64 / MEGABYTE,
                    zipped_mb: zipped(&file)? as f64 / MEGABYTE,
                });
            }
        }
        Ok(packages)
    }

    /// Events about one of many connectors, with services that take their time.
    fn scale(&self, share: Option<Share>) -> io::Result<Vec<Scale>> {
        let mut runs = Vec::new();
        for &registrations in &self.registrations {
            for contestant in &self.contestants {
                if [UPDATER, PLAIN].contains(&contestant.name.as_str()) {
                    runs.push(self.event_among(registrations, contestant, share)?);
                }
            }
        }
        Ok(runs)
    }

    /// One event, in a new process.
    fn event_among(
        &self,
        registrations: usize,
        contestant: &Contestant,
        share: Option<Share>,
    ) -> io::Result<Scale> {
        progress(&format!(
            "event among {registrations} registrations, {}",
            contestant.name
        ));
        let mut world = World::new(registrations, &self.authority, &self.scratch)?;
        let event = world.deploy()?;
        world.aws.fault(Fault::of("*", Kind::Slow(LATENCY)));
        let started = Started::with(contestant, &world, event, share)?;
        world.check()?;
        let calls = world.aws.take_calls();
        let count = |operation: &str| {
            let calls = calls.iter().filter(|call| call.operation == operation);
            calls.count()
        };
        Ok(Scale {
            name: contestant.name.clone(),
            registrations,
            lists: count("ListConnectors"),
            describes: count("DescribeConnector"),
            reads: count("GetFunctionConfiguration"),
            updates: count("UpdateConnectorRegistration"),
            wall_s: started.first_answer.as_secs_f64(),
            peak_memory_mb: started.peak_memory().map(|bytes| bytes as f64 / MEGABYTE),
        })
    }
}

/// The size of a package with this one file. SAM compresses with zlib at its level 6, which this
/// library's level 9 comes closest to.
fn zipped(file: &[u8]) -> io::Result<usize> {
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    archive.start_file(
        "bootstrap",
        SimpleFileOptions::default().compression_level(Some(9)),
    )?;
    archive.write_all(file)?;
    Ok(archive.finish()?.into_inner().len())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{processors} processors ({name})")
}

/// Says what is going on in one line of a terminal, if there is one.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}
