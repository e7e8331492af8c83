//! The description that an update sends.
//!
//! UpdateConnectorRegistration accepts at most 1,024 characters of `[\s\w/!@#+=.-]*`: no colons,
//! commas, brackets, or quotes. DescribeConnector can return 2,048 characters of another set.

use std::fmt;
use std::str::FromStr;

/// The longest description (UpdateConnectorRegistration, `description`).
const MAX: usize = 1024;
/// Replaces a character that the API rejects.
const REPLACEMENT: char = '-';

/// A description that the API accepts in an update.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Description(String);

/// Why a connector's description cannot be sent back as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unsendable {
    /// It is too long.
    #[error("it has {0} characters, and AppFlow accepts at most {MAX} in an update")]
    TooLong(usize),
    /// It has a character outside the API's pattern.
    #[error("it has the character `{0}`, which AppFlow rejects in an update")]
    Character(char),
}

/// `UPDATE_DESCRIPTION`: text with the placeholders `{function}`, `{version}` and `{date}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Text(String),
    Function,
    Version,
    Date,
}

/// Braces in a template that are not a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlaceholder(pub String);

impl Description {
    /// The connector's own description, unchanged.
    ///
    /// # Errors
    /// When the API would reject it: half a description must not replace a whole one.
    pub fn unchanged(text: &str) -> Result<Self, Unsendable> {
        if let Some(character) = text.chars().find(|character| !is_allowed(*character)) {
            return Err(Unsendable::Character(character));
        }
        if text.len() > MAX {
            return Err(Unsendable::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Template {
    /// Fills in the placeholders, replaces each character that the API rejects with `-`, and truncates
    /// text that is too long.
    pub fn render(&self, function: &str, version: &str, date: &str) -> Description {
        let text: String = self
            .0
            .iter()
            .flat_map(|piece| match piece {
                Piece::Text(text) => text.chars(),
                Piece::Function => function.chars(),
                Piece::Version => version.chars(),
                Piece::Date => date.chars(),
            })
            .map(|character| {
                if is_allowed(character) {
                    character
                } else {
                    REPLACEMENT
                }
            })
            .take(MAX)
            .collect();
        Description(text)
    }
}

impl FromStr for Template {
    type Err = UnknownPlaceholder;

    fn from_str(text: &str) -> Result<Self, UnknownPlaceholder> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            let end = brace.find('}').map_or(brace.len(), |end| end + 1);
            let (placeholder, after) = brace.split_at(end);
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(match placeholder {
                "{function}" => Piece::Function,
                "{version}" => Piece::Version,
                "{date}" => Piece::Date,
                unknown => return Err(UnknownPlaceholder(unknown.to_owned())),
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether it matches `[\s\w/!@#+=.-]`, with `\s` and `\w` read as ASCII only, as in Java's patterns.
/// That is the narrower reading; how AppFlow reads the pattern is unverified.
fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || " \t\n\x0B\x0C\r_/!@#+=.-".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_description_goes_back_whole_or_not_at_all() {
        assert_eq!(
            Description::unchanged("Acme CRM v2/beta #1")
                .unwrap()
                .as_str(),
            "Acme CRM v2/beta #1"
        );
        assert_eq!(
            Description::unchanged("Acme CRM, v2"),
            Err(Unsendable::Character(','))
        );
        assert_eq!(Description::unchanged("é"), Err(Unsendable::Character('é')));
        assert!(Description::unchanged(&"a".repeat(1024)).is_ok());
        assert_eq!(
            Description::unchanged(&"a".repeat(1025)),
            Err(Unsendable::TooLong(1025))
        );
    }

    #[test]
    fn placeholders_are_filled_in() {
        let template: Template = "{function} at {version}, {date}".parse().unwrap();
        assert_eq!(
            template.render("crm", "7", "2026-01-31").as_str(),
            "crm at 7- 2026-01-31"
        );
        let plain: Template = "plain".parse().unwrap();
        assert_eq!(plain.render("crm", "7", "2026-01-31").as_str(), "plain");
    }

    #[test]
    fn braces_that_are_no_placeholder_are_refused() {
        for (text, named) in [
            ("{Function}", "{Function}"),
            ("{function", "{function"),
            ("function}", "}"),
            ("{}", "{}"),
            ("{{function}}", "{{function}"),
            ("{version} {when}", "{when}"),
        ] {
            assert_eq!(
                text.parse::<Template>(),
                Err(UnknownPlaceholder(named.to_owned())),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_rendered_can_always_be_sent(
            text in "[^{}]{0,1200}",
            function in "\\PC{0,80}",
            version in "\\PC{0,8}",
        ) {
            let template: Template = format!("{text}{{function}}{{version}}").parse().unwrap();
            let rendered = template.render(&function, &version, "2026-01-31");
            prop_assert_eq!(Description::unchanged(rendered.as_str()), Ok(rendered.clone()));
        }

        #[test]
        fn what_can_be_sent_is_sent_unchanged(text in "[\\s\\w/!@#+=.-]{0,1100}") {
            match Description::unchanged(&text) {
                Ok(description) => prop_assert_eq!(description.as_str(), text),
                Err(Unsendable::TooLong(length)) => prop_assert!(length > 1024),
                Err(Unsendable::Character(character)) => prop_assert!(!character.is_ascii()),
            }
        }
    }
}
