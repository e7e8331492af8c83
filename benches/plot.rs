//! The comparison as a picture, at the share of a CPU that Lambda gives: horizontal bars in two panels,
//! with how many times the updater's value each is.

use std::fmt::Write;

use crate::contestants::{BOTO3, NOTHING, PLAIN, UPDATER};
use crate::figures::{Comparison, Figures, Results, Spread};

const WIDTH: f64 = 760.0;
/// Where the names of the bars end.
const NAMES: f64 = 140.0;
/// What is between a panel's left edge and the next one's.
const PANEL: f64 = 310.0;
/// How far bars reach; the value stands behind them.
const REACH: f64 = 170.0;
const BAR: f64 = 20.0;
const GAP: f64 = 8.0;
/// Where the first bar begins.
const TOP: f64 = 44.0;

/// What a panel shows of a contestant.
type Panel = (&'static str, &'static str, fn(&Figures) -> Option<Spread>);

const PANELS: [Panel; 2] = [
    ("First response", "ms", |figures| {
        Some(figures.first_answer_ms)
    }),
    ("Peak memory", "MB", |figures| figures.peak_memory_mb),
];

const STYLE: &str = "\
text{fill:#1f2937}.other{fill:#94a3b8}.own{fill:#c2410c}.note{fill:#475569;font-size:11px}\
@media(prefers-color-scheme:dark){\
text{fill:#e5e7eb}.other{fill:#64748b}.own{fill:#fb923c}.note{fill:#9ca3af}}";

/// An SVG document; `None` without figures at a share. There is too little in it for a plotting library.
pub fn svg(results: &Results) -> Option<String> {
    let world = results.worlds.iter().find(|world| world.share.is_some())?;
    let contestants: Vec<&Figures> = [UPDATER, NOTHING, PLAIN, BOTO3]
        .into_iter()
        .filter_map(|name| world.of(name))
        .collect();
    let mut body = String::new();
    for (row, figures) in contestants.iter().enumerate() {
        text(&mut body, NAMES, baseline(row), "end", "", &figures.name);
    }
    for (number, panel) in PANELS.into_iter().enumerate() {
        let left = NAMES + 12.0 + PANEL * number as f64;
        draw(&mut body, left, panel, world, &contestants);
    }
    let height = TOP + (BAR + GAP) * contestants.len() as f64 + 28.0;
    let caption = format!(
        "One event, one connector, the whole job over TLS, {} of a CPU once ready; medians of {} cold starts.",
        world.share?, results.cold_starts
    );
    text(&mut body, 10.0, height - 10.0, "start", "note", &caption);
    Some(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" role="img">
<title>connector-updater beside its peers: first response and memory</title>
<style>{STYLE}</style>
{body}</svg>
"#
    ))
}

/// Draws a panel.
fn draw(body: &mut String, left: f64, panel: Panel, world: &Comparison, contestants: &[&Figures]) {
    let (title, unit, value) = panel;
    text(
        body,
        left,
        24.0,
        "start",
        "title",
        &format!("{title}, {unit}"),
    );
    let median = |figures: &Figures| value(figures).map_or(0.0, |spread| spread.median);
    let most = contestants
        .iter()
        .map(|figures| median(figures))
        .fold(f64::MIN_POSITIVE, f64::max);
    let own = world.of(UPDATER).map_or(f64::NAN, median);
    for (row, figures) in contestants.iter().enumerate() {
        let value = median(figures);
        let width = (value / most * REACH).max(1.0);
        let (class, times) = if figures.name == UPDATER {
            ("own", String::new())
        } else {
            ("other", format!(" ({} ×)", short(value / own)))
        };
        let y = TOP + (BAR + GAP) * row as f64;
        // Writing to a string does not fail.
        let _ = writeln!(
            body,
            r#"<rect class="{class}" x="{left}" y="{y}" width="{width:.1}" height="{BAR}" rx="2"/>"#
        );
        let label = format!("{}{times}", short(value));
        text(body, left + width + 6.0, baseline(row), "start", "", &label);
    }
}

fn baseline(row: usize) -> f64 {
    TOP + (BAR + GAP) * row as f64 + BAR - 5.0
}

/// Two figures are enough for a picture.
fn short(value: f64) -> String {
    if value < 0.995 {
        format!("{value:.2}")
    } else if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn text(body: &mut String, x: f64, y: f64, anchor: &str, class: &str, what: &str) {
    let weight = if class == "title" {
        r#" font-weight="bold""#
    } else {
        ""
    };
    // Writing to a string does not fail.
    let _ = writeln!(
        body,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}"{weight}>{what}</text>"#
    );
}
