//! The table of AppFlow's registrations before and after, with the outcomes that the updater reported.

use serde_json::Value;
use textwrap::core::display_width;

use super::INDENT;
use super::screen::{Line, Look, wrapped};
use crate::AwsLocal;

/// A registration as AppFlow has stored it.
pub(super) struct Held {
    label: String,
    lambda_arn: String,
    connector_version: String,
}

/// AppFlow's registrations, in the order of the labels.
pub(super) fn held(aws: &AwsLocal) -> Vec<Held> {
    aws.state()
        .appflow
        .registrations()
        .iter()
        .map(|(label, registration)| Held {
            label: label.clone(),
            lambda_arn: registration.lambda_arn.clone(),
            connector_version: registration.configuration["connectorVersion"]
                .as_str()
                .unwrap_or("?")
                .to_owned(),
        })
        .collect()
}

/// One registration in the table.
struct Row {
    cells: [String; 4],
    looks: [Look; 4],
    note: Option<String>,
}

/// The table, with each reason below its row.
pub(super) fn lines(before: &[Held], after: &[Held], response: &Value) -> Vec<Line> {
    let rows: Vec<Row> = before
        .iter()
        .zip(after)
        .map(|(before, after)| row(before, after, response))
        .collect();
    let heads = [
        ["", "", "connector version", ""],
        ["registration", "registered as", "before → after", "outcome"],
    ];
    let mut columns = [INDENT; 4];
    for column in 1..4 {
        let widest = rows
            .iter()
            .map(|row| row.cells[column - 1].as_str())
            .chain(heads.iter().map(|head| head[column - 1]))
            .map(display_width)
            .max();
        columns[column] = columns[column - 1] + widest.unwrap_or_default() + 2;
    }
    let line = |cells: [&str; 4], looks: [Look; 4]| {
        (0..4)
            .filter(|at| !cells[*at].is_empty())
            .fold(Line::blank(), |line, at| {
                line.put(columns[at], looks[at], cells[at])
            })
    };

    let mut lines: Vec<Line> = heads
        .into_iter()
        .map(|head| line(head, [Look::Heading; 4]))
        .collect();
    for row in &rows {
        lines.push(line(row.cells.each_ref().map(String::as_str), row.looks));
        if let Some(note) = &row.note {
            lines.extend(wrapped(INDENT + 2, Look::Faint, note));
        }
    }
    lines
}

fn row(before: &Held, after: &Held, response: &Value) -> Row {
    let reported = response["connectors"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|connector| connector["connectorLabel"] == before.label);
    let text = |name: &str| reported.and_then(|connector| connector[name].as_str());
    let outcome = text("outcome").unwrap_or("-");
    let would_move = match (text("registeredArn"), text("targetArn")) {
        (Some(registered), Some(target)) if outcome == "planned" && registered != target => {
            Some(format!("would be registered as {}", registered_as(target)))
        }
        _ => None,
    };
    Row {
        cells: [
            before.label.clone(),
            changed(
                &registered_as(&before.lambda_arn),
                &registered_as(&after.lambda_arn),
            ),
            changed(&before.connector_version, &after.connector_version),
            outcome.to_owned(),
        ],
        looks: [
            Look::Plain,
            Look::Plain,
            Look::Plain,
            match outcome {
                "updated" => Look::Good,
                "planned" => Look::Planned,
                "failed" => Look::Bad,
                _ => Look::Faint,
            },
        ],
        note: text("reason").map(str::to_owned).or(would_move),
    }
}

/// Both values if they differ, as in `version 6 → 7`; otherwise one.
fn changed(before: &str, after: &str) -> String {
    let after = match (before.strip_prefix(VERSION), after.strip_prefix(VERSION)) {
        _ if before == after => return before.to_owned(),
        (Some(_), Some(number)) => number,
        _ => after,
    };
    format!("{before} → {after}")
}

const VERSION: &str = "version ";

/// The form of a registration, by its ARN's qualifier.
fn registered_as(lambda_arn: &str) -> String {
    match lambda_arn.split(':').nth(7) {
        None => "no qualifier".to_owned(),
        Some(qualifier) if qualifier.starts_with('$') => qualifier.to_owned(),
        Some(qualifier) if qualifier.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{VERSION}{qualifier}")
        }
        Some(qualifier) => format!("alias {qualifier}"),
    }
}
