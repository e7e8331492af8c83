"""A release's template and runbook say the same as template.yaml and docs/runbook.md, which the other tests
check."""

import os
import re

import pytest
from expand import expanded, written
from pages import PAGES, standalone
from samtranslator.yaml_helper import yaml_parse

from stack import PROJECT, Stack, source
from test_alarms import anchors, everywhere

# CloudFormation's limit for a template that is not in S3, in bytes.
INLINE_BYTES = 51_200


def without_code(template):
    """The resources, without the code's location and without what only the build and the checks use."""
    resources = {}
    for logical_id, resource in template["Resources"].items():
        resource = {name: member for name, member in resource.items() if name != "Metadata"}
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            resource["Properties"] = {k: v for k, v in properties.items() if k != "Code"}
        resources[logical_id] = resource
    return resources


# For every parameter, a value that is not its default.
OTHERWISE = {
    "ConnectorLabels": "acme-crm,acme-erp",
    "RegisterAs": "version",
    "UpdateDescription": "{function} at {version}",
    "GrantInvoke": "true",
    "DryRun": "true",
    "FunctionNamePrefix": "acme-",
    "WatchLatest": "true",
    "StateEvents": "true",
    "SweepSchedule": "",
    "SweepOnDeploy": "false",
    "EventBusName": "another",
    "ForwardingAccounts": "111122223333",
    "AlarmEmail": "me@example.com",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:operators",
    "Dashboard": "true",
    "Architecture": "arm64",
    "ReservedConcurrency": "5",
    "LogLevel": "WARN",
    "LogRetentionDays": "7",
    "AppFlowEndpoint": "https://appflow.example",
    "LambdaEndpoint": "https://lambda.example",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
    "RolePath": "/updaters/",
    "SubnetIds": "subnet-0a1b2c3d,subnet-1a1b2c3d",
    "SecurityGroupIds": "sg-0a1b2c3d",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30",
}


# The translator resolves some parameters itself.
@pytest.mark.parametrize(
    "parameters",
    [{}, OTHERWISE, *({name: value} for name, value in OTHERWISE.items())],
    ids=lambda parameters: " ".join(parameters) if len(parameters) < 2 else "all",
)
def test_every_resource_is_the_template_s_whatever_the_parameters(parameters):
    assert without_code(expanded()) == without_code(Stack(**parameters).template)


def test_every_parameter_is_varied():
    declared = source()["Parameters"]
    assert OTHERWISE.keys() == declared.keys()
    for name, value in OTHERWISE.items():
        assert value != str(declared[name]["Default"]), name


def test_it_is_plain_cloudformation():
    template = expanded()
    assert "Transform" not in template
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith("AWS::Serverless")}
    assert not [r for r in template["Resources"].values() if "Metadata" in r]
    for member in ("Conditions", "Outputs", "Description", "AWSTemplateFormatVersion"):
        assert template[member] == source()[member]


def test_the_code_comes_from_the_bucket():
    template = expanded()
    code = template["Resources"]["Updater"]["Properties"]["Code"]
    assert code == {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}}
    architectures = template["Resources"]["Updater"]["Properties"]["Architectures"]
    assert architectures == [{"Ref": "Architecture"}]


def test_its_parameters_are_the_template_s_and_where_the_code_is():
    parameters = expanded()["Parameters"]
    own = {name: parameters.pop(name) for name in ("CodeBucket", "CodeKey")}
    assert parameters == source()["Parameters"]
    for name, parameter in own.items():
        assert "Default" not in parameter, name
        assert parameter["Description"], name
    groups = expanded()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(expanded()["Parameters"])


def test_the_file_is_the_same_every_time():
    assert written() == written()
    assert yaml_parse(written()) == expanded()


def test_the_file_can_be_deployed_without_s3():
    assert len(written().encode()) <= INLINE_BYTES


def test_the_documentation_names_its_parameters():
    configuration = (PROJECT / "docs/configuration.md").read_text()
    for name in ("CodeBucket", "CodeKey"):
        assert f"| `{name}`" in configuration or f"`, `{name}`" in configuration, name


def code(page):
    """The code blocks of a Markdown page."""
    return re.findall(r"^ *```.*?^ *```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_release_links_to_what_the_release_has(page):
    text = standalone(page)
    own = {os.path.basename(other): standalone(other) for other in PAGES} | {"": text}
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https:")]
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        assert file in own and (not anchor or anchor in anchors(own[file])), link
    # Every file that it refers to is in the source.
    named = re.findall(r" \(`([^`]+\.md)`\)", text)
    assert named
    for path in named:
        assert (PROJECT / path).is_file(), path


def test_the_alarms_refer_to_entries_of_a_release_s_runbook():
    page = standalone("docs/runbook.md")
    for name, alarm in everywhere():
        _, anchor = alarm["AlarmDescription"].split("docs/runbook.md#")
        assert anchor in anchors(page), name


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_release_has_the_project_s_headings_and_code(page):
    own = (PROJECT / page).read_text()
    assert code(standalone(page)) == code(own) != []
    assert anchors(standalone(page)) == anchors(own)
