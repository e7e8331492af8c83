"""Runs `cargo local serve` for a check, and connects to it."""

import contextlib
import os
import re
import subprocess
import sys

import boto3

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
}


@contextlib.contextmanager
def serving(*arguments):
    """Runs a server with the sample connectors, and yields its endpoint."""
    arguments = arguments or ("--port", "0")
    server = subprocess.Popen(
        ["cargo", "local", "serve", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        for line in server.stdout:
            found = re.search(r"at (http://\S+),", line)
            if found:
                yield found.group(1)
                return
        sys.exit("cargo local serve ended before it printed its endpoint")
    finally:
        server.kill()
        server.wait()


def client(service, endpoint):
    """A client for a service at the endpoint."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=ENVIRONMENT["AWS_REGION"],
        aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    )


def held(appflow, label):
    """The connector version and the ARN that AppFlow has stored for a label."""
    configuration = appflow.describe_connector(
        connectorType="CustomConnector", connectorLabel=label
    )["connectorConfiguration"]
    arn = configuration["connectorProvisioningConfig"]["lambda"]["lambdaArn"]
    return configuration["connectorVersion"], arn


def expect(actual, expected, what):
    """Ends the check with a message if a value is not the expected one."""
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, got {actual!r}")


def root(*parts):
    """A path in the project."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *parts)
