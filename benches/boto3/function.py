"""The updater's main job in Python, one call after another: a peer to be measured against, not to be
deployed. Its clients are made once, as the start of the process, which is how it is fastest."""

import time

import boto3

appflow = boto3.client("appflow")
functions = boto3.client("lambda")


def handler(event, _context):
    # A sweep has none, and is about every function.
    response = event.get("detail", {}).get("responseElements", {})
    deployed = function_of(response["functionArn"]) if response else None
    updated = 0
    for label in labels():
        description = appflow.describe_connector(
            connectorType="CustomConnector", connectorLabel=label
        )
        configuration = description["connectorConfiguration"]
        arn = configuration["connectorProvisioningConfig"]["lambda"]["lambdaArn"]
        if deployed and deployed != function_of(arn):
            continue
        wait_until_ready(arn)
        appflow.update_connector_registration(
            connectorLabel=label,
            connectorProvisioningConfig={"lambda": {"lambdaArn": arn}},
        )
        updated += 1
    return {"updated": updated}


def function_of(arn):
    return ":".join(arn.split(":")[:7])


def labels():
    page = {}
    while True:
        page = appflow.list_connectors(
            maxResults=100,
            **({"nextToken": page["nextToken"]} if page.get("nextToken") else {}),
        )
        for connector in page["connectors"]:
            if connector.get("connectorProvisioningType", "").upper() == "LAMBDA":
                yield connector["connectorLabel"]
        if not page.get("nextToken"):
            return


def wait_until_ready(arn):
    while True:
        function = functions.get_function_configuration(FunctionName=arn)
        if function["State"] == "Active" and function.get("LastUpdateStatus") != "InProgress":
            return
        time.sleep(1)
