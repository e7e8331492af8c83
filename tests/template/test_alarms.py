"""What goes wrong raises one alarm, which says what happened, where it is told and what to do."""

import json
import re

import pytest

from stack import CONTRACT, PROJECT, Stack
from test_forwarding import forwarding

# The metric of each alarm that has one.
SINGLE = {
    "FailedInvocationsAlarm": ("AWS/SQS", "NumberOfMessagesSent", "Sum", 1),
    "UndeliveredEventsAlarm": ("AWS/SQS", "NumberOfMessagesSent", "Sum", 1),
    "DelayedEventsAlarm": ("AWS/Lambda", "AsyncEventAge", "Maximum", 60 * 60 * 1000),
}
MATHS = {"DroppedEventsAlarm", "StaleRegistrationsAlarm"}

TOPIC = "arn:aws:sns:us-east-1:123456789012:operators"


def alarms(stack):
    return stack.of_type("AWS::CloudWatch::Alarm")


def everywhere():
    """Each alarm of both templates, with its logical id."""
    return [*alarms(Stack()).items(), *alarms(forwarding()).items()]


def test_there_is_an_alarm_for_each_way_to_fail_and_none_for_a_single_failed_try():
    assert alarms(Stack()).keys() == SINGLE.keys() | MATHS
    assert alarms(forwarding()).keys() == {"UnforwardedEventsAlarm"}
    watched = json.dumps([alarm for _, alarm in everywhere()])
    for metric in ("Errors", "Throttles", "ApproximateNumberOfMessagesVisible"):
        assert f'"{metric}"' not in watched


@pytest.mark.parametrize("name", SINGLE)
def test_an_alarm_watches_what_its_name_says(name):
    namespace, metric, statistic, threshold = SINGLE[name]
    stack = Stack()
    alarm = stack[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
    assert (alarm["Statistic"], alarm["Threshold"]) == (statistic, threshold)
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


def test_every_new_failure_raises_its_alarm_again():
    # An alarm on what waits in a queue stays on until the queue is empty and hides what follows; one on
    # what was sent is over after a period.
    for name, alarm in everywhere():
        if alarm.get("Namespace") == "AWS/SQS":
            assert alarm["MetricName"] == "NumberOfMessagesSent", name
            assert (alarm["EvaluationPeriods"], alarm["Period"]) == (1, 300), name
        assert alarm["TreatMissingData"] == "notBreaching", name


@pytest.mark.parametrize("bus", ["default", "connectors"])
def test_an_event_that_no_queue_accepted_raises_an_alarm(bus):
    stack = Stack(EventBusName=bus)
    expression, *metrics = stack["DroppedEventsAlarm"]["Metrics"]
    watched = []
    for metric in metrics:
        assert metric["ReturnData"] is False
        statistic = metric["MetricStat"]
        assert (statistic["Stat"], statistic["Period"]) == ("Sum", 300)
        dimensions = {d["Name"]: d["Value"] for d in statistic["Metric"]["Dimensions"]}
        watched.append(
            (statistic["Metric"]["Namespace"], statistic["Metric"]["MetricName"], dimensions)
        )
    expected = [
        (
            "AWS/Lambda",
            "DestinationDeliveryFailures",
            {"FunctionName": stack.attribute("Updater", "Ref")},
        )
    ]
    for name in stack.of_type("AWS::Events::Rule"):
        *_, rule_name = stack.attribute(name, "Arn").split("/")
        dimensions = {"RuleName": rule_name}
        # EventBridge names the bus of a rule in its metrics only where it is not the default one.
        if bus != "default" and "EventBusName" in stack[name]:
            dimensions["EventBusName"] = bus
        expected.append(("AWS/Events", "InvocationsFailedToBeSentToDlq", dimensions))
    assert len(watched) == len(expected) and all(metric in watched for metric in expected)
    assert expression["Expression"] == "SUM(FILL(METRICS(), 0))"
    # CloudWatch takes no more for an alarm.
    assert len(metrics) <= 10
    alarm = stack["DroppedEventsAlarm"]
    assert (alarm["DatapointsToAlarm"], alarm["Threshold"]) == (1, 1)
    # With FILL, a datapoint that is late would be counted as 0 for good.
    assert alarm["EvaluationPeriods"] > 1


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
def test_an_alarm_and_its_end_are_told_to_who_asked_for_it_and_to_nobody_else(deploy, email, topic):
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


def test_an_alarm_is_called_what_it_is_about():
    for name, alarm in everywhere():
        words = re.findall("[A-Z][a-z]+", name.removesuffix("Alarm"))
        assert alarm["AlarmName"] == "-".join(["connector-updater", *map(str.lower, words)])


def anchors(path):
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    headings = re.findall("^#+ (.+)$", (PROJECT / path).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_alarm_links_to_its_entry_in_the_runbook():
    for name, alarm in everywhere():
        [(path, anchor)] = re.findall(r"Runbook: (\S+)#(\S+)$", alarm["AlarmDescription"])
        assert anchor in anchors(path), name
        # Under the alarm's own name.
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
