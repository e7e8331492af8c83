//! Plans an update: its description and client token.

use crate::model::client_token::ClientToken;
use crate::model::description::{Description, Template, Unsendable};
use crate::model::function_arn::{FunctionArn, Qualifier};
use crate::model::plan::Plan;
use crate::model::readiness::Found;
use crate::model::registration::{ConnectorLabel, Registration};
use crate::model::versions::Versions;

/// What the plans of an invocation have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Common {
    /// What the client tokens are derived from: the event's id, or else the Lambda request id.
    pub cause: String,
    /// `UPDATE_DESCRIPTION`.
    pub template: Option<Template>,
    /// The date of the event, such as `2026-01-31`.
    pub date: String,
}

/// What is known of a target when it is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Readied {
    /// What it was when it was found ready; `None` if the updater is not authorized to read it.
    pub found: Option<Found>,
    /// The published versions, if the description needs the newest one: see [`names_the_newest`].
    pub versions: Option<Versions>,
}

/// Whether the description for this target needs the newest version, to see whether the unqualified
/// function still has that version's code.
pub fn names_the_newest(template: Option<&Template>, target: &FunctionArn) -> bool {
    template.is_some_and(Template::names_the_version)
        && matches!(target.qualifier(), None | Some(Qualifier::Latest))
}

impl Common {
    /// The plan to update a registration with a target. `previous` is the previous round's token.
    ///
    /// The second value is why the connector's own description is left out, if it is.
    pub fn plan(
        &self,
        label: &ConnectorLabel,
        registration: &Registration,
        target: &FunctionArn,
        readied: &Readied,
        previous: Option<&ClientToken>,
    ) -> (Plan, Option<Unsendable>) {
        let (description, left_out) = match (&self.template, registration.description.as_deref()) {
            (Some(template), _) => {
                let version = version_text(target, readied);
                let name = target.function().name();
                (Some(template.render(name, &version, &self.date)), None)
            }
            (None, None) => (None, None),
            (None, Some(own)) => match Description::unchanged(own) {
                Ok(description) => (Some(description), None),
                Err(reason) => (None, Some(reason)),
            },
        };
        let token = ClientToken::new(
            &self.cause,
            label,
            target,
            description.as_ref(),
            readied.found.as_ref(),
            previous,
        );
        let plan = Plan {
            label: label.clone(),
            target: target.clone(),
            description,
            token,
        };
        (plan, left_out)
    }
}

