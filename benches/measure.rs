//! One process of one contestant, and what it cost.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::runtime_api::{Invocation, Outcome};

use crate::contestants::Contestant;
use crate::share::{Group, Share};
use crate::world::World;

/// What Lambda allows an invocation at most.
const TIMEOUT: Duration = Duration::from_secs(900);

/// A process that has answered its first invocation.
pub struct Started {
    process: Bootstrap,
    /// Dropped after the process.
    _group: Option<Arc<Group>>,
    /// From starting the process to its asking for an invocation.
    pub to_ready: Duration,
    /// From being handed the first invocation to its answer.
    pub first_answer: Duration,
    /// From starting the process to its first answer.
    pub both: Duration,
    /// CPU time of all the process's threads until it asked for an invocation; `None` where the system
    /// does not tell.
    pub cpu_to_ready: Option<Duration>,
    /// CPU time from then until its answer.
    pub cpu_first_answer: Option<Duration>,
}

impl Started {
    /// Starts a contestant as Lambda does when an event is there already. With a `share`, it gets as
    /// much of a CPU as it can use until it asks for the event, and its share from then on.
    pub fn with(
        contestant: &Contestant,
        world: &World,
        event: String,
        share: Option<Share>,
    ) -> io::Result<Self> {
        let variables = contestant.variables(world);
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let group = share.map(Group::new).transpose()?.map(Arc::new);
        let start = Instant::now();
        let mut process = Bootstrap::start(&contestant.bootstrap, &world.aws, &variables)?;
        let id = process.id();
        if let Some(group) = &group {
            group.add(id)?;
        }
        let (sender, ready) = mpsc::channel();
        // Not kept by what may never be run.
        let limited = group.as_ref().map(Arc::downgrade);
        world.aws.state().runtime.on_ready(move || {
            let cpu = cpu(id);
            let limited = limited.and_then(|group| group.upgrade());
            let limited = limited.map_or(Ok(()), |group| group.limit());
            // The process has answered by the time that somebody asks.
            let _ = sender.send((cpu, limited));
        });
        let outcome = queue(&world.aws, event);
        answered(contestant, &mut process, &outcome)?;
        let cpu = cpu(id);
        let times = world.aws.state().runtime.times();
        let (Some(asked), Some(handed), Some(answered), Ok((cpu_to_ready, limited))) =
            (times.ready, times.handed, times.answered, ready.recv())
        else {
            return Err(io::Error::other("an answer without an invocation"));
        };
        limited?;
        Ok(Self {
            process,
            _group: group,
            to_ready: asked - start,
            first_answer: answered - handed,
            both: answered - start,
            cpu_to_ready,
            cpu_first_answer: cpu
                .zip(cpu_to_ready)
                .map(|(all, to_ready)| all.saturating_sub(to_ready)),
        })
    }

    /// One more invocation: from being handed it to its answer.
    pub fn again(
        &mut self,
        contestant: &Contestant,
        aws: &AwsLocal,
        event: String,
    ) -> io::Result<Duration> {
        let outcome = queue(aws, event);
        answered(contestant, &mut self.process, &outcome)?;
        let times = aws.state().runtime.times();
        match (times.handed, times.answered) {
            (Some(handed), Some(answered)) => Ok(answered - handed),
            _ => Err(io::Error::other("an answer without an invocation")),
        }
    }

    /// The most memory that the process has had so far, in bytes; `None` where the system does not
    /// tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

fn queue(aws: &AwsLocal, event: String) -> Receiver<Outcome> {
    let runtime = &mut aws.state().runtime;
    let request_id = runtime.request_id();
    runtime.invoke(Invocation {
        payload: event.into(),
        request_id,
        timeout: TIMEOUT,
    })
}

/// Waits for an answer; only that counts as the job done.
fn answered(
    contestant: &Contestant,
    process: &mut Bootstrap,
    outcome: &Receiver<Outcome>,
) -> io::Result<()> {
    let end = Instant::now() + TIMEOUT;
    loop {
        let what = match outcome.recv_timeout(Duration::from_secs(1)) {
            Ok(Outcome::Answer(_)) => return Ok(()),
            Ok(other) => format!("did not answer: {other:?}"),
            Err(_) => match process.ended(Duration::ZERO)? {
                Some(code) => format!("ended with exit code {code}"),
                None if Instant::now() < end => continue,
                None => "did not answer in time".to_owned(),
            },
        };
        let log = process.lines().join("\n");
        return Err(io::Error::other(format!(
            "{} {what}\n{log}",
            contestant.name
        )));
    }
}

/// The time that all threads of a process, the ended ones included, have been on a CPU.
#[cfg(target_os = "linux")]
fn cpu(process: u32) -> Option<Duration> {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    use nix::unistd::Pid;
    let clock = clock_getcpuclockid(Pid::from_raw(process.try_into().ok()?)).ok()?;
    Some(clock_gettime(clock).ok()?.into())
}

#[cfg(not(target_os = "linux"))]
fn cpu(_process: u32) -> Option<Duration> {
    None
}
