//! Environment to [`Settings`]. An invalid value stops startup, and is never a silent default; a
//! blank one is the same as none, because a template cannot leave a variable out.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;

use crate::model::change::RegisterAs;
use crate::model::description::{Template, UnknownPlaceholder};
use crate::model::function_arn::is_name;
use crate::model::registration::{ConnectorLabel, InvalidLabel};

/// The connector labels to keep up to date, separated by commas; with a leading `!` on each, all
/// but these. All Lambda-provisioned connectors when unset.
pub const CONNECTOR_LABELS: &str = "CONNECTOR_LABELS";
/// Prefix of the names of the connectors' functions; functions with other names are out of scope, for
/// events and sweeps. All functions when unset.
pub const FUNCTION_NAME_PREFIX: &str = "FUNCTION_NAME_PREFIX";
/// `follow` (the default) or `version`: see [`RegisterAs`].
pub const REGISTER_AS: &str = "REGISTER_AS";
/// The description that updates set, with the placeholders `{function}`, `{version}`, and `{date}`.
/// Unset, the connector keeps its description.
pub const UPDATE_DESCRIPTION: &str = "UPDATE_DESCRIPTION";
/// `true` to let AppFlow invoke each version that a registration moves to; `false` by default.
pub const GRANT_INVOKE: &str = "GRANT_INVOKE";
/// `true` to decide what to do, and write nothing; `false` by default.
pub const DRY_RUN: &str = "DRY_RUN";
/// Lambda's own: `TRACE`, `DEBUG`, `INFO` (the default), `WARN`, `ERROR` or `FATAL`.
pub const AWS_LAMBDA_LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// Lambda's own: `JSON` (the default) or `Text`.
pub const AWS_LAMBDA_LOG_FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";

/// The SDK's own variables for the services' endpoints. They are only validated here: the SDK panics at
/// the first call if one is not a URL. A blank one is the same as none.
pub const ENDPOINTS: [&str; 3] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_APPFLOW",
    "AWS_ENDPOINT_URL_LAMBDA",
];

/// The SDK's own variables for AWS's endpoints of another kind: with FIPS 140 cryptography, or also for
/// IPv6. Each excludes an endpoint of one's own, because the SDK would use that one, and would ignore them.
const ENDPOINT_KINDS: [&str; 2] = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];

/// Every variable that the updater reads itself; the SDK reads its own.
pub const VARIABLES: [&str; 8] = [
    CONNECTOR_LABELS,
    FUNCTION_NAME_PREFIX,
    REGISTER_AS,
    UPDATE_DESCRIPTION,
    GRANT_INVOKE,
    DRY_RUN,
    AWS_LAMBDA_LOG_LEVEL,
    AWS_LAMBDA_LOG_FORMAT,
];

/// The settings, fixed for the life of the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `CONNECTOR_LABELS`.
    pub labels: Labels,
    /// `FUNCTION_NAME_PREFIX`; empty for all functions.
    pub function_name_prefix: String,
    /// `REGISTER_AS`.
    pub register_as: RegisterAs,
    /// `UPDATE_DESCRIPTION`.
    pub description: Option<Template>,
    /// `GRANT_INVOKE`.
    pub grant_invoke: bool,
    /// `DRY_RUN`.
    pub dry_run: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`.
    pub log_level: LogLevel,
    /// `AWS_LAMBDA_LOG_FORMAT`.
    pub log_format: LogFormat,
}

/// `CONNECTOR_LABELS`: which registrations are in scope. The lists are sorted, each label once.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// All that AppFlow lists.
    All,
    /// These, each of which must be registered.
    Only(Vec<ConnectorLabel>),
    /// All that AppFlow lists but these.
    AllBut(Vec<ConnectorLabel>),
}

impl Labels {
    /// Whether a label is in scope.
    pub fn include(&self, label: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(labels) => labels.iter().any(|other| other.as_str() == label),
            Self::AllBut(labels) => labels.iter().all(|other| other.as_str() != label),
        }
    }
}

/// `AWS_LAMBDA_LOG_LEVEL`: Lambda's levels for application logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
}

impl LogLevel {
    /// The levels as Lambda writes them.
    const NAMES: [(&str, Self); 6] = [
        ("TRACE", Self::Trace),
        ("DEBUG", Self::Debug),
        ("INFO", Self::Info),
        ("WARN", Self::Warn),
        ("ERROR", Self::Error),
        ("FATAL", Self::Fatal),
    ];

    /// The level as Lambda writes it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// `AWS_LAMBDA_LOG_FORMAT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line, which Lambda can filter by level.
    #[default]
    Json,
    /// Plain text.
    Text,
}

