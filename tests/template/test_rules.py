"""The rules match the events that the handler acts on, each event once."""

import copy
import itertools

import pytest
from moto.events.models import EventPattern

from stack import CONTRACT, SAMPLES, Stack, source

# The rule that matches each sample event.
RULES = {
    "alias-created": "AliasMoved",
    "alias-moved": "AliasMoved",
    "alias-moved-empty-weights": "AliasMoved",
    "alias-moved-while-provisioning": "AliasMoved",
    "alias-shift-finished": "AliasMoved",
    "alias-shifting-traffic": "AliasMoved",
    "denied-call": None,
    "dry-run": "CodePublished",
    "failed-call": None,
    "function-state-active": "FunctionState",
    "function-state-pending": "FunctionState",
    "function-url-created": None,
    "function-without-connector": "VersionPublished",
    "latest-code-changed": "LatestChanged",
    "latest-configuration-changed": "LatestChanged",
    "latest-published": "CodePublished",
    "layer-published": None,
    "schedule": None,
    "stack-created": None,
    "sweep": None,
    "sweep-dry-run": None,
    "sweep-function": None,
    "sweep-move": None,
    "version-published-answer-cut": "VersionPublished",
    "version-published-by-create-function": "CodePublished",
    "version-published-by-publish-version": "VersionPublished",
    "version-published-by-update-function-code": "CodePublished",
    "version-published-late": "VersionPublished",
    "version-published-older-name": "CodePublished",
    "version-published-undated-name": "VersionPublished",
    "version-published-without-number": "CodePublished",
}
# The events that a rule matches and the function ignores. No rule matches on DryRun, or on a function's state,
# because it is unverified which member of a state event has it.
MATCHED_BUT_IGNORED = {"dry-run", "function-state-pending"}
# The rules that are enabled only by a parameter.
OPTIONAL = {"LatestChanged": "WatchLatest", "FunctionState": "StateEvents"}

CALL = SAMPLES["version-published-by-update-function-code"]


def matches(pattern, event):
    return EventPattern(None, pattern).matches_event(event)


def matching_rules(stack, event):
    """The enabled rules that match an event, by their names in the template."""
    return [
        logical_id.removeprefix("Updater")
        for logical_id, rule in stack.of_type("AWS::Events::Rule").items()
        if rule.get("State") != "DISABLED"
        and "EventPattern" in rule
        and matches(rule["EventPattern"], event)
    ]


def changed(event, **detail):
    """An event with other members in its record; `None` removes a member."""
    event = copy.deepcopy(event)
    for name, value in detail.items():
        if value is None:
            event["detail"].pop(name, None)
        else:
            event["detail"][name] = value
    return event


def call(name, **request):
    """The record of a call with request parameters; `None` leaves a member out."""
    request = {"functionName": "acme-crm-connector", **request}
    request = {name: value for name, value in request.items() if value is not None}
    return changed(CALL, eventName=name, requestParameters=request)


# How CloudTrail may spell a call: alone, with a date, or with a date and a version.
SPELLINGS = [
    f"{name}{suffix}"
    for name in CONTRACT["calls"]
    for suffix in ("", "20150331", "20150331v2", "20990101v10")
]

EVERY_RULE = Stack(WatchLatest="true", StateEvents="true")


def test_every_sample_event_is_in_the_table():
    assert RULES.keys() == SAMPLES.keys() == CONTRACT["samples"].keys()


@pytest.mark.parametrize(
    "parameters",
    [
        dict(zip(["WatchLatest", "StateEvents", "FunctionNamePrefix", "EventBusName"], values))
        for values in itertools.product(
            ["false", "true"], ["false", "true"], ["", "acme-"], ["default", "connectors"]
        )
    ],
    ids=str,
)
def test_each_sample_event_is_matched_once_by_its_rule(parameters):
    stack = Stack(**parameters)
    for name, event in SAMPLES.items():
        rule = RULES[name]
        off = rule in OPTIONAL and parameters[OPTIONAL[rule]] == "false"
        other_prefix = name == "function-without-connector" and parameters["FunctionNamePrefix"]
        expected = [] if rule is None or off or other_prefix else [rule]
        assert matching_rules(stack, event) == expected, name


def test_the_rules_match_what_the_handler_acts_on():
    for name, event in SAMPLES.items():
        acts = CONTRACT["samples"][name] == "deployment"
        if name in MATCHED_BUT_IGNORED:
            assert not acts, name
        else:
            assert bool(matching_rules(EVERY_RULE, event)) == acts, name


