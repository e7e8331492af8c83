//! Lambda function ARNs and their qualifiers.
//!
//! The forms are those of the `FunctionName` and `Qualifier` parameters in the
//! [Lambda API reference](https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html).
//! A new ARN is only made by editing one that was received, so the partition is never guessed.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

/// Lambda limits a function's name to 64 characters (CreateFunction, `FunctionName`).
const NAME_MAX: usize = 64;
/// Lambda limits an alias's name to 128 characters (CreateAlias, `Name`).
const ALIAS_MAX: usize = 128;
/// The longest Region or partition that is accepted; the longest today have 14 characters.
const REGION_MAX: usize = 32;

/// A function without a qualifier: what an event and a registration must have in common.
///
/// The partition is left out, because the Region implies it, and an event may have only a function's
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function {
    region: Arc<str>,
    account: Arc<str>,
    name: Arc<str>,
}

/// The number of a published version.
pub type Version = NonZeroU64;

/// A function's published versions: ListVersionsByFunction without `$LATEST`.
pub type Versions = BTreeSet<Version>;

/// What follows the function's name in an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// `$LATEST`, the unpublished code.
    Latest,
    /// `$LATEST.PUBLISHED`, the one version of a function on Lambda Managed Instances that can be
    /// published again.
    LatestPublished,
    /// A published version.
    Version(Version),
    /// An alias's name.
    Alias(String),
}

/// A Lambda function's ARN. It displays exactly as it was parsed. Clones are cheap, because every
/// registration, target, and call has some.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    partition: Arc<str>,
    function: Function,
    qualifier: Option<Qualifier>,
}

/// Text that is not the ARN, the name, or the qualifier of a Lambda function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a Lambda function's {expected}")]
pub struct NotAFunction {
    text: String,
    expected: &'static str,
}

impl NotAFunction {
    pub(super) fn new(text: &str, expected: &'static str) -> Self {
        // Events are untrusted: a megabyte in one must not become a megabyte in a log or a queue.
        let mut excerpt: String = text.chars().take(120).collect();
        if excerpt.len() < text.len() {
            excerpt.push('…');
        }
        Self {
            text: excerpt,
            expected,
        }
    }
}

impl Function {
    /// Parses the `FunctionName` of a Lambda call, which may be a bare name, a partial ARN
    /// (`123456789012:function:name`, with or without a Region before it), or an ARN. `region` and
    /// `account` apply if it has none. A qualifier is dropped.
    ///
    /// # Errors
    /// When the text is none of these, or needs a Region or an account that is missing.
    pub fn from_name(
        text: &str,
        region: Option<&str>,
        account: Option<&str>,
    ) -> Result<Self, NotAFunction> {
        if text.starts_with("arn:") {
            return text.parse().map(|arn: FunctionArn| arn.function);
        }
        let bad = || NotAFunction::new(text, "name, partial ARN or ARN");
        let mut parts: Vec<&str> = text.split(':').collect();
        // A function may be named like a Region, or `function`: a part is a prefix only if another
        // part follows.
        let mut prefix =
            |is: fn(&str) -> bool| (parts.len() > 1 && is(parts[0])).then(|| parts.remove(0));
        let region = prefix(is_region).or(region).filter(|text| is_region(text));
        let account = prefix(is_account)
            .or(account)
            .filter(|text| is_account(text));
        prefix(|part| part == "function");
        let name = match parts[..] {
            [name] => Some(name),
            [name, qualifier] => qualifier.parse().map(|_: Qualifier| name).ok(),
            _ => None,
        };
        Ok(Self {
            region: region.ok_or_else(bad)?.into(),
            account: account.ok_or_else(bad)?.into(),
            name: name.filter(|name| is_name(name)).ok_or_else(bad)?.into(),
        })
    }

    /// The function's bare name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account that owns the function.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Region the function is in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The function's unqualified ARN in `partition`, for reports only: calls use ARNs that were
    /// received.
    pub fn arn(&self, partition: &str) -> FunctionArn {
        FunctionArn {
            partition: partition.into(),
            function: self.clone(),
            qualifier: None,
        }
    }
}

impl FunctionArn {
    /// The function, without the qualifier.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The version or alias; `None` if the ARN ends with the function's name.
    pub fn qualifier(&self) -> Option<&Qualifier> {
        self.qualifier.as_ref()
    }

    /// The version, if the ARN is qualified with a numbered one.
    pub fn version(&self) -> Option<Version> {
        match self.qualifier {
            Some(Qualifier::Version(version)) => Some(version),
            _ => None,
        }
    }

    /// The same function with another qualifier, or none.
    pub fn with_qualifier(&self, qualifier: Option<Qualifier>) -> Self {
        Self {
            qualifier,
            ..self.clone()
        }
    }
}

impl FromStr for FunctionArn {
    type Err = NotAFunction;

