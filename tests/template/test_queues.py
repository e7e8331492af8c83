"""Failed events and invocations go to queues that accept messages only from the stack, encrypted as configured."""

import pytest

from stack import Stack, statements
from test_forwarding import forwarding

KEY = "arn:aws:kms:us-east-1:123456789012:key/0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30"
TWO_WEEKS = 14 * 24 * 60 * 60


def of_rules(stack):
    return sorted(stack.attribute(rule, "Arn") for rule in stack.of_type("AWS::Events::Rule"))


@pytest.mark.parametrize("bus", ["default", "connectors"])
def test_both_failure_paths_end_in_a_queue(bus):
    stack = Stack(EventBusName=bus)
    for name, rule in stack.of_type("AWS::Events::Rule").items():
        [target] = rule["Targets"]
        undelivered = stack.attribute("UndeliveredEvents", "Arn")
        assert target["DeadLetterConfig"] == {"Arn": undelivered}, name
    [retries] = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    failed = stack.attribute("FailedInvocations", "Arn")
    assert retries["DestinationConfig"]["OnFailure"] == {"Destination": failed}
    assert retries["MaximumRetryAttempts"] == 2
    assert retries["MaximumEventAgeInSeconds"] == 6 * 60 * 60


@pytest.mark.parametrize(
    ("stack", "queue"),
    [
        (Stack(), "UndeliveredEvents"),
        (Stack(EventBusName="connectors", SweepOnDeploy="false"), "UndeliveredEvents"),
        (forwarding(), "UnforwardedEvents"),
    ],
)
def test_a_queue_of_undelivered_events_accepts_messages_from_the_stack_s_rules_only(stack, queue):
    policy = stack[f"{queue}Policy"]
    arn = stack.attribute(queue, "Arn")
    assert policy["Queues"] == [stack.attribute(queue, "Ref")]
    allow, deny, encrypted = statements(policy["PolicyDocument"])
    assert allow == {
        "Sid": "FromTheRulesOfThisStack",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["sqs:SendMessage"],
        "Resource": [arn],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnEquals": {"aws:SourceArn": allow["Condition"]["ArnEquals"]["aws:SourceArn"]},
        },
    }
    assert sorted(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == of_rules(stack)
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["sqs:SendMessage"])
    assert deny["Condition"] == {"Bool": {"aws:PrincipalIsAWSService": "false"}}
    assert_only_encrypted(encrypted, arn)


def test_the_queue_of_failed_invocations_accepts_messages_from_the_function_s_role_only():
    stack = Stack(RolePath="/apps/")
    policy = stack["FailedInvocationsPolicy"]
    arn = stack.attribute("FailedInvocations", "Arn")
    assert policy["Queues"] == [stack.attribute("FailedInvocations", "Ref")]
    deny, encrypted = statements(policy["PolicyDocument"])
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["sqs:SendMessage"])
    role = stack.attribute("UpdaterRole", "Arn")
    assert deny["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role}}
    assert_only_encrypted(encrypted, arn)


def assert_only_encrypted(statement, arn):
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert (statement["Action"], statement["Resource"]) == (["sqs:*"], [arn])
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("deploy", [Stack, forwarding])
def test_everything_at_rest_is_encrypted_with_the_configured_key(deploy):
    with_key = deploy(KmsKeyArn=KEY, AlarmEmail="me@example.com")
    without = deploy(AlarmEmail="me@example.com")
    queues = with_key.of_type("AWS::SQS::Queue")
    assert queues
    for name, queue in queues.items():
        # SQS rejects a queue with both.
        assert queue["KmsMasterKeyId"] == KEY and "SqsManagedSseEnabled" not in queue
        assert without[name]["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in without[name]
        assert queue["MessageRetentionPeriod"] == TWO_WEEKS
    for kind, member in [("AWS::Logs::LogGroup", "KmsKeyId"), ("AWS::SNS::Topic", "KmsMasterKeyId")]:
        for name, properties in with_key.of_type(kind).items():
            assert properties[member] == KEY
            assert member not in without[name]