def test_the_rules_list_every_call_that_the_code_reads_as_a_deployment_and_no_other():
    listed = []
    for rule in EVERY_RULE.of_type("AWS::Events::Rule").values():
        for name in rule.get("EventPattern", {}).get("detail", {}).get("eventName", []):
            if name not in listed:
                listed.append(name)
    expected = [form for name in CONTRACT["calls"] for form in (name, {"prefix": f"{name}2"})]
    assert len(listed) == len(expected) and all(form in listed for form in expected)


@pytest.mark.parametrize(
    ("name", "publish", "rule"),
    [
        ("PublishVersion", None, "VersionPublished"),
        ("UpdateFunctionCode", True, "CodePublished"),
        ("UpdateFunctionCode", False, "LatestChanged"),
        ("UpdateFunctionCode", None, "LatestChanged"),
        ("CreateFunction", True, "CodePublished"),
        ("CreateFunction", False, "LatestChanged"),
        ("CreateFunction", None, "LatestChanged"),
        ("UpdateFunctionConfiguration", None, "LatestChanged"),
        ("CreateAlias", None, "AliasMoved"),
        ("UpdateAlias", None, "AliasMoved"),
    ],
)
def test_each_call_is_handled_once_whether_it_publishes_or_not(name, publish, rule):
    spellings = [spelling for spelling in SPELLINGS if spelling.split("2")[0] == name]
    assert len(spellings) == 4
    for spelling in spellings:
        event = call(spelling, publish=publish)
        assert matching_rules(EVERY_RULE, event) == [rule]
        assert matching_rules(Stack(), event) == ([] if rule in OPTIONAL else [rule])
        failed = changed(event, errorCode="ResourceConflictException")
        assert matching_rules(EVERY_RULE, failed) == []


@pytest.mark.parametrize("name", CONTRACT["calls"])
@pytest.mark.parametrize(
    "other",
    [
        "{}UrlConfig",
        "{}UrlConfig20211031",
        "{}SigningConfig20200422",
        "{}v9",
        "{}10150331",
        "Un{}",
        "Un{}20150331",
    ],
)
def test_a_call_with_a_similar_name_matches_no_rule(name, other):
    for publish in (None, False, True):
        assert matching_rules(EVERY_RULE, call(other.format(name), publish=publish)) == []


FORMS = [
    "{}",
    "{}:live",
    "function:{}",
    "123456789012:{}",
    "123456789012:function:{}",
    "arn:aws:lambda:us-east-1:123456789012:function:{}",
    "arn:aws:lambda:us-east-1:123456789012:function:{}:7",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_prefix_narrows_every_rule_for_calls_whatever_form_the_name_has(name, form):
    narrowed = Stack(WatchLatest="true", FunctionNamePrefix="acme-")
    for publish in (None, False, True):
        event = call(name, publish=publish, functionName=form.format("acme-crm-connector"))
        assert matching_rules(narrowed, event) == matching_rules(EVERY_RULE, event)
        for other in ("thumbnailer", "not-acme-crm"):
            event = call(name, publish=publish, functionName=form.format(other))
            assert matching_rules(narrowed, event) == []


@pytest.mark.parametrize(
    ("source_name", "detail_type", "rules"),
    [
        ("aws.lambda", "A Type That Is Unknown", ["FunctionState"]),
        ("aws.lambda", "AWS API Call via CloudTrail", []),
        ("aws.lambda", "AWS Service Event via CloudTrail", []),
        ("aws.events", "Scheduled Event", []),
    ],
)
def test_a_state_event_is_matched_whatever_its_type(source_name, detail_type, rules):
    event = SAMPLES["function-state-active"] | {"source": source_name, "detail-type": detail_type}
    assert matching_rules(EVERY_RULE, event) == rules


# A documented event from Lambda about an execution of a durable function: it has a function's ARN, but does not
# describe the function's state.
DURABLE_EXECUTION = {
    "version": "0",
    "id": "8d4e7a90-3c12-4f6d-b0a7-000000000022",
    "detail-type": "Durable Execution Status Change",
    "source": "aws.lambda",
    "account": "123456789012",
    "time": "2026-03-02T09:14:06Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {
        "durableExecutionName": "order-1",
        "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:acme-crm-connector:7",
        "status": "RUNNING",
        "startTimestamp": "2026-03-02T09:14:06.000Z",
    },
}


def test_a_durable_execution_matches_no_rule():
    assert matching_rules(EVERY_RULE, DURABLE_EXECUTION) == []
    longer = DURABLE_EXECUTION | {"detail-type": "Lambda Durable Execution Status Change"}
    assert matching_rules(EVERY_RULE, longer) == []
    # Only its type excludes it: the rest of a state event is unverified.
    other = DURABLE_EXECUTION | {"detail-type": "A Type That Is Unknown"}
    assert matching_rules(EVERY_RULE, other) == ["FunctionState"]


