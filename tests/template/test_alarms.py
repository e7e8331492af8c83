"""Each kind of failure raises one alarm, which names its entry in the runbook."""

import json
import re

import pytest

from stack import CONTRACT, PROJECT, Stack
from test_forwarding import forwarding

HOUR = 60 * 60 * 1000
AT_LEAST = "GreaterThanOrEqualToThreshold"
MORE_THAN = "GreaterThanThreshold"
# How each alarm is evaluated. The tests below check what it watches.
COLUMNS = (
    "Statistic",
    "Period",
    "ComparisonOperator",
    "Threshold",
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "TreatMissingData",
)
EVALUATED = {
    "template.yaml": {
        "FailedInvocationsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 4, "notBreaching"),
        "UndeliveredEventsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 4, "notBreaching"),
        "DelayedEventsAlarm": ("Maximum", 300, MORE_THAN, HOUR, 1, 1, "notBreaching"),
        "DroppedEventsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 3, "notBreaching"),
        "StaleRegistrationsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 1, "notBreaching"),
    },
    "forwarding.yaml": {
        "UnforwardedEventsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 4, "notBreaching"),
        "DroppedEventsAlarm": ("Sum", 300, AT_LEAST, 1, 1, 3, "notBreaching"),
    },
}
# The alarms on one metric.
SINGLE = {
    "FailedInvocationsAlarm": ("AWS/SQS", "NumberOfMessagesSent"),
    "UndeliveredEventsAlarm": ("AWS/SQS", "NumberOfMessagesSent"),
    "DelayedEventsAlarm": ("AWS/Lambda", "AsyncEventAge"),
}

TOPIC = "arn:aws:sns:us-east-1:123456789012:operators"


def alarms(stack):
    return stack.of_type("AWS::CloudWatch::Alarm")


def everywhere():
    """Each alarm of both templates, with its logical id."""
    return [*alarms(Stack()).items(), *alarms(forwarding()).items()]


def evaluated(alarm):
    """How an alarm is evaluated: each column, with CloudWatch's default where the template has none."""
    values = {"DatapointsToAlarm": alarm["EvaluationPeriods"]} | alarm
    if "Metrics" in alarm:
        statistics = [metric["MetricStat"] for metric in alarm["Metrics"] if "MetricStat" in metric]
        [(values["Statistic"], values["Period"])] = {(s["Stat"], s["Period"]) for s in statistics}
    return tuple(values[column] for column in COLUMNS)


@pytest.mark.parametrize(
    ("template", "stack"), [("template.yaml", Stack()), ("forwarding.yaml", forwarding())]
)
def test_every_alarm_is_evaluated_as_the_table_says(template, stack):
    actual = {name: evaluated(alarm) for name, alarm in alarms(stack).items()}
    assert actual == EVALUATED[template]


def test_there_is_no_alarm_for_a_single_failed_try():
    watched = json.dumps([alarm for _, alarm in everywhere()])
    for metric in ("Errors", "Throttles", "ApproximateNumberOfMessagesVisible"):
        assert f'"{metric}"' not in watched


@pytest.mark.parametrize("name", SINGLE)
def test_an_alarm_watches_what_its_name_says(name):
    namespace, metric = SINGLE[name]
    stack = Stack()
    alarm = stack[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
    if namespace == "AWS/SQS":
        queue = stack.attribute(name.removesuffix("Alarm"), "QueueName")
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue}]
    else:
        function = stack.attribute("Updater", "Ref")
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": function}]


def test_an_event_that_could_not_be_forwarded_raises_an_alarm():
    stack = forwarding()
    alarm = stack["UnforwardedEventsAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "NumberOfMessagesSent")
    queue = stack.attribute("UnforwardedEvents", "QueueName")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue}]


def test_a_backlog_hides_no_new_failure_and_a_late_metric_hides_none():
    # An alarm on the number of messages in a queue stays in ALARM until the queue is empty, and hides later
    # failures. An alarm on messages sent returns to OK when no evaluated period has a failure.
    late, period = 15 * 60, 5 * 60
    on_queues = [(name, a) for name, a in everywhere() if a.get("Namespace") == "AWS/SQS"]
    assert on_queues
    for name, alarm in on_queues:
        assert alarm["MetricName"] == "NumberOfMessagesSent", name
        # The period of the failure, plus the longest time until SQS reports it. With less, a late
        # failure raises no alarm; with more, a failure hides the next one for longer.
        assert alarm["EvaluationPeriods"] * alarm["Period"] == late + period, name
        assert alarm["DatapointsToAlarm"] == 1, name


