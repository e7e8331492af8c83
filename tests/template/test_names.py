"""The stack can be deployed under any name, and next to another one in the same Region."""

import itertools

import pytest

from stack import Stack
from test_forwarding import forwarding

LONGEST = "a" * 128
# A name of a stack that StackSets creates.
OF_A_STACK_SET = f"StackSet-{'a' * 60}-0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30"

# The services' limits for names and descriptions, in characters, by (type, property). Where the template has
# no name, CloudFormation generates one that fits.
LIMITS = {
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Events::EventBusPolicy", "StatementId"): 64,
    ("AWS::Events::Rule", "Description"): 512,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::IAM::RolePolicy", "PolicyName"): 128,
    ("AWS::Lambda::Function", "Description"): 256,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::SQS::Queue", "QueueName"): 80,
}
# These must not have a name: only the stack's name could make it unique, and that can be longer than the
# limit.
UNNAMED = {
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
}


def full(**about):
    """A stack with all optional resources."""
    stack = Stack(
        StateEvents="true",
        ForwardingAccounts="111122223333",
        AlarmEmail="me@example.com",
        Dashboard="true",
        SubnetIds="subnet-0a1b2c3d",
        SecurityGroupIds="sg-0a1b2c3d",
        KmsKeyArn=KEY,
        EventBusName=about.pop("bus", "default"),
        **about,
    )
    assert stack.resources.keys() == stack.template["Resources"].keys()
    return stack


def names(stack):
    """Each name and description of a resource."""
    for logical_id, resource in stack.resources.items():
        for (kind, member), limit in LIMITS.items():
            text = resource.get("Properties", {}).get(member)
            if resource["Type"] == kind and text is not None:
                yield (kind, member), logical_id, text, limit


@pytest.mark.parametrize("name", ["a", LONGEST, OF_A_STACK_SET])
@pytest.mark.parametrize("bus", ["default", "b" * 256])
def test_every_name_fits_whatever_the_stack_is_called(name, bus):
    for stack in (full(name=name, bus=bus), forwarding(name=name, AlarmEmail="me@example.com")):
        for what, logical_id, text, limit in names(stack):
            assert what not in UNNAMED, logical_id
            assert 1 <= len(text) <= limit, f"{logical_id}: {text}"
        for rule in stack.of_type("AWS::Events::Rule").values():
            for target in rule["Targets"]:
                assert len(target["Id"]) <= 64
        for role in stack.of_type("AWS::IAM::Role").values():
            for policy in role["Policies"]:
                assert len(policy["PolicyName"]) <= 128


def test_no_property_that_names_something_is_forgotten():
    for stack in (full(), forwarding()):
        for logical_id, resource in stack.resources.items():
            for member in resource.get("Properties", {}):
                own = resource["Type"].rsplit("::")[-1]
                if member in ("Name", f"{own}Name", "StatementId", "PolicyName"):
                    assert (resource["Type"], member) in LIMITS, logical_id


def test_a_statement_id_has_the_characters_that_eventbridge_allows():
    for policy in full(name=LONGEST).of_type("AWS::Events::EventBusPolicy").values():
        assert policy["StatementId"].replace("-", "").isalnum()


@pytest.mark.parametrize(
    ("one", "other"),
    [("updater", "updater-2"), ("updater", "updater-dropped"), (LONGEST, LONGEST[:-1] + "b")],
)
def test_two_stacks_in_one_region_share_no_name(one, other):
    stacks = [full(name=one), full(name=other, uuid="1a2b3c4d-7d1e-4b8a-9c46-2e5d8f1a7b30")]
    forwarders = [forwarding(name=one), forwarding(name=other)]
    for first, second in [stacks, forwarders, (stacks[0], forwarders[1])]:
        named = [
            {(what, text) for what, _, text, _ in names(stack) if "Description" not in what[1]}
            for stack in (first, second)
        ]
        shared = named[0] & named[1]
        # A policy's name only has to be unique within its role.
        assert {what for what, _ in shared} <= {("AWS::IAM::RolePolicy", "PolicyName")}


def test_no_alarm_s_name_ends_in_another_s():
    # Otherwise, the stacks `a` and `a-b` could both have an alarm `a-b-c`.
    suffixes = [
        alarm["AlarmName"].removeprefix("connector-updater-")
        for stack in (full(), forwarding())
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
    ]
    for one, other in itertools.permutations(suffixes, 2):
        assert not one.endswith(f"-{other}")


def test_a_stack_sweeps_after_its_own_deployment_only():
    stacks = [full(name="one"), full(name="two", uuid="1a2b3c4d-7d1e-4b8a-9c46-2e5d8f1a7b30")]
    ids = [s["UpdaterStackDeployed"]["EventPattern"]["detail"]["stack-id"] for s in stacks]
    assert ids == [[stack.values["AWS::StackId"]] for stack in stacks]
    assert ids[0] != ids[1]


def test_nothing_is_exported_under_a_name():
    for stack in (full(), forwarding()):
        assert all("Export" not in output for output in stack.template["Outputs"].values())


def test_every_output_can_be_resolved():
    for stack in (full(), Stack(), forwarding()):
        for output in stack.template["Outputs"].values():
            assert stack.resolve(output["Value"])
