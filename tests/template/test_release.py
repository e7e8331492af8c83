"""The template that a release has is the one that the other tests hold against the code."""

import sys

import pytest
from samtranslator.yaml_helper import yaml_parse

from stack import PROJECT, Stack, source

sys.path.insert(0, str(PROJECT / ".ci"))

from expand import expanded, written

# Without S3, CloudFormation takes no more.
INLINE_BYTES = 51_200


def without_code(template):
    """The resources, without where the code is and without what only the build and checks read."""
    resources = {}
    for logical_id, resource in template["Resources"].items():
        resource = {name: member for name, member in resource.items() if name != "Metadata"}
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            resource["Properties"] = {k: v for k, v in properties.items() if k != "Code"}
        resources[logical_id] = resource
    return resources


# The translator works some parameters out while it expands.
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {
            "Architecture": "arm64",
            "ReservedConcurrency": "5",
            "EventBusName": "another",
            "SweepSchedule": "",
            "WatchLatest": "true",
            "StateEvents": "true",
            "SweepOnDeploy": "false",
            "FunctionNamePrefix": "acme-",
            "RolePath": "/updaters/",
        },
    ],
)
def test_every_resource_is_the_template_s_whatever_the_parameters(parameters):
    assert without_code(expanded()) == without_code(Stack(**parameters).template)


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


def test_the_file_says_the_same_every_time():
    assert written() == written()
    assert yaml_parse(written()) == expanded()


def test_the_file_can_be_passed_without_a_bucket():
    assert len(written().encode()) <= INLINE_BYTES


def test_the_documentation_names_its_parameters():
    configuration = (PROJECT / "docs/configuration.md").read_text()
    for name in ("CodeBucket", "CodeKey"):
        assert f"| `{name}`" in configuration or f"`, `{name}`" in configuration, name
