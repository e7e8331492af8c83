//! The results for people, as Markdown.

use crate::contestants::{BOTO3, NOTHING, PLAIN, UPDATER};
use crate::figures::{Figures, Results, Scale, Spread};

/// One row of the comparison.
type Row = (&'static str, fn(&Figures) -> String);

const ROWS: [Row; 8] = [
    ("start to ready, ms", |figures| {
        figures.to_ready_ms.to_string()
    }),
    ("first answer, ms", |figures| {
        figures.first_answer_ms.to_string()
    }),
    ("both together, ms", |figures| {
        figures.cold_start_ms.to_string()
    }),
    ("warm invocation, ms", |figures| or_dash(figures.warm_ms)),
    ("CPU time to the first answer, ms", |figures| {
        or_dash(figures.cpu_ms)
    }),
    ("peak memory, MB", |figures| or_dash(figures.peak_memory_mb)),
    ("size, MB", |figures| megabytes(figures.size_mb)),
    ("zipped, MB", |figures| megabytes(figures.zipped_mb)),
];

/// All tables.
pub fn all(results: &Results) -> String {
    let mut parts = vec![
        format!(
            "{}; {} cold starts and {} warm invocations of each, in turns: median (quartiles)",
            results.machine, results.cold_starts, results.warm_invocations
        ),
        comparison(&results.contestants),
        ratios(results),
        "With 20 ms in every answer:".to_owned(),
        scale(&results.scale),
    ];
    // A short run may have too few registrations for it.
    if !results.throttled.is_empty() {
        parts.push(format!(
            "With services that refuse what comes above {} calls a second:",
            results.calls_per_second
        ));
        parts.push(scale(&results.throttled));
    }
    parts.join("\n\n")
}

fn comparison(contestants: &[Figures]) -> String {
    let names = contestants.iter().map(|figures| figures.name.clone());
    let rows = ROWS.iter().map(|(name, cell)| {
        let cells = contestants.iter().map(cell);
        std::iter::once((*name).to_owned()).chain(cells).collect()
    });
    table(std::iter::once(String::new()).chain(names).collect(), rows)
}

/// How the updater stands to each of its peers.
fn ratios(results: &Results) -> String {
    let Some(updater) = results.of(UPDATER) else {
        return String::new();
    };
    let lines = [NOTHING, PLAIN, BOTO3]
        .into_iter()
        .filter_map(|name| results.of(name))
        .map(|peer| {
            let ratio = |of: fn(&Figures) -> f64| format!("{:.3}", of(updater) / of(peer));
            vec![
                format!("{UPDATER} to {}", peer.name),
                ratio(|figures| figures.cold_start_ms.median),
                ratio(|figures| figures.warm_ms.map_or(f64::NAN, |warm| warm.median)),
                ratio(|figures| figures.cpu_ms.map_or(f64::NAN, |cpu| cpu.median)),
                ratio(|figures| figures.peak_memory_mb.map_or(f64::NAN, |peak| peak.median)),
            ]
        });
    let header = [
        "ratio of medians",
        "cold start",
        "warm",
        "CPU time",
        "memory",
    ];
    table(header.map(str::to_owned).into(), lines)
}

fn scale(runs: &[Scale]) -> String {
    let header = [
        "",
        "registrations",
        "lists",
        "describes",
        "looks",
        "updates",
        "refused",
        "wall time, s",
        "peak memory, MB",
    ];
    let lines = runs.iter().map(|run| {
        vec![
            format!("{}, {}", run.name, run.occasion),
            run.registrations.to_string(),
            run.lists.to_string(),
            run.describes.to_string(),
            run.readiness_looks.to_string(),
            run.updates.to_string(),
            run.refused.to_string(),
            format!("{:.2}", run.wall_s),
            run.peak_memory_mb
                .map_or("–".to_owned(), |peak| format!("{peak:.1}")),
        ]
    });
    table(header.map(str::to_owned).into(), lines)
}

fn megabytes(size: Option<f64>) -> String {
    size.map_or("–".to_owned(), |size| format!("{size:.2}"))
}

fn or_dash(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |spread| spread.to_string())
}

/// A table whose columns line up: the first to the left, the others to the right.
fn table(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
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