/// A variable with an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value `{value}` for the environment variable {variable}: expected {expected}")]
pub struct InvalidSettings {
    variable: &'static str,
    value: String,
    expected: String,
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// When a variable has an invalid value. The error names the first one, and what is allowed.
    pub fn from_env() -> Result<Self, InvalidSettings> {
        Self::read(env::var_os)
    }

    /// Reads the variables that `lookup` gives.
    fn read(lookup: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, InvalidSettings> {
        let text = |name| {
            let value = lookup(name).map(|value| value.to_string_lossy().into_owned());
            value.filter(|value| !value.trim().is_empty())
        };
        for name in ENDPOINTS {
            let Some(value) = text(name) else { continue };
            if !is_url(&value) {
                let expected = "a URL such as https://appflow.example; leave it out for AWS's own \
                                endpoint";
                return Err(invalid(name, &value, expected));
            }
            for kind in ENDPOINT_KINDS {
                // The SDK reads its flags in any case.
                if let Some(flag) = text(kind).filter(|flag| flag.eq_ignore_ascii_case("true")) {
                    let expected = format!(
                        "false while {name} has an endpoint of your own. Leave one of the two out"
                    );
                    return Err(invalid(kind, &flag, &expected));
                }
            }
        }
        let variable = |name: &'static str| match lookup(name).map(OsString::into_string) {
            None => Ok((name, None)),
            Some(Ok(value)) => Ok((name, Some(value).filter(|value| !value.trim().is_empty()))),
            Some(Err(value)) => Err(invalid(name, &value.to_string_lossy(), "UTF-8")),
        };
        let forms = [
            ("follow", RegisterAs::Follow),
            ("version", RegisterAs::Version),
        ];
        let flags = [("false", false), ("true", true)];
        let formats = [("JSON", LogFormat::Json), ("Text", LogFormat::Text)];
        Ok(Self {
            labels: parsed(variable(CONNECTOR_LABELS)?, labels)?.unwrap_or(Labels::All),
            function_name_prefix: parsed(variable(FUNCTION_NAME_PREFIX)?, |value| {
                let expected = "the beginning of a Lambda function's name: up to 64 letters, \
                                digits, or any of _.-";
                let prefix = Some(value.to_owned()).filter(|value| is_name(value));
                prefix.ok_or(expected.to_owned())
            })?
            .unwrap_or_default(),
            register_as: one_of(variable(REGISTER_AS)?, &forms)?,
            description: parsed(variable(UPDATE_DESCRIPTION)?, |value| {
                value.parse().map_err(|UnknownPlaceholder(other)| {
                    format!(
                        "{{function}}, {{version}} and {{date}} as its only placeholders, found \
                         `{other}`"
                    )
                })
            })?,
            grant_invoke: one_of(variable(GRANT_INVOKE)?, &flags)?,
            dry_run: one_of(variable(DRY_RUN)?, &flags)?,
            log_level: one_of(variable(AWS_LAMBDA_LOG_LEVEL)?, &LogLevel::NAMES)?,
            log_format: one_of(variable(AWS_LAMBDA_LOG_FORMAT)?, &formats)?,
        })
    }
}

