"""`template.yaml` as plain CloudFormation, for those who deploy a release: no transform, and the code is in
a bucket instead of being built."""

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
        "Description": "The bucket, in this Region, with the function's code.",
    },
    "CodeKey": {
        "Type": "String",
        "MinLength": 1,
        "MaxLength": 1024,
        "Description": (
            "The key of the zip in CodeBucket, which has to be the one for Architecture. A new release "
            "needs a new key: CloudFormation does not look at what is behind one that stays the same."
        ),
    },
}


class NoManagedPolicies:
    """Makes the translator fail if it looks for a managed policy: the template names none."""

    def load(self):
        raise AssertionError("the translator adds a managed policy")


class Dumper(yaml.SafeDumper):
    """Writes everything out: CloudFormation does not accept every kind of YAML alias."""

    def ignore_aliases(self, data):
        return True


def text(dumper, value):
    """Several lines as several lines."""
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, text)


def expanded():
    """The template, as data."""
    template = copy.deepcopy(yaml_parse(TEMPLATE.read_text()))
    # For `sam publish`, which this is not for.
    del template["Metadata"]["AWS::ServerlessRepo::Application"]
    template["Parameters"] |= CODE
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    interface["ParameterGroups"].insert(0, {"Label": {"default": "The code"}, "Parameters": list(CODE)})
    code = {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code
    # The translator copies the function's Metadata to what it makes of the function's parts, how it is
    # built and which checks it skips among it.
    for resource in template["Resources"].values():
        resource.pop("Metadata", None)
    defaults = {name: p.get("Default", name) for name, p in template["Parameters"].items()}
    # Where the translator needs a parameter's value it takes the one given here: that must not become
    # part of a template in which the value is still to be chosen, and test_release.py sees to it.
    result = transform(template, {name: str(value) for name, value in defaults.items()}, NoManagedPolicies())
    result.pop("Transform", None)
    for resource in result["Resources"].values():
        resource.pop("Metadata", None)
    return plain(result)


def plain(value):
    """The same in dicts and lists alone."""
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def written():
    """The template, as a file."""
    header = "# Made of template.yaml by .ci/release.\n"
    return header + yaml.dump(
        expanded(), Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written())