/// `{version}`: the version whose configuration AppFlow reads, by Lambda. The event's version is not
/// used, because the event may be late. `LATEST` for code that is not a published version's.
fn version_text(target: &FunctionArn, readied: &Readied) -> String {
    let found = readied.found.as_ref();
    let behind = found
        .map(|found| found.version.as_str())
        .unwrap_or_default();
    match target.qualifier() {
        Some(Qualifier::Version(version)) => version.to_string(),
        Some(Qualifier::Alias(alias)) if behind.is_empty() => alias.clone(),
        Some(Qualifier::Alias(_)) => behind.trim_start_matches('$').to_owned(),
        Some(Qualifier::LatestPublished) => "LATEST.PUBLISHED".to_owned(),
        None | Some(Qualifier::Latest) if behind == "$LATEST.PUBLISHED" => {
            "LATEST.PUBLISHED".to_owned()
        }
        None | Some(Qualifier::Latest) => readied
            .versions
            .as_ref()
            .zip(found)
            .and_then(|(versions, found)| versions.newest_with_code(&found.code_sha256))
            .map_or_else(|| "LATEST".to_owned(), |version| version.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::Configuration;
    use crate::model::function_arn::Version;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn registration(description: Option<&str>) -> Registration {
        Registration {
            function_arn: FUNCTION.parse().unwrap(),
            source: None,
            description: description.map(str::to_owned),
            configuration: Configuration::default(),
        }
    }

    fn common(template: Option<&str>) -> Common {
        Common {
            cause: "event".to_owned(),
            template: template.map(|template| template.parse().unwrap()),
            date: "2026-01-31".to_owned(),
        }
    }

    fn readied(version: &str, code: &str, newest: Option<(u64, &str)>) -> Readied {
        let versions = newest.map(|(number, code)| {
            let mut versions = Versions::default();
            versions.add(Version::new(number).unwrap(), code);
            versions
        });
        Readied {
            found: Some(Found {
                version: version.to_owned(),
                code_sha256: code.to_owned(),
                last_modified: String::new(),
            }),
            versions,
        }
    }

    fn described(common: &Common, own: Option<&str>, target: &str, readied: &Readied) -> String {
        let target = format!("{FUNCTION}{target}").parse().unwrap();
        let label = "acme-crm".parse().unwrap();
        let (plan, _) = common.plan(&label, &registration(own), &target, readied, None);
        plan.description
            .map_or_else(String::new, |text| text.to_string())
    }

    #[test]
    fn the_version_in_a_description_is_the_one_that_appflow_reads() {
        let common = common(Some("{function} {version} {date}"));
        for (target, readied, expected) in [
            (":7", readied("7", "a", None), "7"),
            (":live", readied("8", "a", None), "8"),
            (":live", Readied::default(), "live"),
            (":live", readied("$LATEST", "a", None), "LATEST"),
            ("", readied("$LATEST", "a", Some((8, "a"))), "8"),
            ("", readied("$LATEST", "b", Some((8, "a"))), "LATEST"),
            ("", readied("$LATEST", "a", None), "LATEST"),
            ("", Readied::default(), "LATEST"),
            (":$LATEST", readied("$LATEST", "a", Some((8, "a"))), "8"),
            (
                "",
                readied("$LATEST.PUBLISHED", "a", None),
                "LATEST.PUBLISHED",
            ),
            (":$LATEST.PUBLISHED", Readied::default(), "LATEST.PUBLISHED"),
        ] {
            let text = described(&common, Some("own"), target, &readied);
            assert_eq!(text, format!("crm {expected} 2026-01-31"), "`{target}`");
        }
    }

    #[test]
    fn the_newest_version_is_asked_for_only_where_a_description_names_it() {
        let version: Template = "{version}".parse().unwrap();
        let function: Template = "{function}".parse().unwrap();
        for (template, target, expected) in [
            (Some(&version), "", true),
            (Some(&version), ":$LATEST", true),
            (Some(&version), ":7", false),
            (Some(&version), ":live", false),
            (Some(&function), "", false),
            (None, "", false),
        ] {
            let target = format!("{FUNCTION}{target}").parse().unwrap();
            assert_eq!(names_the_newest(template, &target), expected, "{target}");
        }
    }

    #[test]
    fn without_a_template_the_connector_keeps_its_description() {
        let readied = Readied::default();
        assert_eq!(described(&common(None), Some("own"), "", &readied), "own");
        assert_eq!(described(&common(None), None, "", &readied), "");
        let label = "acme-crm".parse().unwrap();
        let own = registration(Some("a, b"));
        let target = FUNCTION.parse().unwrap();
        let (plan, left_out) = common(None).plan(&label, &own, &target, &readied, None);
        assert_eq!(plan.description, None);
        assert_eq!(left_out, Some(Unsendable::Character(',')));
    }

    #[test]
    fn each_round_has_a_token_of_its_own_and_a_redelivery_repeats_it() {
        let label = "acme-crm".parse().unwrap();
        let target = FUNCTION.parse().unwrap();
        let plan = |code: &str, previous: Option<&ClientToken>| {
            let readied = readied("$LATEST", code, None);
            let (plan, _) =
                common(None).plan(&label, &registration(None), &target, &readied, previous);
            plan.token
        };
        let first = plan("a", None);
        let second = plan("b", Some(&first));
        assert_eq!(plan("a", None), first);
        assert_ne!(second, first);
        assert_ne!(second, plan("b", None), "another way to the same code");
    }
}