/// A variable's name and value.
type Variable = (&'static str, Option<String>);

fn invalid(variable: &'static str, value: &str, expected: &str) -> InvalidSettings {
    InvalidSettings {
        variable,
        value: value.to_owned(),
        expected: expected.to_owned(),
    }
}

/// A variable as what it means, if it is set. The error of `parse` is what was expected.
fn parsed<T>(
    (name, value): Variable,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, InvalidSettings> {
    let Some(value) = value else { return Ok(None) };
    let parsed = parse(&value).map_err(|expected| invalid(name, &value, &expected))?;
    Ok(Some(parsed))
}

/// A variable that has one of these values, or else the default.
fn one_of<T: Copy + Default>(
    variable: Variable,
    choices: &[(&str, T)],
) -> Result<T, InvalidSettings> {
    let choice = parsed(variable, |value| {
        let choice = choices.iter().find(|(choice, _)| *choice == value);
        choice.map(|(_, choice)| *choice).ok_or_else(|| {
            let choices: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            format!("one of {}", choices.join(", "))
        })
    });
    Ok(choice?.unwrap_or_default())
}

/// Whether the SDK accepts it as an endpoint: a URI with a scheme and a host.
fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

fn labels(value: &str) -> Result<Labels, String> {
    let (mut only, mut all_but) = (BTreeSet::new(), BTreeSet::new());
    for label in value.split(',').map(str::trim) {
        let (labels, label) = match label.strip_prefix('!') {
            Some(label) => (&mut all_but, label),
            None => (&mut only, label),
        };
        let label = label.parse();
        labels.insert(label.map_err(|error: InvalidLabel| format!("connector labels; {error}"))?);
    }
    match (only.is_empty(), all_but.is_empty()) {
        (false, true) => Ok(Labels::Only(only.into_iter().collect())),
        (true, false) => Ok(Labels::AllBut(all_but.into_iter().collect())),
        _ => Err(
            "either the labels to keep up to date, or the labels to leave out, each with a leading \
             !, not both"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            variables
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| OsString::from(value))
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_is_the_documented_default() {
        let defaults = Settings {
            labels: Labels::All,
            function_name_prefix: String::new(),
            register_as: RegisterAs::Follow,
            description: None,
            grant_invoke: false,
            dry_run: false,
            log_level: LogLevel::Info,
            log_format: LogFormat::Json,
        };
        assert_eq!(read(&[]).unwrap(), defaults);
        let blank: Vec<_> = VARIABLES
            .iter()
            .chain(&ENDPOINTS)
            .map(|variable| (*variable, " "))
            .collect();
        assert_eq!(read(&blank).unwrap(), defaults);
    }

    #[test]
    fn every_variable_is_read() {
        let settings = read(&[
            (CONNECTOR_LABELS, "zeta, alpha,zeta"),
            (FUNCTION_NAME_PREFIX, "acme-"),
            (REGISTER_AS, "version"),
            (UPDATE_DESCRIPTION, "at {version}"),
            (GRANT_INVOKE, "true"),
            (DRY_RUN, "true"),
            (AWS_LAMBDA_LOG_LEVEL, "WARN"),
            (AWS_LAMBDA_LOG_FORMAT, "Text"),
        ])
        .unwrap();
        assert_eq!(
            settings,
            Settings {
                labels: Labels::Only(vec!["alpha".parse().unwrap(), "zeta".parse().unwrap()]),
                function_name_prefix: "acme-".to_owned(),
                register_as: RegisterAs::Version,
                description: Some("at {version}".parse().unwrap()),
                grant_invoke: true,
                dry_run: true,
                log_level: LogLevel::Warn,
                log_format: LogFormat::Text,
            }
        );
    }

    #[test]
    fn labels_with_an_exclamation_mark_are_left_out() {
        let labels = read(&[(CONNECTOR_LABELS, "!zeta, !alpha,!zeta")])
            .unwrap()
            .labels;
        let expected: [ConnectorLabel; 2] = ["alpha", "zeta"].map(|label| label.parse().unwrap());
        assert_eq!(labels, Labels::AllBut(expected.into()));
        let only = Labels::Only(expected_one("alpha"));
        for (labels, alpha, beta) in [
            (&Labels::All, true, true),
            (&labels, false, true),
            (&only, true, false),
        ] {
            assert_eq!(labels.include("alpha"), alpha, "{labels:?}");
            assert_eq!(labels.include("beta"), beta, "{labels:?}");
        }
    }

    fn expected_one(label: &str) -> Vec<ConnectorLabel> {
        vec![label.parse().unwrap()]
    }

    #[test]
    fn an_unknown_value_names_the_variable_and_what_is_allowed() {
        for (variable, value, allowed) in [
            (CONNECTOR_LABELS, "ok,a b", "letters, digits"),
            (CONNECTOR_LABELS, "ok,,ok2", "letters, digits"),
            (CONNECTOR_LABELS, "x", "2 to 256 characters"),
            (CONNECTOR_LABELS, "!x", "2 to 256 characters"),
            (CONNECTOR_LABELS, "acme-crm,!acme-erp", "not both"),
            (
                FUNCTION_NAME_PREFIX,
                "acme crm",
                "beginning of a Lambda function's name",
            ),
            (REGISTER_AS, "Follow", "follow, version"),
            (REGISTER_AS, "unqualified", "follow, version"),
            (
                UPDATE_DESCRIPTION,
                "{when}",
                "{function}, {version} and {date}",
            ),
            (GRANT_INVOKE, "yes", "false, true"),
            (DRY_RUN, "1", "false, true"),
            (
                AWS_LAMBDA_LOG_LEVEL,
                "LOUD",
                "TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
            ),
            (AWS_LAMBDA_LOG_FORMAT, "XML", "JSON, Text"),
            (
                "AWS_ENDPOINT_URL_APPFLOW",
                "appflow.example",
                "a URL such as",
            ),
            (
                "AWS_ENDPOINT_URL_LAMBDA",
                "ftp://lambda.example",
                "a URL such as",
            ),
            ("AWS_ENDPOINT_URL_LAMBDA", "https://", "a URL such as"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            for part in [variable, value, allowed] {
                assert!(error.contains(part), "`{error}` does not name `{part}`");
            }
        }
    }

    #[test]
    fn aws_s_endpoint_of_another_kind_excludes_one_of_one_s_own() {
        for kind in ENDPOINT_KINDS {
            for endpoint in ENDPOINTS {
                let url = "https://appflow.example";
                for flag in ["true", "TRUE"] {
                    let error = read(&[(kind, flag), (endpoint, url)]).unwrap_err();
                    for part in [kind, endpoint] {
                        assert!(error.contains(part), "`{error}` does not name `{part}`");
                    }
                }
                for allowed in [
                    [(kind, "true"), (endpoint, "")],
                    [(kind, "true"), (endpoint, " ")],
                    [(kind, "false"), (endpoint, url)],
                    [(kind, ""), (endpoint, url)],
                ] {
                    assert_eq!(read(&allowed), read(&[]), "{allowed:?}");
                }
            }
        }
    }

    #[test]
    fn an_endpoint_is_any_url_that_the_sdk_can_call() {
        for variable in ENDPOINTS {
            for url in [
                "https://appflow.example",
                "http://127.0.0.1:4600",
                "http://[::1]:4600/path",
            ] {
                assert_eq!(read(&[(variable, url)]), read(&[]), "{url}");
            }
            for text in ["https:///path", "//appflow.example", "mailto:a@b", "https"] {
                let error = read(&[(variable, text)]).unwrap_err();
                assert!(error.contains(variable), "{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let error = Settings::read(|name| {
            (name == REGISTER_AS).then(|| OsString::from_vec(vec![b'f', 0xff]))
        })
        .unwrap_err();
        assert!(error.to_string().contains(REGISTER_AS));
    }
}
