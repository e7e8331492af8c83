"""The function's settings, the parameters, and how the function is built and deployed."""

import re
import tomllib

import pytest

from stack import CONTRACT, PROJECT, Stack, source


def variables(**parameters):
    return Stack(**parameters)["Updater"]["Environment"]["Variables"]


def test_the_environment_is_what_the_code_and_the_sdk_read():
    # Lambda sets its two variables from the function's LoggingConfig.
    read = {name for name in CONTRACT["variables"] if not name.startswith("AWS_LAMBDA_")}
    endpoints = {"AWS_ENDPOINT_URL_APPFLOW", "AWS_ENDPOINT_URL_LAMBDA"}
    assert endpoints <= set(CONTRACT["endpoints"])
    assert variables().keys() == read | endpoints


def test_the_parameters_reach_the_code():
    default = variables()
    for service in ("APPFLOW", "LAMBDA"):
        assert default[f"AWS_ENDPOINT_URL_{service}"] == "", "blank is AWS's own endpoint"
    given = variables(
        ConnectorLabels="acme-crm,acme-erp",
        FunctionNamePrefix="acme-",
        RegisterAs="version",
        UpdateDescription="at {version}",
        GrantInvoke="true",
        DryRun="true",
        AppFlowEndpoint="https://appflow.example",
        LambdaEndpoint="https://lambda.example",
    )
    assert given == {
        "CONNECTOR_LABELS": "acme-crm,acme-erp",
        "FUNCTION_NAME_PREFIX": "acme-",
        "REGISTER_AS": "version",
        "UPDATE_DESCRIPTION": "at {version}",
        "GRANT_INVOKE": "true",
        "DRY_RUN": "true",
        "AWS_ENDPOINT_URL_APPFLOW": "https://appflow.example",
        "AWS_ENDPOINT_URL_LAMBDA": "https://lambda.example",
    }
    assert Stack(LogLevel="WARN")["Updater"]["LoggingConfig"]["ApplicationLogLevel"] == "WARN"


@pytest.mark.parametrize("text", CONTRACT["descriptions"])
def test_the_template_rejects_the_descriptions_that_the_code_rejects(text):
    pattern = source()["Parameters"]["UpdateDescription"]["AllowedPattern"]
    # CloudFormation matches the whole value.
    assert bool(re.fullmatch(pattern, text)) == CONTRACT["descriptions"][text]


@pytest.mark.parametrize(("reserve", "expected"), [("none", None), ("1", "1"), ("25", "25")])
def test_no_concurrency_is_reserved_by_default(reserve, expected):
    function = Stack(ReservedConcurrency=reserve)["Updater"]
    assert function.get("ReservedConcurrentExecutions") == expected
    assert "ReservedConcurrentExecutions" not in Stack()["Updater"]


def test_names_and_versions_are_the_package_s():
    cargo = tomllib.loads((PROJECT / "Cargo.toml").read_text())
    template = source()
    updater = template["Resources"]["Updater"]
    assert updater["Metadata"]["BuildMethod"] == "rust-cargolambda"
    assert updater["Metadata"]["BuildProperties"]["Binary"] == cargo["package"]["name"]
    application = template["Metadata"]["AWS::ServerlessRepo::Application"]
    assert application["Name"] == cargo["package"]["name"]
    assert application["SemanticVersion"] == cargo["workspace"]["package"]["version"]
    assert application["SpdxLicenseId"] == cargo["workspace"]["package"]["license"]


@pytest.mark.parametrize("path", ["template.yaml", "forwarding.yaml"])
def test_every_parameter_is_described_and_grouped(path):
    template = source(path)
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name


def test_every_parameter_has_a_row_in_the_configuration_page():
    page = (PROJECT / "docs" / "configuration.md").read_text()
    for name in source()["Parameters"]:
        assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", page, re.MULTILINE), name


def test_what_is_built_for_arm64_is_deployed_on_arm64():
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text())
    assert Stack()["Updater"]["Architectures"] == ["x86_64"]
    assert Stack(Architecture="arm64")["Updater"]["Architectures"] == ["arm64"]
    for command in ("build", "deploy", "local_invoke"):
        default = dict(config["default"][command]["parameters"])
        arm64 = dict(config["arm64"][command]["parameters"])
        overrides = default.pop("parameter_overrides", "").split() + ["Architecture=arm64"]
        assert arm64.pop("parameter_overrides").split() == overrides
        # Everything else is the same for both architectures.
        assert arm64 == default
    assert config["arm64"]["global"] == config["default"]["global"]


def test_sam_builds_for_x86_64_on_every_machine():
    # SAM passes cargo-lambda no option for x86_64: without this it would build for its own machine.
    cargo = tomllib.loads((PROJECT / "Cargo.toml").read_text())
    assert cargo["package"]["metadata"]["lambda"]["build"] == {"x86_64": True}


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{n}.md" for n in ("accounts-and-regions", "configuration", "runbook"))]
)
def test_every_section_that_builds_or_deploys_covers_arm64(page):
    text = (PROJECT / page).read_text()
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE):
        # Commands to run, not commands that the text only mentions.
        if re.search(r"^ *sam (build|deploy)\b|`sam deploy --|run `sam build`", section, re.MULTILINE):
            assert "--config-env arm64" in section, section.splitlines()[0]
