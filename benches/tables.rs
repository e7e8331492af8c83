//! The results for people, as Markdown.

use std::iter;

use crate::contestants::{BOTO3, NOTHING, PLAIN, UPDATER};
use crate::figures::{Comparison, Figures, Package, Results, Scale, Spread};

/// One row of the comparison.
type Row = (&'static str, fn(&Figures) -> Option<Spread>);

const ROWS: [Row; 8] = [
    ("first response, ms", |figures| {
        Some(figures.first_answer_ms)
    }),
    ("start to ready, ms", |figures| Some(figures.to_ready_ms)),
    ("start to first response, ms", |figures| {
        Some(figures.cold_start_ms)
    }),
    ("warm invocation, ms", |figures| figures.warm_ms),
    ("CPU time until ready, ms", |figures| {
        figures.cpu_to_ready_ms
    }),
    ("CPU time of the first response, ms", |figures| {
        figures.cpu_first_answer_ms
    }),
    ("CPU time to the first response, ms", |figures| {
        figures.cpu_ms
    }),
    ("peak memory, MB", |figures| figures.peak_memory_mb),
];

/// All tables.
pub fn all(results: &Results) -> String {
    let mut parts = vec![format!(
        "{}; {} cold starts and {} warm invocations of each, in turns: median (quartiles)",
        results.machine, results.cold_starts, results.warm_invocations
    )];
    for world in &results.worlds {
        parts.push(heading(world));
        parts.push(comparison(&world.contestants));
        parts.push(ratios(world));
    }
    parts.push(packages(&results.packages));
    for world in &results.worlds {
        parts.push(format!(
            "{} An event about one of many registrations, with 20 ms in every response:",
            heading(world)
        ));
        parts.push(scale(&world.scale));
    }
    parts.join("\n\n")
}

fn heading(world: &Comparison) -> String {
    match world.share {
        Some(share) => format!("At {share} of a CPU once ready."),
        None => "On whole CPUs.".to_owned(),
    }
}

fn comparison(contestants: &[Figures]) -> String {
    let names = contestants.iter().map(|figures| figures.name.clone());
    let rows = ROWS.iter().map(|(name, value)| {
        let cells = contestants.iter().map(|figures| or_dash(value(figures)));
        iter::once((*name).to_owned()).chain(cells).collect()
    });
    table(iter::once(String::new()).chain(names).collect(), rows)
}

/// How the updater stands to each of its peers.
fn ratios(world: &Comparison) -> String {
    let Some(updater) = world.of(UPDATER) else {
        return String::new();
    };
    let peers = [NOTHING, PLAIN, BOTO3].into_iter();
    let lines = peers.filter_map(|name| world.of(name)).map(|peer| {
        let ratios = ROWS
            .iter()
            .map(|(_, value)| match value(updater).zip(value(peer)) {
                Some((updater, peer)) => ratio(updater.median / peer.median),
                None => "–".to_owned(),
            });
        let first = iter::once(format!("to {}", peer.name));
        first.chain(ratios).collect()
    });
    let header = ROWS.iter().map(|(name, _)| {
        let name = name.split_once(',').map_or(*name, |(name, _)| name);
        name.to_owned()
    });
    let first = iter::once("ratio of medians".to_owned());
    table(first.chain(header).collect(), lines)
}

/// A ratio for readers: 3.9, or 1/19.
pub fn ratio(ratio: f64) -> String {
    if ratio >= 0.5 {
        format!("{ratio:.2}")
    } else {
        format!("1/{:.1}", 1.0 / ratio)
    }
}

fn packages(packages: &[Package]) -> String {
    let header = ["", "size, MB", "zipped, MB"];
    let lines = packages.iter().map(|package| {
        vec![
            package.name.clone(),
            format!("{:.2}", package.size_mb),
            format!("{:.2}", package.zipped_mb),
        ]
    });
    table(header.map(str::to_owned).into(), lines)
}

fn scale(runs: &[Scale]) -> String {
    let header = [
        "",
        "registrations",
        "lists",
        "describes",
        "reads",
        "updates",
        "wall time, s",
        "peak memory, MB",
    ];
    let lines = runs.iter().map(|run| {
        vec![
            run.name.clone(),
            run.registrations.to_string(),
            run.lists.to_string(),
            run.describes.to_string(),
            run.reads.to_string(),
            run.updates.to_string(),
            format!("{:.2}", run.wall_s),
            run.peak_memory_mb
                .map_or("–".to_owned(), |peak| format!("{peak:.1}")),
        ]
    });
    table(header.map(str::to_owned).into(), lines)
}

fn or_dash(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |spread| spread.to_string())
}

/// A table whose columns line up: the first to the left, the others to the right.
fn table(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = iter::once(header).chain(rows).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default().max(3)
        })
        .collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| {
                    if column == 0 {
                        format!("{cell:<width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                });
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        })
        .collect();
    let rule = widths.iter().enumerate().map(|(column, width)| {
        let dashes = "-".repeat(width - 1);
        if column == 0 {
            format!("{dashes}-")
        } else {
            format!("{dashes}:")
        }
    });
    let rule = format!("| {} |", rule.collect::<Vec<_>>().join(" | "));
    lines.insert(1, rule);
    lines.join("\n")
}
