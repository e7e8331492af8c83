//! The results: medians with their spread, as JSON and as tables.

use std::fmt;

use serde::Serialize;

/// What one kind of measurement gave: half of the values lie between the quartiles.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// A quarter of the values are below it.
    pub lower: f64,
    /// A quarter of the values are above it.
    pub upper: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let quartile = |quarters: usize| {
            // Between the two nearest values, as most do it.
            let position = (last * quarters) as f64 / 4.0;
            let below = values[position.floor() as usize];
            let above = values[position.ceil() as usize];
            below + (above - below) * position.fract()
        };
        Some(Self {
            median: quartile(2),
            lower: quartile(1),
            upper: quartile(3),
        })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            lower,
            upper,
        } = self;
        // Three figures say all that such a measurement can.
        let places = if *median < 10.0 {
            2
        } else if *median < 100.0 {
            1
        } else {
            0
        };
        write!(f, "{median:.places$} ({lower:.places$}–{upper:.places$})")
    }
}

/// One contestant's cold starts and warm invocations.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The contestant.
    pub name: String,
    /// Start to ready.
    pub to_ready_ms: Spread,
    /// The first invocation.
    pub first_answer_ms: Spread,
    /// Start to first answer.
    pub cold_start_ms: Spread,
    /// An invocation after the first.
    pub warm_ms: Option<Spread>,
    /// CPU time until it was ready.
    pub cpu_to_ready_ms: Option<Spread>,
    /// CPU time of the first invocation.
    pub cpu_first_answer_ms: Option<Spread>,
    /// Both together.
    pub cpu_ms: Option<Spread>,
    /// Peak memory until the first answer.
    pub peak_memory_mb: Option<Spread>,
}

/// What has to be deployed, where that is all of the program.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// The contestant.
    pub name: String,
    /// The program.
    pub size_mb: f64,
    /// The same, zipped.
    pub zipped_mb: f64,
}

/// All contestants in one of the worlds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// What they get of a CPU once they are ready; `None` for as much as they can use.
    pub share: Option<f64>,
    /// The whole job for one connector.
    pub contestants: Vec<Figures>,
    /// Events about one of many registrations.
    pub scale: Vec<Scale>,
}

impl Comparison {
    /// A contestant's figures.
    pub fn of(&self, name: &str) -> Option<&Figures> {
        self.contestants.iter().find(|figures| figures.name == name)
    }
}

/// One event about one of many registrations.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scale {
    /// The contestant.
    pub name: String,
    /// How many there are.
    pub registrations: usize,
    /// Calls of ListConnectors.
    pub lists: usize,
    /// Calls of DescribeConnector.
    pub describes: usize,
    /// Calls of GetFunctionConfiguration.
    pub reads: usize,
    /// Calls of UpdateConnectorRegistration.
    pub updates: usize,
    /// From being handed the event to the answer.
    pub wall_s: f64,
    /// Peak memory.
    pub peak_memory_mb: Option<f64>,
}

/// Everything that one run measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// What the machine's processors are called, and how many there are.
    pub machine: String,
    /// Cold starts of each contestant.
    pub cold_starts: usize,
    /// Warm invocations of each contestant.
    pub warm_invocations: usize,
    /// What has to be deployed.
    pub packages: Vec<Package>,
    /// Where the function runs first: at a share of a CPU, if the machine lets it, and on whole ones.
    pub worlds: Vec<Comparison>,
}
