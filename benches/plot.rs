//! The comparison as a picture: horizontal bars, a panel for each figure.

use std::fmt::Write;

use crate::contestants::{BOTO3, NOTHING, PLAIN, UPDATER};
use crate::figures::{Figures, Results, Spread};

const WIDTH: f64 = 760.0;
/// Where bars begin, and how far they may reach; the value stands behind them.
const LEFT: f64 = 150.0;
const REACH: f64 = 480.0;
const BAR: f64 = 18.0;
const GAP: f64 = 8.0;
const TITLE: f64 = 34.0;

/// What a panel shows of a contestant.
type Value = fn(&Figures) -> Option<Spread>;

const PANELS: [(&str, &str, Value); 4] = [
    ("Cold start to first answer", "ms", |figures| {
        Some(figures.cold_start_ms)
    }),
    ("CPU time to the first answer", "ms", |figures| {
        figures.cpu_ms
    }),
    ("Peak memory", "MB", |figures| figures.peak_memory_mb),
    ("Zipped package", "MB", |figures| {
        figures.zipped_mb.map(|zipped| Spread {
            median: zipped,
            lower: zipped,
            upper: zipped,
        })
    }),
];

/// An SVG document. There is too little in it for a plotting library.
pub fn svg(results: &Results) -> String {
    let mut body = String::new();
    let mut top = 10.0;
    for (title, unit, value) in PANELS {
        top = panel(&mut body, top, title, unit, results, value);
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" font-family="sans-serif" font-size="13">
<title>connector-updater beside its peers</title>
<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>
{body}</svg>
"##
    )
}

/// Draws a panel and gives where the next one begins.
fn panel(
    body: &mut String,
    top: f64,
    title: &str,
    unit: &str,
    results: &Results,
    value: Value,
) -> f64 {
    let bars: Vec<(&str, Spread)> = [UPDATER, NOTHING, PLAIN, BOTO3]
        .into_iter()
        .filter_map(|name| Some((name, value(results.of(name)?)?)))
        .collect();
    let most = bars
        .iter()
        .map(|(_, spread)| spread.upper)
        .fold(0.0, f64::max);
    let mut line = |text: String| {
        body.push_str(&text);
        body.push('\n');
    };
    line(format!(
        r##"<text x="10" y="{:.1}" font-weight="bold" fill="#1f2937">{title}, {unit}</text>"##,
        top + 18.0
    ));
    let mut y = top + TITLE;
    for (name, spread) in &bars {
        let scaled = |value: f64| value / most * REACH;
        let middle = y + BAR / 2.0;
        let text = y + BAR - 5.0;
        let colour = if *name == UPDATER {
            "#c2410c"
        } else {
            "#94a3b8"
        };
        line(format!(
            r##"<text x="{:.1}" y="{text:.1}" text-anchor="end" fill="#1f2937">{name}</text>"##,
            LEFT - 10.0
        ));
        line(format!(
            r##"<rect x="{LEFT}" y="{y:.1}" width="{:.1}" height="{BAR}" fill="{colour}"/>"##,
            scaled(spread.median).max(1.0)
        ));
        line(format!(
            r##"<path d="M{:.1} {middle:.1}H{:.1}" stroke="#1f2937" stroke-width="1.5"/>"##,
            LEFT + scaled(spread.lower),
            LEFT + scaled(spread.upper)
        ));
        let mut label = String::new();
        // Writing to a string does not fail.
        let _ = write!(label, "{:.1}", spread.median);
        line(format!(
            r##"<text x="{:.1}" y="{text:.1}" fill="#1f2937">{label}</text>"##,
            LEFT + scaled(spread.upper) + 8.0
        ));
        y += BAR + GAP;
    }
    y + 12.0
}
