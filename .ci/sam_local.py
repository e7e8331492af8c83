"""Runs the built function in a container with `sam local invoke`, against `cargo local serve`, and checks that a
registration is updated.

If the base image cannot be pulled, an image with this machine's shell and C library replaces it; the emulator
is SAM's either way. Without a Docker engine the check prints that it did not run, and fails on GitHub, whose runners
have one.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

from local import client, expect, held, root, serving

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
# SAM's options for this machine's architecture.
OPTIONS = {"x86_64": [], "arm64": ["--config-env", "arm64"]}[ARCHITECTURE]
IMAGE = f"public.ecr.aws/lambda/provided:al2023-{ARCHITECTURE}"
# The image that SAM builds on it, with its emulator.
RAPID_IMAGE = f"public.ecr.aws/lambda/provided:al2023-rapid-{ARCHITECTURE}"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:acme-crm-connector"


def output(*command):
    """A command's output, or None if it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def make_stand_in():
    """Creates an image with the programs that SAM's build on top of it needs, and the function's libraries."""
    with tempfile.TemporaryDirectory() as folder:
        programs = [os.path.realpath(shutil.which(name)) for name in ("sh", "mv", "chmod")]
        files = {program: f"bin/{os.path.basename(shutil.which(name))}"
                 for program, name in zip(programs, ("sh", "mv", "chmod"))}
        libraries = set()
        for program in programs + [root(".aws-sam", "build", "Updater", "bootstrap")]:
            for word in output("ldd", program).split():
                if word.startswith("/"):
                    libraries.add(word)
        for library in libraries:
            files[os.path.realpath(library)] = library.lstrip("/")
        for source, target in files.items():
            target = os.path.join(folder, target)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)
        for name in ("tmp", "var/task", "var/runtime", "opt", "etc"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        archive = os.path.join(folder, "..", f"{os.path.basename(folder)}.tar")
        try:
            subprocess.run(["tar", "-C", folder, "-cf", archive, "."], check=True)
            changes = ["WORKDIR /var/task", "ENV PATH=/bin", "ENV LAMBDA_TASK_ROOT=/var/task"]
            arguments = [word for change in changes for word in ("--change", change)]
            subprocess.run(
                ["docker", "import", *arguments, archive, IMAGE],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        finally:
            os.remove(archive)


def invoke(environment):
    """Invokes the function in a container with the command of docs/development.md, and checks the registration
    before and after."""
    with serving("--for-containers") as endpoint:
        appflow = client("appflow", endpoint)
        expect(held(appflow, "acme-crm-live"), ("1.6", FUNCTION + ":live"), "AppFlow before it")
        invoked = subprocess.run(
            ["sam", "local", "invoke", *OPTIONS, "--event", "events/alias-moved.json"],
            cwd=root(), env=environment, capture_output=True, text=True, check=False,
        )
        if invoked.returncode != 0:
            sys.exit(f"sam local invoke failed:\n{invoked.stdout}\n{invoked.stderr}")
        answers = [line for line in invoked.stdout.splitlines() if line.startswith('{"eventId"')]
        expect(len(answers), 1, f"an answer in:\n{invoked.stdout}\n{invoked.stderr}")
        outcomes = {c["connectorLabel"]: c["outcome"] for c in json.loads(answers[0])["connectors"]}
        print(f"  in a container: {outcomes}")
        expect(outcomes["acme-crm-live"], "updated", "the answer")
        expect(held(appflow, "acme-crm-live"), ("1.7", FUNCTION + ":live"), "AppFlow after it")
    print("sam local invoke updated a registration")


def main():
    if output("docker", "info") is None:
        left_out = "NOT RUN: sam local invoke: no Docker engine is running"
        if os.environ.get("GITHUB_ACTIONS"):  # whose runners have one
            sys.exit(left_out)
        print(left_out)
        return
    pulled = output("docker", "image", "inspect", IMAGE) or output("docker", "pull", IMAGE)
    if pulled is not None:
        invoke(os.environ)
        return
    print("  the base image cannot be pulled: building one from this machine's libraries")
    make_stand_in()
    try:
        invoke(os.environ | {"SAM_SKIP_PULL_IMAGE": "true"})
    finally:
        # Later runs must not use it, or the image that SAM built on it, as the real one.
        output("docker", "image", "rm", "--force", RAPID_IMAGE, IMAGE)


main()
