"""The role allows exactly the calls that the code makes, for every combination of parameters that changes it."""

import itertools

import pytest

from stack import CONTRACT, Stack, statements

CONNECTORS = "arn:aws:appflow:us-east-1:123456789012:connector/*"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30"
NETWORK_INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
# Values of ConnectorLabels, and the labels that the role is restricted to.
LABELS = {
    "": None,
    "acme-crm": ["acme-crm"],
    "acme-crm,acme!erp": ["acme-crm", "acme!erp"],
    "!acme-crm": None,
    "!acme-crm,!acme!erp": None,
}


def allowed(stack):
    """Each action that the role allows, with its resources and conditions."""
    role = stack["UpdaterRole"]
    assert "ManagedPolicyArns" not in role
    result = {}
    for policy in role["Policies"]:
        for statement in statements(policy["PolicyDocument"]):
            assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
            assert statement["Effect"] == "Allow"
            for action, resource in itertools.product(statement["Action"], statement["Resource"]):
                result.setdefault(action, []).append((resource, statement.get("Condition")))
    return result


def called(labels, grant):
    """The actions that the code needs with these settings."""
    return {
        action
        for action in CONTRACT["actions"]
        # Listed labels are described without ListConnectors, and only GrantInvoke adds permissions.
        if not (action == "appflow:ListConnectors" and LABELS[labels])
        and not (action == "lambda:AddPermission" and grant == "false")
    }


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("grant", ["false", "true"])
@pytest.mark.parametrize("prefix", ["", "acme-"])
@pytest.mark.parametrize("subnets", ["", "subnet-0a1b2c3d"])
@pytest.mark.parametrize("key", ["", KEY])
def test_the_role_allows_exactly_the_calls_on_the_narrowest_resources(
    labels, grant, prefix, subnets, key
):
    stack = Stack(
        ConnectorLabels=labels,
        GrantInvoke=grant,
        FunctionNamePrefix=prefix,
        SubnetIds=subnets,
        SecurityGroupIds="sg-0a1b2c3d" if subnets else "",
        KmsKeyArn=key,
    )
    expected = {}
    for action in called(labels, grant):
        if action.startswith("appflow:"):
            if LABELS[labels] is None:
                expected[action] = [(CONNECTORS, None)]
            else:
                in_region = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
                expected[action] = [
                    (f"arn:*:appflow:*:*:connector/{label}", in_region) for label in LABELS[labels]
                ]
        else:
            functions = f"arn:aws:lambda:us-east-1:123456789012:function:{prefix}*"
            for_appflow = {"StringEquals": {"lambda:Principal": "appflow.amazonaws.com"}}
            condition = for_appflow if action == "lambda:AddPermission" else None
            expected[action] = [(functions, condition)]
    # AppFlow, Lambda, and SQS use these permissions of the role; the code calls none of these actions.
    expected["lambda:InvokeFunction"] = expected["lambda:GetFunctionConfiguration"]
    expected["sqs:SendMessage"] = [(stack.attribute("FailedInvocations", "Arn"), None)]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        expected[action] = [(stack.attribute("UpdaterLogs", "Arn"), None)]
    if key:
        through_sqs = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            expected[action] = [(KEY, through_sqs)]
    if subnets:
        for action in NETWORK_INTERFACES:
            expected[action] = [("*", None)]
    assert allowed(stack) == expected


def test_only_the_tested_parameters_change_the_role():
    tried = {
        "ConnectorLabels",
        "GrantInvoke",
        "FunctionNamePrefix",
        "SubnetIds",
        "SecurityGroupIds",
        "KmsKeyArn",
    }
    stack = Stack()
    named, conditions = set(), set()

    def visit(value):
        if isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, dict):
            for name, member in value.items():
                if name == "Ref":
                    named.add(member)
                elif name == "Fn::Sub":
                    named.update(part.split("}")[0] for part in member.split("${")[1:])
                elif name == "Fn::If":
                    conditions.add(member[0])
                visit(member)

    visit(stack.template["Resources"]["UpdaterRole"]["Properties"]["Policies"])
    visit([stack.template["Conditions"][name] for name in conditions])
    assert {name for name in named if not name.startswith("AWS::")} == tried


def test_the_function_cannot_use_the_permissions_that_lambda_needs_to_attach_it():
    stack = Stack(SubnetIds="subnet-0a1b2c3d", SecurityGroupIds="sg-0a1b2c3d")
    policy = stack["UpdaterNetworkPolicy"]
    assert policy["RoleName"] == stack.attribute("UpdaterRole", "Ref")
    [statement] = statements(policy["PolicyDocument"])
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == (
        "Deny",
        ["ec2:*"],
        ["*"],
    )
    from_it = {"ArnEquals": {"lambda:SourceFunctionArn": stack.attribute("Updater", "Arn")}}
    assert statement["Condition"] == from_it
    assert "UpdaterNetworkPolicy" not in Stack().resources


@pytest.mark.parametrize(
    ("subnets", "groups"),
    [("", ""), ("subnet-0a,subnet-0b", "sg-0a"), ("subnet-0a", ""), ("", "sg-0a,sg-0b")],
)
def test_the_function_is_in_a_vpc_only_if_one_is_configured(subnets, groups):
    stack = Stack(SubnetIds=subnets, SecurityGroupIds=groups)
    if subnets or groups:
        expected = {"SubnetIds": subnets.split(","), "SecurityGroupIds": groups.split(",")}
        assert stack["Updater"]["VpcConfig"] == expected
    else:
        assert "VpcConfig" not in stack["Updater"]


def test_the_role_has_the_configured_path_and_boundary():
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    stack = Stack(PermissionsBoundary=boundary, RolePath="/apps/")
    role = stack["UpdaterRole"]
    assert (role["Path"], role["PermissionsBoundary"]) == ("/apps/", boundary)
    assert stack["Updater"]["Role"] == stack.attribute("UpdaterRole", "Arn")
    role = Stack()["UpdaterRole"]
    assert role["Path"] == "/" and "PermissionsBoundary" not in role


def test_only_lambda_can_assume_the_role():
    [statement] = Stack()["UpdaterRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


@pytest.mark.parametrize("template", ["template.yaml", "forwarding.yaml"])
def test_there_is_one_role_and_no_separate_policy(template):
    parameters = {} if template == "template.yaml" else {"EventBusArn": (
        "arn:aws:events:us-east-1:123456789012:event-bus/default"
    )}
    stack = Stack(template, **parameters)
    kinds = [r["Type"] for r in stack.resources.values() if r["Type"].startswith("AWS::IAM::")]
    assert kinds == ["AWS::IAM::Role"]