def stack_status(stack_id, status):
    """The event that CloudFormation sends for a stack's status."""
    return {
        "version": "0",
        "id": "8d4e7a90-3c12-4f6d-b0a7-000000000021",
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "account": "123456789012",
        "time": "2026-03-02T09:14:06Z",
        "region": "us-east-1",
        "resources": [stack_id],
        "detail": {
            "stack-id": stack_id,
            "status-details": {"status": status, "status-reason": ""},
            "client-request-token": "",
        },
    }


@pytest.mark.parametrize("bus", ["default", "connectors"])
def test_a_deployment_of_the_stack_itself_starts_a_sweep(bus):
    stack = Stack(EventBusName=bus)
    own = stack.values["AWS::StackId"]
    for status, sweeps in [
        ("CREATE_IN_PROGRESS", False),
        ("CREATE_COMPLETE", True),
        ("CREATE_FAILED", False),
        ("UPDATE_IN_PROGRESS", False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("UPDATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("UPDATE_ROLLBACK_FAILED", False),
        ("ROLLBACK_COMPLETE", False),
        ("DELETE_IN_PROGRESS", False),
        ("DELETE_COMPLETE", False),
    ]:
        expected = ["StackDeployed"] if sweeps else []
        assert matching_rules(stack, stack_status(own, status)) == expected, status
        assert matching_rules(Stack(SweepOnDeploy="false"), stack_status(own, status)) == []
        other = own.replace("0f3c9a52", "1a2b3c4d")
        assert matching_rules(stack, stack_status(other, status)) == []
    [target] = stack["UpdaterStackDeployed"]["Targets"]
    assert "Input" not in target, "the function reads CloudFormation's event as a sweep"
    assert "EventBusName" not in stack["UpdaterStackDeployed"], "CloudFormation sends to the default bus only"


def test_the_sweep_on_deployment_is_allowed_before_the_stack_is_complete():
    # Both are resources without a condition, so the stack is complete only when they exist.
    resources = Stack().template["Resources"]
    for logical_id in ("UpdaterStackDeployed", "UpdaterStackDeployedPermission"):
        assert "Condition" not in resources[logical_id]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [(None, "rate(1 day)"), ("cron(0 3 * * ? *)", "cron(0 3 * * ? *)"), ("", None)],
)
def test_a_sweep_runs_daily_or_on_the_configured_schedule_or_never(schedule, expected):
    stack = Stack() if schedule is None else Stack(SweepSchedule=schedule)
    rule = stack["UpdaterSweep"]
    assert rule["State"] == ("DISABLED" if expected is None else "ENABLED")
    if expected is not None:
        assert rule["ScheduleExpression"] == expected
    assert "Input" not in rule["Targets"][0], "the function reads a Scheduled Event as a sweep"
    assert CONTRACT["samples"]["schedule"] == "sweep"


def test_latest_and_state_events_are_off_by_default_and_nothing_else_is():
    off = {
        logical_id
        for logical_id, rule in Stack().of_type("AWS::Events::Rule").items()
        if rule.get("State") == "DISABLED"
    }
    assert off == {"UpdaterFunctionState", "UpdaterLatestChanged"}


@pytest.mark.parametrize("bus", ["default", "connectors"])
def test_every_rule_for_calls_and_states_is_on_the_configured_bus(bus):
    for logical_id, rule in Stack(EventBusName=bus).of_type("AWS::Events::Rule").items():
        # Schedules and CloudFormation's events are on the default bus only.
        expected = None if logical_id in ("UpdaterSweep", "UpdaterStackDeployed") else bus
        assert rule.get("EventBusName") == expected, logical_id


@pytest.mark.parametrize("bus", ["default", "connectors"])
def test_the_stack_s_rules_and_no_others_can_invoke_the_function(bus):
    stack = Stack(EventBusName=bus, SweepSchedule="", SweepOnDeploy="false")
    rules = stack.of_type("AWS::Events::Rule")
    function = stack.attribute("Updater", "Arn")
    assert len(rules) == len(source()["Resources"]["Updater"]["Properties"]["Events"])
    for rule in rules.values():
        [target] = rule["Targets"]
        assert target["Arn"] == function
    permissions = stack.of_type("AWS::Lambda::Permission").values()
    assert sorted(permission["SourceArn"] for permission in permissions) == sorted(
        stack.attribute(logical_id, "Arn") for logical_id in rules
    )
    for permission in permissions:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["FunctionName"] == stack.attribute("Updater", "Ref")
