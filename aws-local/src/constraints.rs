//! Validates requests by the constraints on AppFlow's API pages.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

use crate::answer::ApiError;

/// A string member's limits, as an API page states them.
pub struct Text {
    min: usize,
    max: usize,
    pattern: &'static str,
    compiled: LazyLock<Regex>,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:expr, $max:expr, $pattern:literal) => {
        $(#[$doc])*
        pub static $name: Text = Text {
            min: $min,
            max: $max,
            pattern: $pattern,
            compiled: LazyLock::new(|| {
                Regex::new(concat!("^(?:", $pattern, ")$")).expect("a pattern of an API page")
            }),
        };
    };
}

text!(
    /// `connectorLabel`
    LABEL, 0, 256, r"[a-zA-Z0-9][\w!@#.-]+"
);
text!(
    /// `description` of RegisterConnector and UpdateConnectorRegistration
    DESCRIPTION, 0, 1024, r"[\s\w/!@#+=.-]*"
);
text!(
    /// `clientToken`
    CLIENT_TOKEN, 1, 256, r"[ -~]+"
);
text!(
    /// `lambdaArn`
    ARN, 0, 512, r"arn:aws:.*:.*:[0-9]+:.*"
);
text!(
    /// `nextToken` of ListConnectors
    NEXT_TOKEN, 0, 2048, r"\S+"
);

/// The members of one request.
pub struct Members<'a> {
    input: &'a Value,
    /// The path of `input` in the request, for messages.
    path: String,
}

impl<'a> Members<'a> {
    /// The members of a request's body.
    pub fn of(input: &'a Value) -> Result<Self, ApiError> {
        Self::at(input, String::new())
    }

    fn at(input: &'a Value, path: String) -> Result<Self, ApiError> {
        if input.is_object() {
            return Ok(Self { input, path });
        }
        Err(ApiError::new(
            "SerializationException",
            format!("`{path}` must be a structure"),
        ))
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.input.get(name).filter(|value| !value.is_null())
    }

    fn wrong_type(&self, name: &str, expected: &str) -> ApiError {
        ApiError::new(
            "SerializationException",
            format!("`{}{name}` must be {expected}", self.path),
        )
    }

    fn missing(&self, name: &str) -> ApiError {
        invalid(format!(
            "Value null at '{}{name}' failed to satisfy constraint: Member must not be null",
            self.path
        ))
    }

    /// An optional string.
    pub fn text(&self, name: &str, limits: &Text) -> Result<Option<&'a str>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let Some(text) = value.as_str() else {
            return Err(self.wrong_type(name, "a string"));
        };
        let length = text.chars().count();
        let constraint = if length < limits.min {
            format!(
                "Member must have length greater than or equal to {}",
                limits.min
            )
        } else if length > limits.max {
            format!(
                "Member must have length less than or equal to {}",
                limits.max
            )
        } else if !limits.compiled.is_match(text) {
            format!(
                "Member must satisfy regular expression pattern: {}",
                limits.pattern
            )
        } else {
            return Ok(Some(text));
        };
        let excerpt: String = text.chars().take(64).collect();
        Err(invalid(format!(
            "Value '{excerpt}' at '{}{name}' failed to satisfy constraint: {constraint}",
            self.path
        )))
    }

    /// A required string.
    pub fn required_text(&self, name: &str, limits: &Text) -> Result<&'a str, ApiError> {
        self.text(name, limits)?.ok_or_else(|| self.missing(name))
    }

    /// An optional value of an enumeration.
    pub fn choice(&self, name: &str, choices: &[&str]) -> Result<Option<&'a str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if choices.contains(&text.as_str()) => Ok(Some(text)),
            Some(Value::String(text)) => Err(invalid(format!(
                "Value '{text}' at '{}{name}' failed to satisfy constraint: Member must satisfy \
                 enum value set: [{}]",
                self.path,
                choices.join(", ")
            ))),
            Some(_) => Err(self.wrong_type(name, "a string")),
        }
    }

    /// A required value of an enumeration.
    pub fn required_choice(&self, name: &str, choices: &[&str]) -> Result<&'a str, ApiError> {
        self.choice(name, choices)?
            .ok_or_else(|| self.missing(name))
    }

    /// An optional integer within bounds.
    pub fn number(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let Some(number) = value.as_i64() else {
            return Err(self.wrong_type(name, "a whole number"));
        };
        if (min..=max).contains(&number) {
            return Ok(Some(number));
        }
        Err(invalid(format!(
            "Value '{number}' at '{}{name}' failed to satisfy constraint: Member must have value \
             between {min} and {max}",
            self.path
        )))
    }

    /// An optional structure.
    pub fn structure(&self, name: &str) -> Result<Option<Members<'a>>, ApiError> {
        self.get(name)
            .map(|value| Self::at(value, format!("{}{name}.", self.path)))
            .transpose()
    }

    /// A required structure.
    pub fn required_structure(&self, name: &str) -> Result<Members<'a>, ApiError> {
        self.structure(name)?.ok_or_else(|| self.missing(name))
    }
}

fn invalid(what: String) -> ApiError {
    ApiError::new(
        "ValidationException",
        format!("1 validation error detected: {what}"),
    )
}
