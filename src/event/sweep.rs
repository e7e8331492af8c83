//! Parses a sweep, which makes up for lost events: it brings every registration in scope up to date.

use serde::Deserialize;

use crate::event::trigger::{InvalidEvent, Sweep};
use crate::model::registration::ConnectorLabel;

/// Reads `{"sweep": {"labels": ["…"], "functions": ["…"], "move": true, "dryRun": true}}`, of which
/// all members but `sweep` are optional.
///
/// # Errors
/// When there is an unknown member (a sweep whose `dryRun` is misspelled must not write), an empty
/// list, or a name that cannot exist.
pub(super) fn by_hand(payload: &str) -> Result<Sweep, InvalidEvent> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Payload {
        sweep: Parameters,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Parameters {
        labels: Option<Vec<String>>,
        functions: Option<Vec<String>>,
        #[serde(rename = "move")]
        to_newest: Option<bool>,
        dry_run: Option<bool>,
    }

    let Payload { sweep } = serde_json::from_str(payload).map_err(|error| {
        InvalidEvent(format!(
            "the sweep is not of the form {{\"sweep\": {{\"labels\": [\"…\"], \"functions\": \
             [\"…\"], \"move\": true, \"dryRun\": true}}}}: {error}"
        ))
    })?;
    let mut labels = list("labels", sweep.labels, |text| {
        text.parse::<ConnectorLabel>()
            .map_err(|error| InvalidEvent(format!("in the sweep's `labels`, {error}")))
    })?;
    if let Some(labels) = &mut labels {
        labels.sort();
        labels.dedup();
    }
    Ok(Sweep {
        labels,
        functions: list("functions", sweep.functions, |text| {
            text.parse()
                .map_err(|error| InvalidEvent(format!("in the sweep's `functions`, {error}")))
        })?,
        to_newest: sweep.to_newest.unwrap_or(false),
        dry_run: sweep.dry_run.unwrap_or(false),
        is_first: false,
    })
}

fn list<T>(
    member: &str,
    texts: Option<Vec<String>>,
    read: impl Fn(&str) -> Result<T, InvalidEvent>,
) -> Result<Option<Vec<T>>, InvalidEvent> {
    let Some(texts) = texts else { return Ok(None) };
    if texts.is_empty() {
        return Err(InvalidEvent(format!(
            "the sweep's `{member}` is empty: leave it out to sweep every registration"
        )));
    }
    let values: Result<Vec<T>, _> = texts.iter().map(|text| read(text)).collect();
    values.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function_arn::FunctionArn;
    use crate::model::function_selector::FunctionSelector;

    #[test]
    fn the_parameters_of_a_sweep_are_all_optional() {
        let label = |text: &str| text.parse::<ConnectorLabel>().unwrap();
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:crm";
        let function = arn.parse::<FunctionArn>().unwrap().function().clone();
        let none = Sweep::default();
        for (payload, expected) in [
            (r#"{"sweep": {}}"#.to_owned(), none.clone()),
            (
                r#"{"sweep": {"labels": null, "functions": null, "move": null, "dryRun": null}}"#
                    .to_owned(),
                none.clone(),
            ),
            (
                r#"{"sweep": {"dryRun": true}}"#.to_owned(),
                Sweep {
                    dry_run: true,
                    ..none.clone()
                },
            ),
            (
                r#"{"sweep": {"move": true}}"#.to_owned(),
                Sweep {
                    to_newest: true,
                    ..none.clone()
                },
            ),
            (
                r#"{"sweep": {"labels": ["zeta", "alpha", "zeta"]}}"#.to_owned(),
                Sweep {
                    labels: Some(vec![label("alpha"), label("zeta")]),
                    ..none.clone()
                },
            ),
            (
                format!(r#"{{"sweep": {{"functions": ["crm", "{arn}", "{arn}:7"]}}}}"#),
                Sweep {
                    functions: Some(vec![
                        FunctionSelector::Name("crm".to_owned()),
                        FunctionSelector::Function(function.clone()),
                        FunctionSelector::Function(function.clone()),
                    ]),
                    ..none.clone()
                },
            ),
        ] {
            assert_eq!(by_hand(&payload), Ok(expected), "{payload}");
        }
    }

    #[test]
    fn a_sweep_that_cannot_be_meant_is_an_error_that_says_where() {
        for (payload, part) in [
            (r#"{"sweep": null}"#, "is not of the form"),
            (r#"{"sweep": true}"#, "is not of the form"),
            (r#"{"sweep": []}"#, "is not of the form"),
            (r#"{"sweep": {"labels": []}}"#, "`labels` is empty"),
            (r#"{"sweep": {"functions": []}}"#, "`functions` is empty"),
            (r#"{"sweep": {"labels": "alpha"}}"#, "is not of the form"),
            (
                r#"{"sweep": {"labels": ["a b"]}}"#,
                "in the sweep's `labels`",
            ),
            (r#"{"sweep": {"labels": [5]}}"#, "is not of the form"),
            (r#"{"sweep": {"functions": ["a b"]}}"#, "`functions`, `a b`"),
            (r#"{"sweep": {"functions": ["crm:7"]}}"#, "`crm:7`"),
            (
                r#"{"sweep": {"functions": [""]}}"#,
                "in the sweep's `functions`",
            ),
            (r#"{"sweep": {"dryrun": true}}"#, "unknown field `dryrun`"),
            (r#"{"sweep": {"dryRun": "true"}}"#, "is not of the form"),
            (r#"{"sweep": {"move": 1}}"#, "is not of the form"),
            (r#"{"sweep": {}, "dryRun": true}"#, "unknown field `dryRun`"),
        ] {
            let InvalidEvent(message) = by_hand(payload).unwrap_err();
            assert!(message.contains(part), "`{part}` is not in `{message}`");
        }
    }
}
