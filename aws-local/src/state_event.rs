//! Lambda's own EventBridge event, for a version that becomes ready or fails.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::clock;
use crate::cloudtrail::id;
use crate::lambda::StateChange;
use crate::place::REGION;

/// A placeholder: the detail types of Lambda's own events, and the members of `detail`, are unverified.
/// By the Lambda developer guide, rules can match the function's ARN (with the version in it), the detail
/// type, and the state. Nothing should rely on this text.
pub const DETAIL_TYPE: &str = "Lambda Function Version State";

/// The event. `number` makes its id unique within a server.
pub(crate) fn event(change: &StateChange, time: SystemTime, number: u64) -> Value {
    let time = clock::text(time, "%Y-%m-%dT%H:%M:%SZ");
    let arn = change.name.arn(Some(&change.version));
    json!({
        "version": "0",
        "id": id(number, 1),
        "detail-type": DETAIL_TYPE,
        "source": "aws.lambda",
        "account": change.name.account,
        "time": time,
        "region": REGION,
        "resources": [arn],
        "detail": { "functionArn": arn, "state": change.state },
    })
}