    fn from_str(text: &str) -> Result<Self, NotAFunction> {
        let bad = || NotAFunction::new(text, "ARN");
        let parts: Vec<&str> = text.splitn(8, ':').collect();
        let [
            "arn",
            partition,
            "lambda",
            region,
            account,
            "function",
            name,
            qualifier @ ..,
        ] = &parts[..]
        else {
            return Err(bad());
        };
        if !(is_partition(partition) && is_region(region) && is_account(account) && is_name(name)) {
            return Err(bad());
        }
        let qualifier = qualifier.first().map(|text| text.parse()).transpose();
        Ok(Self {
            partition: (*partition).into(),
            function: Function {
                region: (*region).into(),
                account: (*account).into(),
                name: (*name).into(),
            },
            qualifier: qualifier.map_err(|_| bad())?,
        })
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Function {
            region,
            account,
            name,
        } = &self.function;
        write!(
            f,
            "arn:{}:lambda:{region}:{account}:function:{name}",
            self.partition
        )?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

impl Serialize for FunctionArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Qualifier {
    type Err = NotAFunction;

    fn from_str(text: &str) -> Result<Self, NotAFunction> {
        let bad = || NotAFunction::new(text, "version or alias");
        match text {
            "$LATEST" => return Ok(Self::Latest),
            "$LATEST.PUBLISHED" => return Ok(Self::LatestPublished),
            _ => {}
        }
        if text.is_empty() || text.len() > ALIAS_MAX {
            return Err(bad());
        }
        // An alias's name cannot be all digits (CreateAlias), so digits are a version. Lambda's
        // versions have no leading zeros.
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            if text.starts_with('0') {
                return Err(bad());
            }
            return text.parse().map(Self::Version).map_err(|_| bad());
        }
        if text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Ok(Self::Alias(text.to_owned()));
        }
        Err(bad())
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::LatestPublished => f.write_str("$LATEST.PUBLISHED"),
            Self::Version(version) => write!(f, "{version}"),
            Self::Alias(alias) => f.write_str(alias),
        }
    }
}

fn is_partition(text: &str) -> bool {
    text.len() <= REGION_MAX
        && (text == "aws" || text.starts_with("aws-"))
        && is_lower_or_dash(text)
}

