"""A template as CloudFormation would deploy it: expanded by AWS's SAM translator, with its functions resolved for
the given parameters. What CloudFormation would reject is an error here too."""

import copy
import json
import os
import re
import sys
from functools import cache
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / ".ci"))

from expand import NoManagedPolicies

CONTRACT = json.loads((PROJECT / "tests/contract.json").read_text())
SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in (PROJECT / "events").glob("*.json")
}

ACCOUNT = "123456789012"
REGION = "us-east-1"
UUID = "0f3c9a52-7d1e-4b8a-9c46-2e5d8f1a7b30"

NO_VALUE = object()


@cache
def source(path="template.yaml"):
    """A template as in the source, with CloudFormation's functions in their long form."""
    return yaml_parse((PROJECT / path).read_text())


def expand(path, parameters):
    """A template with its transform applied."""
    template = copy.deepcopy(source(path))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # `sam package` writes such an address.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return transform(template, dict(parameters), NoManagedPolicies())


class Stack:
    """A stack of a template with the given parameters, and defaults for the others."""

    def __init__(self, path="template.yaml", name="connector-updater", uuid=UUID, **parameters):
        declared = source(path)["Parameters"]
        unknown = parameters.keys() - declared.keys()
        assert not unknown, f"{path} has no parameters {unknown}"
        self.name = name
        self.values = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{uuid}",
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        given = {}
        for parameter, declaration in declared.items():
            text = str(parameters.get(parameter, declaration.get("Default")))
            is_list = declaration["Type"] == "CommaDelimitedList"
            items = text.split(",") if is_list else [text]
            for item in items:
                allowed = [str(value) for value in declaration.get("AllowedValues", [item])]
                pattern = declaration.get("AllowedPattern", ".*")
                assert item in allowed and re.fullmatch(pattern, item), f"{parameter}: {item}"
            given[parameter] = text
            self.values[parameter] = items if is_list else text
        self.template = expand(path, given)
        self.resources = {
            logical_id: self.resolve(resource)
            for logical_id, resource in self.template["Resources"].items()
            if self.exists(logical_id)
        }

    def exists(self, logical_id):
        """Whether a resource is created under the stack's conditions."""
        resource = self.template["Resources"].get(logical_id)
        assert resource, f"there is no resource {logical_id}"
        return "Condition" not in resource or self.condition(resource["Condition"])

    def condition(self, name):
        """Whether a condition is true."""
        return self.resolve(self.template["Conditions"][name])

    def of_type(self, kind):
        """The properties of each resource of a type, by logical id."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def __getitem__(self, logical_id):
        return self.resources[logical_id]["Properties"]

    # Functions

    def resolve(self, value):
        """A value with its functions resolved."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            # In a policy, `Condition` is a member like any other.
            if function == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if function == "Ref" or function.startswith("Fn::"):
                return getattr(self, "fn_" + function.removeprefix("Fn::").lower())(argument)
        members = {name: self.resolve(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not NO_VALUE}

    def fn_ref(self, name):
        return self.values[name] if name in self.values else self.attribute(name, "Ref")

    def fn_getatt(self, argument):
        logical_id, attribute = argument.split(".") if isinstance(argument, str) else argument
        return self.attribute(logical_id, attribute)

    def fn_if(self, argument):
        condition, then, otherwise = argument
        return self.resolve(then if self.condition(condition) else otherwise)

    def fn_equals(self, argument):
        left, right = self.resolve(argument)
        return left == right

    def fn_not(self, argument):
        [value] = self.resolve(argument)
        return not value

    def fn_and(self, argument):
        return all(self.resolve(argument))

    def fn_join(self, argument):
        # CloudFormation accepts no function as the delimiter.
        delimiter, items = argument[0], self.resolve(argument[1])
        assert isinstance(delimiter, str)
        return delimiter.join(items)

    def fn_split(self, argument):
        delimiter, text = argument[0], self.resolve(argument[1])
        assert text, "the result of splitting an empty string is undocumented"
        return text.split(delimiter)

    def fn_select(self, argument):
        index, items = int(argument[0]), self.resolve(argument[1])
        assert 0 <= index < len(items), f"{index} of {items}"
        return items[index]

    def fn_sub(self, argument):
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(match):
            name = match.group(1)
            if name in own:
                return self.resolve(own[name])
            return self.fn_getatt(name) if "." in name else self.fn_ref(name)

        return re.sub(r"\$\{([^!}]+)\}", value, text)

    # References to resources

    def physical_name(self, logical_id):
        """A name like those that CloudFormation generates, which fit the limit of any resource."""
        return f"{self.name[:24]}-{logical_id[:24]}-1EXAMPLE2NAME"

    def attribute(self, logical_id, attribute):
        """The value of `Ref` or `Fn::GetAtt` for a resource."""
        assert self.exists(logical_id), f"{logical_id} is referred to but does not exist"
        resource = self.template["Resources"][logical_id]
        name = self.physical_name(logical_id)
        arns = {
            "AWS::Events::Rule": "events:{R}:{A}:rule/{bus}{name}",
            "AWS::IAM::Role": "iam::{A}:role{path}{name}",
            "AWS::Lambda::Function": "lambda:{R}:{A}:function:{name}",
            "AWS::Logs::LogGroup": "logs:{R}:{A}:log-group:{name}:*",
            "AWS::SNS::Topic": "sns:{R}:{A}:{name}",
            "AWS::SQS::Queue": "sqs:{R}:{A}:{name}",
        }
        properties = resource.get("Properties", {})
        bus = self.resolve(properties.get("EventBusName", "default"))
        arn = "arn:aws:" + arns[resource["Type"]].format(
            R=REGION,
            A=ACCOUNT,
            name=name,
            bus="" if bus == "default" else f"{bus}/",
            path=self.resolve(properties.get("Path", "/")),
        )
        values = {
            "Arn": arn,
            "QueueName": name,
            "Ref": {
                "AWS::SNS::Topic": arn,
                "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
            }.get(resource["Type"], name),
        }
        return values[attribute]


def statements(document):
    """The statements of a policy, with single values as lists."""
    assert document["Version"] == "2012-10-17"
    result = []
    for statement in document["Statement"]:
        statement = dict(statement)
        for member in ("Action", "Resource"):
            if not isinstance(statement[member], list):
                statement[member] = [statement[member]]
        result.append(statement)
    return result
