"""Invokes a bootstrap with every file in events/ under AWS's Runtime Interface Emulator, against `cargo local
serve`. The bootstrap is the one that `sam build` made, or the one in the zip that the argument names."""

import contextlib
import glob
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import samcli

from local import ENVIRONMENT, client, expect, held, root, serving
from package import unpacked

with open(root("tests", "contract.json"), encoding="utf-8") as contract:
    SAMPLES = json.load(contract)["samples"]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:acme-crm-connector"


def free_port():
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def emulating(endpoint, bootstrap):
    """Runs a bootstrap under the emulator, and yields the URL to invoke it at."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    emulator = os.path.join(
        os.path.dirname(samcli.__file__), "local", "rapid", f"aws-lambda-rie-{machine}"
    )
    os.chmod(emulator, 0o755)
    invoke, runtime = free_port(), free_port()
    process = subprocess.Popen(
        [
            emulator,
            "--runtime-interface-emulator-address", f"127.0.0.1:{invoke}",
            "--runtime-api-address", f"127.0.0.1:{runtime}",
            bootstrap,
        ],
        env=ENVIRONMENT
        | {
            "AWS_LAMBDA_FUNCTION_NAME": "connector-updater",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
            "AWS_ENDPOINT_URL_APPFLOW": endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": endpoint,
            "GRANT_INVOKE": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", invoke)):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{invoke}/2015-03-31/functions/function/invocations"
    finally:
        process.kill()
        process.wait()


with (
    unpacked(
        sys.argv[1] if sys.argv[1:] else root(".aws-sam", "build", "Updater", "bootstrap")
    ) as bootstrap,
    serving() as endpoint,
    emulating(endpoint, bootstrap) as address,
):
    files = sorted(glob.glob(root("events", "*.json")))
    for file in files:
        name = os.path.splitext(os.path.basename(file))[0]
        with open(file, "rb") as event:
            request = urllib.request.Request(address, data=event.read())
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        expect("errorType" in answer, False, f"{name}: {answer}")
        expect("ignored" in answer, SAMPLES[name] == "ignored", f"{name}: {answer}")
        print(f"  {name}: {answer.get('ignored') or [c['outcome'] for c in answer['connectors']]}")
    appflow = client("appflow", endpoint)
    expect(held(appflow, "acme-crm"), ("1.7", FUNCTION), "AppFlow after the events")
    expect(held(appflow, "acme-crm-pinned"), ("1.7", FUNCTION + ":7"), "AppFlow after the events")
    expect(held(appflow, "acme-crm-live"), ("1.7", FUNCTION + ":live"), "AppFlow after the events")
print(f"{len(files)} events handled under the Runtime Interface Emulator")