@pytest.mark.parametrize(
    ("stack", "bus"),
    [
        (Stack(), "default"),
        (Stack(EventBusName="connectors"), "connectors"),
        (forwarding(), "default"),
    ],
)
def test_an_event_that_no_queue_accepts_raises_an_alarm(stack, bus):
    expression, *metrics = stack["DroppedEventsAlarm"]["Metrics"]
    watched = []
    for metric in metrics:
        assert metric["ReturnData"] is False
        statistic = metric["MetricStat"]
        dimensions = {d["Name"]: d["Value"] for d in statistic["Metric"]["Dimensions"]}
        watched.append(
            (statistic["Metric"]["Namespace"], statistic["Metric"]["MetricName"], dimensions)
        )
    expected = [
        (
            "AWS/Lambda",
            "DestinationDeliveryFailures",
            {"FunctionName": stack.attribute(function, "Ref")},
        )
        for function in stack.of_type("AWS::Lambda::Function")
    ]
    for name in stack.of_type("AWS::Events::Rule"):
        *_, rule_name = stack.attribute(name, "Arn").split("/")
        dimensions = {"RuleName": rule_name}
        # EventBridge's metrics have the dimension only for rules that are not on the default bus.
        if bus != "default" and "EventBusName" in stack[name]:
            dimensions["EventBusName"] = bus
        expected.append(("AWS/Events", "InvocationsFailedToBeSentToDlq", dimensions))
    assert len(watched) == len(expected) and all(metric in watched for metric in expected)
    assert expression["Expression"] == "SUM(FILL(METRICS(), 0))"
    # CloudWatch's limit of metrics in an alarm's expression.
    assert len(metrics) <= 10
    # FILL counts a late data point as 0: a single period would miss it.
    assert stack["DroppedEventsAlarm"]["EvaluationPeriods"] > 1


def test_what_a_sweep_finds_raises_an_alarm():
    stack = Stack()
    expression, *metrics = stack["StaleRegistrationsAlarm"]["Metrics"]
    assert expression["Expression"] == " + ".join(metric["Id"] for metric in metrics)
    names = []
    for metric in metrics:
        assert metric["ReturnData"] is False
        statistic = metric["MetricStat"]
        assert statistic["Metric"]["Namespace"] == CONTRACT["metrics"]["namespace"]
        function = stack.attribute("Updater", "Ref")
        dimension = {"Name": CONTRACT["metrics"]["dimension"], "Value": function}
        assert statistic["Metric"]["Dimensions"] == [dimension]
        names.append(statistic["Metric"]["MetricName"])
    assert names == ["StaleRegistrations", "RegistrationsBehind"]
    assert set(names) <= set(CONTRACT["metrics"]["names"])
    described = stack["StaleRegistrationsAlarm"]["AlarmDescription"]
    for told in ("lost", "no events arrive", "rolled", "MatchedEvents", "get-event-selectors"):
        assert told in described


@pytest.mark.parametrize("deploy", [Stack, forwarding])
@pytest.mark.parametrize(
    ("email", "topic"), [("", ""), ("me@example.com", ""), ("", TOPIC), ("me@example.com", TOPIC)]
)
def test_an_alarm_and_its_end_notify_the_configured_subscribers_only(deploy, email, topic):
    stack = deploy(AlarmEmail=email, AlarmTopicArn=topic)
    expected = []
    if email:
        expected.append(stack.attribute("AlarmTopic", "Ref"))
        subscriptions = stack["AlarmTopic"]["Subscription"]
        assert subscriptions == [{"Protocol": "email", "Endpoint": email}]
    else:
        assert "AlarmTopic" not in stack.resources
    if topic:
        expected.append(topic)
    for name, alarm in alarms(stack).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == expected, name


def test_an_alarm_s_name_matches_its_logical_id():
    for name, alarm in everywhere():
        words = re.findall("[A-Z][a-z]+", name.removesuffix("Alarm"))
        assert alarm["AlarmName"] == "-".join(["connector-updater", *map(str.lower, words)])


def test_every_alarm_says_that_ok_does_not_mean_resolved():
    for name, alarm in everywhere():
        described = alarm["AlarmDescription"]
        assert re.search(r"The alarm returns to OK .*, whether or not ", described), name


def anchors(page):
    """The anchors that GitHub generates for a Markdown page's headings."""
    headings = re.findall("^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_alarm_links_to_its_entry_in_the_runbook():
    for name, alarm in everywhere():
        [(path, anchor)] = re.findall(r"Runbook: (\S+)#(\S+)$", alarm["AlarmDescription"])
        assert anchor in anchors((PROJECT / path).read_text()), name
        # The entry has the alarm's name.
        assert alarm["AlarmName"].endswith(f"-{anchor}"), name


def test_the_dashboard_shows_the_metrics_that_the_code_writes_and_single_failed_tries():
    assert "UpdaterDashboard" not in Stack().resources
    stack = Stack(Dashboard="true")
    widgets = json.loads(stack["UpdaterDashboard"]["DashboardBody"])["widgets"]
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets), "no widget covers another"
    shown = {}
    for widget in widgets:
        namespace = None
        for metric in widget["properties"]["metrics"]:
            namespace = metric[0] if metric[0].startswith(("AWS/", "connector")) else namespace
            if metric[0] != "...":
                shown.setdefault(namespace, set()).add(metric[1])
    assert shown[CONTRACT["metrics"]["namespace"]] == set(CONTRACT["metrics"]["names"])
    assert {"Errors", "Throttles", "AsyncEventAge"} <= shown["AWS/Lambda"]
