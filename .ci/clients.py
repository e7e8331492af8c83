"""Checks `cargo local serve` with boto3: it registers, lists, describes, updates, and unregisters a connector,
gets the errors of the API reference for bad input, and finds a deployment followed by the updater."""

import io
import json
import time
import zipfile

from botocore.exceptions import ClientError

from local import client, expect, held, serving

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:acme-crm-connector"


def refused(call, code, status, **parameters):
    """Checks that the call fails with this error."""
    try:
        call(**parameters)
    except ClientError as error:
        expect(error.response["Error"]["Code"], code, f"{call.__name__} {parameters}")
        expect(error.response["ResponseMetadata"]["HTTPStatusCode"], status, code)
        return
    raise SystemExit(f"{call.__name__} {parameters} was not refused")


with serving() as endpoint:
    appflow = client("appflow", endpoint)
    # The server is what is tested, so boto3 does not validate requests itself.
    appflow.meta.config.parameter_validation = False
    provisioning = {"lambda": {"lambdaArn": FUNCTION}}
    registered = appflow.register_connector(
        connectorLabel="boto",
        connectorProvisioningType="LAMBDA",
        connectorProvisioningConfig=provisioning,
        description="From boto3",
    )
    arn = "arn:aws:appflow:us-east-1:123456789012:connector/boto"
    expect(registered["connectorArn"], arn, "RegisterConnector")

    labels, token = [], {}
    while True:
        page = appflow.list_connectors(maxResults=2, **token)
        labels += [item["connectorLabel"] for item in page["connectors"] if "connectorLabel" in item]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    expect(labels, ["acme-crm", "acme-crm-live", "acme-crm-pinned", "boto"], "ListConnectors")

    expect(held(appflow, "boto"), ("1.7", FUNCTION), "DescribeConnector")
    updated = appflow.update_connector_registration(
        connectorLabel="boto", connectorProvisioningConfig=provisioning, clientToken="once"
    )
    expect(updated["connectorArn"], arn, "UpdateConnectorRegistration")

    update = appflow.update_connector_registration
    refused(update, "ValidationException", 400, connectorLabel="not a label")
    refused(update, "ValidationException", 400, connectorLabel="boto", description="a: b")
    refused(update, "ValidationException", 400, connectorLabel="boto", clientToken="t" * 257)
    refused(update, "ResourceNotFoundException", 404, connectorLabel="unknown")
    refused(update, "ConflictException", 409, connectorLabel="boto", clientToken="once")
    other = {"lambda": {"lambdaArn": FUNCTION + ":7"}}
    refused(
        update, "AccessDeniedException", 403, connectorLabel="boto", connectorProvisioningConfig=other
    )
    refused(appflow.list_connectors, "ValidationException", 400, maxResults=101)

    appflow.unregister_connector(connectorLabel="boto")
    refused(appflow.unregister_connector, "ResourceNotFoundException", 404, connectorLabel="boto")

    # A deployment's event reaches the updater without an invocation from here.
    functions = client("lambda", endpoint)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("connector.json", json.dumps({"connectorVersion": "2.0"}))
    functions.update_function_code(
        FunctionName="acme-crm-connector", ZipFile=package.getvalue(), Publish=True
    )
    for _ in range(100):
        if held(appflow, "acme-crm")[0] == "2.0" and held(appflow, "acme-crm-pinned")[0] == "2.0":
            break
        time.sleep(0.1)
    expect(held(appflow, "acme-crm"), ("2.0", FUNCTION), "after a deployment")
    expect(held(appflow, "acme-crm-pinned"), ("2.0", FUNCTION + ":8"), "after a deployment")

    invoked = functions.invoke(FunctionName="connector-updater", Payload=b'{"sweep": {"dryRun": true}}')
    answer = json.load(invoked["Payload"])
    expect({item["outcome"] for item in answer["connectors"]}, {"planned"}, "a sweep by hand")
print("boto3 gets the documented responses and errors from cargo local serve")
