//! How a sweep names a function: by name or by ARN.

use std::str::FromStr;

use crate::model::function_arn::{Function, FunctionArn, NotAFunction, is_name};

/// A function that a sweep names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FunctionSelector {
    /// By its bare name, in any account and Region.
    Name(String),
    /// By its ARN, whose qualifier is dropped.
    Function(Function),
}

impl FunctionSelector {
    /// Whether it names this function.
    pub fn is(&self, function: &Function) -> bool {
        match self {
            Self::Name(name) => function.name() == name,
            Self::Function(named) => named == function,
        }
    }

    /// The function's bare name.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Function(function) => function.name(),
        }
    }
}

impl FromStr for FunctionSelector {
    type Err = NotAFunction;

    fn from_str(text: &str) -> Result<Self, NotAFunction> {
        if is_name(text) {
            return Ok(Self::Name(text.to_owned()));
        }
        match text.parse::<FunctionArn>() {
            Ok(arn) => Ok(Self::Function(arn.function().clone())),
            Err(_) => Err(NotAFunction::new(text, "name or ARN")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_any_account_s_and_an_arn_one_function_s() {
        let function = |text: &str| text.parse::<FunctionArn>().unwrap().function().clone();
        let here = function("arn:aws:lambda:us-east-1:123456789012:function:crm");
        let there = function("arn:aws:lambda:us-east-1:111122223333:function:crm");
        let other = function("arn:aws:lambda:us-east-1:123456789012:function:erp");
        let by_name = FunctionSelector::Name("crm".to_owned());
        assert!(by_name.is(&here) && by_name.is(&there) && !by_name.is(&other));
        let by_arn = FunctionSelector::Function(here.clone());
        assert!(by_arn.is(&here) && !by_arn.is(&there) && !by_arn.is(&other));
        assert_eq!((by_name.name(), by_arn.name()), ("crm", "crm"));
    }
}
