"""Events from other accounts: which ones forwarding.yaml sends, and which ones the bus accepts."""

import copy
import itertools

import pytest

from stack import CONTRACT, SAMPLES, Stack, statements
from test_rules import DURABLE_EXECUTION, EVERY_RULE, FORMS, SPELLINGS, call, matching_rules, matches

BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"
ACCOUNT = "111122223333"


def forwarding(**parameters):
    return Stack("forwarding.yaml", EventBusArn=BUS, **parameters)


@pytest.mark.parametrize("state_events", ["false", "true"])
def test_the_forwarded_events_are_those_that_the_rules_match(state_events):
    stack = forwarding(StateEvents=state_events)
    for name, event in SAMPLES.items():
        known = matching_rules(EVERY_RULE, event)
        state = known == ["FunctionState"]
        expected = [] if not known else ["ForwardStateEvents" if state else "Forward"]
        if state and state_events == "false":
            expected = []
        assert matching_rules(stack, event) == expected, name
    assert matching_rules(stack, DURABLE_EXECUTION) == []
    listed = stack["Forward"]["EventPattern"]["detail"]["eventName"]
    expected = [form for name in CONTRACT["calls"] for form in (name, {"prefix": f"{name}2"})]
    assert len(listed) == len(expected) and all(form in listed for form in expected)
    assert "Name" not in stack["Forward"] and "Name" not in stack["ForwardStateEvents"]


def test_state_events_are_not_forwarded_by_default():
    assert forwarding()["ForwardStateEvents"]["State"] == "DISABLED"


@pytest.mark.parametrize("state_events", ["false", "true"])
@pytest.mark.parametrize("form", FORMS)
def test_a_prefix_narrows_the_calls_that_are_forwarded(form, state_events):
    everything = forwarding(StateEvents=state_events)["Forward"]["EventPattern"]
    assert "requestParameters" not in everything["detail"]
    narrowed = forwarding(StateEvents=state_events, FunctionNamePrefix="acme-")
    pattern = narrowed["Forward"]["EventPattern"]
    for name in SPELLINGS:
        assert matches(pattern, call(name, functionName=form.format("acme-crm-connector")))
        assert not matches(pattern, call(name, functionName=form.format("not-acme-crm")))


def test_an_event_that_cannot_be_forwarded_waits_in_a_queue():
    stack = forwarding()
    queue = stack.attribute("UnforwardedEvents", "Arn")
    for name in ("Forward", "ForwardStateEvents"):
        [target] = stack[name]["Targets"]
        assert target["Arn"] == BUS
        assert target["RoleArn"] == stack.attribute("ForwardRole", "Arn")
        assert target["DeadLetterConfig"]["Arn"] == queue
    [policy] = stack["ForwardRole"]["Policies"]
    [statement] = statements(policy["PolicyDocument"])
    assert statement == {"Effect": "Allow", "Action": ["events:PutEvents"], "Resource": [BUS]}


def test_the_forwarding_role_has_the_configured_path_and_boundary():
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    role = forwarding(PermissionsBoundary=boundary, RolePath="/apps/")["ForwardRole"]
    assert (role["Path"], role["PermissionsBoundary"]) == ("/apps/", boundary)
    role = forwarding()["ForwardRole"]
    assert role["Path"] == "/" and "PermissionsBoundary" not in role


def allows(condition, event):
    """Whether a policy's condition is true for an event, as IAM and EventBridge evaluate it."""
    keys = {"events:source": [event["source"]], "events:detail-type": [event["detail-type"]]}

    def like(value, pattern):
        assert pattern.count("*") <= 1
        start, _, end = pattern.partition("*")
        return value == pattern or "*" in pattern and value.startswith(start) and value.endswith(end)

    for operator, wanted in condition.items():
        for key, expected in wanted.items():
            patterns = expected if isinstance(expected, list) else [expected]
            holds = {
                "StringEquals": lambda: keys[key] == [expected],
                "ForAllValues:StringEquals": lambda: all(value == expected for value in keys[key]),
                "StringNotLike": lambda: not any(
                    like(value, pattern) for value in keys[key] for pattern in patterns
                ),
                "Null": lambda: (not keys[key]) == (expected == "true"),
            }[operator]()
            if not holds:
                return False
    return True


@pytest.mark.parametrize("bus", ["default", "connectors"])
@pytest.mark.parametrize("state_events", ["false", "true"])
def test_the_bus_accepts_from_other_accounts_only_what_the_rules_match(state_events, bus):
    stack = Stack(
        ForwardingAccounts=f"{ACCOUNT},123456789012", StateEvents=state_events, EventBusName=bus
    )
    policies = stack.of_type("AWS::Events::EventBusPolicy").values()
    assert len(policies) == (2 if state_events == "true" else 1)
    for policy in policies:
        assert policy["EventBusName"] == bus
        statement = policy["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Principal"] == {"AWS": [ACCOUNT, "123456789012"]}
        assert statement["Action"] == "events:PutEvents"
        assert statement["Resource"] == f"arn:aws:events:us-east-1:123456789012:event-bus/{bus}"

    def accepted(event):
        return [p for p in policies if allows(p["Statement"]["Condition"], event)]

    states = SAMPLES["function-state-active"]
    calls = SAMPLES["alias-moved"]
    assert len(accepted(calls)) == 1
    assert len(accepted(states)) == (1 if state_events == "true" else 0)
    for event, source, detail_type in itertools.product(
        [calls, states],
        ["aws.lambda", "aws.iam", "com.example"],
        [
            "AWS API Call via CloudTrail",
            "AWS Service Event via CloudTrail",
            "Durable Execution Status Change",
            "An Unknown Type",
        ],
    ):
        event = copy.deepcopy(event) | {"source": source, "detail-type": detail_type}
        wanted = source == "aws.lambda" and (
            detail_type == "AWS API Call via CloudTrail"
            or (detail_type == "An Unknown Type" and state_events == "true")
        )
        assert len(accepted(event)) == int(wanted), (source, detail_type)


@pytest.mark.parametrize("state_events", ["false", "true"])
def test_the_bus_accepts_nothing_by_default(state_events):
    assert Stack(StateEvents=state_events).of_type("AWS::Events::EventBusPolicy") == {}
