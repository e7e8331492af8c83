//! Selects the calls that a fault or a hook is for.

use serde_json::Value;

/// Calls of one operation, such as `DescribeConnector`, or of all operations, as `*`.
#[derive(Clone, Debug)]
pub struct Calls {
    operation: String,
    concerning: Option<String>,
}

impl Calls {
    /// All calls of an operation.
    pub fn of(operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            concerning: None,
        }
    }

    /// Only calls with this connector label or function name.
    pub fn concerning(mut self, text: &str) -> Self {
        self.concerning = Some(text.to_owned());
        self
    }

    /// Whether a call is one of them.
    pub fn contain(&self, operation: &str, input: &Value) -> bool {
        (self.operation == "*" || self.operation == operation)
            && self.concerning.as_deref().is_none_or(|text| {
                input["connectorLabel"] == text
                    || input["FunctionName"]
                        .as_str()
                        .is_some_and(|name| name.split(':').any(|part| part == text))
            })
    }
}

impl From<&str> for Calls {
    fn from(operation: &str) -> Self {
        Self::of(operation)
    }
}
