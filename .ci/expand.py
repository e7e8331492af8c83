"""Expands `template.yaml` to plain CloudFormation for releases: without the transform, and with the code in an
S3 bucket instead of a build."""

import copy
import sys
from pathlib import Path

import yaml

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
CODE = {
    "CodeBucket": {
        "Type": "String",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        "ConstraintDescription": "must be the name of a bucket",
        "Description": "The S3 bucket, in this Region, that contains the function's code.",
    },
    "CodeKey": {
        "Type": "String",
        "MinLength": 1,
        "MaxLength": 1024,
        "Description": (
            "The key of the zip in CodeBucket. The zip must be the one for Architecture. A new release "
            "needs a new key: CloudFormation does not detect new content under the same key."
        ),
    },
}


class NoManagedPolicies:
    """Makes the translator fail if it looks up a managed policy: the template names none."""

    def load(self):
        raise AssertionError("the translator adds a managed policy")


class Dumper(yaml.SafeDumper):
    """Writes no YAML aliases: CloudFormation does not accept every kind of them."""

    def ignore_aliases(self, data):
        return True


def text(dumper, value):
    """Writes a text of several lines as a block."""
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, text)


def expanded():
    """The expanded template, as data."""
    template = copy.deepcopy(yaml_parse(TEMPLATE.read_text()))
    # Only `sam publish` needs it.
    del template["Metadata"]["AWS::ServerlessRepo::Application"]
    template["Parameters"] |= CODE
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    interface["ParameterGroups"].insert(0, {"Label": {"default": "The code"}, "Parameters": list(CODE)})
    code = {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code
    # The translator copies the function's Metadata, such as its build method and the checks to skip, to
    # every resource that it generates for the function.
    for resource in template["Resources"].values():
        resource.pop("Metadata", None)
    defaults = {name: p.get("Default", name) for name, p in template["Parameters"].items()}
    # The translator resolves some parameters with the values given here. None of these values must end up
    # in the expanded template, whose parameters are chosen later: test_release.py checks that.
    result = transform(template, {name: str(value) for name, value in defaults.items()}, NoManagedPolicies())
    result.pop("Transform", None)
    for resource in result["Resources"].values():
        resource.pop("Metadata", None)
    return plain(result)


def plain(value):
    """The same data in plain dicts and lists."""
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def written():
    """The expanded template, as YAML."""
    header = "# Made of template.yaml by .ci/release.\n"
    return header + yaml.dump(
        expanded(), Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written())