/// `us-east-1`, `us-gov-west-1`, `ap-southeast-4`: words, then a number.
fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    text.len() <= REGION_MAX
        && words.contains('-')
        && is_lower_or_dash(words)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_lower_or_dash(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is a valid function name (CreateFunction, `FunctionName`).
pub fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from_name(text: &str) -> Option<String> {
        Function::from_name(text, Some("eu-west-1"), Some("111122223333"))
            .ok()
            .map(|function| function.arn("aws").to_string())
    }

    #[test]
    fn every_form_of_a_function_name_is_understood() {
        let here = Some("arn:aws:lambda:eu-west-1:111122223333:function:crm".to_owned());
        let there = Some("arn:aws:lambda:us-east-1:123456789012:function:crm".to_owned());
        let account = Some("arn:aws:lambda:eu-west-1:123456789012:function:crm".to_owned());
        for (text, expected) in [
            ("crm", &here),
            ("crm:live", &here),
            ("crm:7", &here),
            ("crm:$LATEST", &here),
            ("crm:$LATEST.PUBLISHED", &here),
            ("function:crm", &here),
            ("function:crm:7", &here),
            ("123456789012:function:crm", &account),
            ("123456789012:crm", &account),
            ("123456789012:function:crm:live", &account),
            ("us-east-1:123456789012:function:crm", &there),
            ("arn:aws:lambda:us-east-1:123456789012:function:crm", &there),
            (
                "arn:aws:lambda:us-east-1:123456789012:function:crm:9",
                &there,
            ),
        ] {
            assert_eq!(&from_name(text), expected, "{text}");
        }
        assert_eq!(
            from_name("function").as_deref(),
            Some("arn:aws:lambda:eu-west-1:111122223333:function:function")
        );
    }

    #[test]
    fn what_is_no_function_name_is_refused() {
        for text in [
            "",
            ":",
            "a b",
            "crm:",
            "crm:0",
            "crm:7:8",
            "crm:li ve",
            "crm:$LATEST.",
            "crm:$latest",
            "layer:crm:7:8",
            "arn:aws:lambda:us-east-1:123456789012:layer:crm:7",
            "arn:aws:iam::123456789012:role/crm",
        ] {
            assert_eq!(from_name(text), None, "{text}");
        }
        assert!(Function::from_name("crm", None, Some("111122223333")).is_err());
        assert!(Function::from_name("crm", Some("eu-west-1"), None).is_err());
        assert!(Function::from_name("crm", Some("eu-west-1"), Some("1")).is_err());
    }

    #[test]
    fn what_is_no_function_arn_is_refused() {
        for text in [
            "",
            "arn:aws:lambda:us-east-1:123456789012:function",
            "arn:aws:lambda:us-east-1:123456789012:function:",
            "arn:aws:lambda:us-east-1:123456789012:function:crm:",
            "arn:aws:lambda:us-east-1:123456789012:function:crm:0",
            "arn:aws:lambda:us-east-1:123456789012:function:crm:07",
            "arn:aws:lambda:us-east-1:123456789012:function:crm:7:8",
            "arn:aws:lambda:us-east-1:123456789012:function:crm:99999999999999999999",
            "arn:aws:lambda:us-east-1:12345:function:crm",
            "arn:aws:lambda::123456789012:function:crm",
            "arn:gcp:lambda:us-east-1:123456789012:function:crm",
            "arn:aws:appflow:us-east-1:123456789012:connector/crm",
            "arn:aws:lambda:us-east-1:123456789012:function:crm\n",
            "urn:aws:lambda:us-east-1:123456789012:function:crm",
            "arn:aws:states:us-east-1:123456789012:function:crm",
            "arn:aws:lambda:us-east-1:123456789012:layer:crm",
            "arn:AWS:lambda:us-east-1:123456789012:function:crm",
            "arn:aws-CN:lambda:us-east-1:123456789012:function:crm",
        ] {
            assert!(text.parse::<FunctionArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_arn_tells_its_parts() {
        let text = "arn:aws-cn:lambda:cn-north-1:123456789012:function:crm";
        let arn: FunctionArn = format!("{text}:7").parse().unwrap();
        let function = arn.function();
        assert_eq!(
            (function.name(), function.account(), function.region()),
            ("crm", "123456789012", "cn-north-1")
        );
        assert_eq!(arn.partition(), "aws-cn");
        assert_eq!(arn.version(), Version::new(7));
        for qualifier in ["", ":live", ":$LATEST", ":$LATEST.PUBLISHED"] {
            let arn: FunctionArn = format!("{text}{qualifier}").parse().unwrap();
            assert_eq!(arn.version(), None, "{qualifier}");
        }
    }

    #[test]
    fn each_part_of_an_arn_has_its_form() {
        let long = "a".repeat(28);
        let reads = |partition: &str, region: &str, qualifier: &str| {
            format!("arn:{partition}:lambda:{region}:123456789012:function:crm{qualifier}")
                .parse::<FunctionArn>()
                .is_ok()
        };
        for (region, expected) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("us-east-12", true),
            (&*format!("a-{long}-1"), true),
            (&*format!("a-{long}a-1"), false),
            ("useast-1", false),
            ("US-east-1", false),
            ("us_east-a-1", false),
            ("us-east-", false),
            ("us-east-a", false),
            ("us-east-1a", false),
            ("1", false),
        ] {
            assert_eq!(reads("aws", region, ""), expected, "{region}");
        }
        for (partition, expected) in [
            ("aws", true),
            ("aws-us-gov", true),
            (&*format!("aws-{long}"), true),
            (&*format!("aws-{long}a"), false),
            ("awsome", false),
        ] {
            assert_eq!(reads(partition, "us-east-1", ""), expected, "{partition}");
        }
        for (length, expected) in [(1, true), (128, true), (129, false), (200, false)] {
            let qualifier = format!(":{}", "a".repeat(length));
            assert_eq!(reads("aws", "us-east-1", &qualifier), expected, "{length}");
        }
    }

    #[test]
    fn an_endless_name_does_not_make_an_endless_error() {
        let text = "x:".repeat(500_000);
        let error = Function::from_name(&text, None, None).unwrap_err();
        assert!(error.to_string().len() < 200);
    }

    prop_compose! {
        fn arns()(
            partition in "aws(-[a-z]{2,4}){0,2}",
            region in "[a-z]{2}(-gov)?-[a-z]{4,9}-[1-9]",
            account in "[0-9]{12}",
            name in "[a-zA-Z0-9_.-]{1,64}",
            qualifier in "(|:\\$LATEST(\\.PUBLISHED)?|:[1-9][0-9]{0,17}|:[a-zA-Z_-][a-zA-Z0-9_-]{0,127})",
        ) -> String {
            format!("arn:{partition}:lambda:{region}:{account}:function:{name}{qualifier}")
        }
    }

    proptest! {
        #[test]
        fn an_arn_prints_as_it_was_read(text in arns()) {
            prop_assert_eq!(text.parse::<FunctionArn>().unwrap().to_string(), text);
        }

        #[test]
        fn no_text_is_read_as_something_else(text in "\\PC{0,80}|arn:aws:lambda:[a-z0-9:$-]{0,60}") {
            if let Ok(arn) = text.parse::<FunctionArn>() {
                prop_assert_eq!(arn.to_string(), text);
            }
        }

        // The API page of UpdateConnectorRegistration allows an ARN 512 characters.
        #[test]
        fn no_arn_outgrows_what_appflow_takes(text in arns(), version in 1u64..) {
            let arn: FunctionArn = text.parse().unwrap();
            let moved = arn.with_qualifier(Version::new(version).map(Qualifier::Version));
            prop_assert!(moved.to_string().len() <= 512);
            prop_assert_eq!(moved.function(), arn.function());
        }
    }
}
