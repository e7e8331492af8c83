"""Runs the function with `cargo lambda watch` against `cargo local serve`, and invokes it with every sample
event by `cargo lambda invoke`."""

import glob
import json
import os
import socket
import subprocess
import sys
import time

from local import ENVIRONMENT, expect, root, serving

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = str(probe.getsockname()[1])

with serving() as endpoint:
    watch = subprocess.Popen(
        ["cargo", "lambda", "watch", "--package", "connector-updater", "--ignore-changes",
         "--invoke-port", PORT],
        cwd=root(),
        env=os.environ
        | ENVIRONMENT
        | {
            "AWS_ENDPOINT_URL_APPFLOW": endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": endpoint,
            "GRANT_INVOKE": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", int(PORT))).close()
                break
            except OSError:
                time.sleep(0.1)
        files = sorted(glob.glob(root("events", "*.json")))
        for file in files:
            # The first invocation builds the function.
            done = subprocess.run(
                ["cargo", "lambda", "invoke", "connector-updater", "--data-file", file,
                 "--invoke-port", PORT],
                cwd=root(), capture_output=True, text=True, timeout=900, check=False,
            )
            if done.returncode != 0:
                sys.exit(f"{file}: {done.stdout}{done.stderr}")
            answer = json.loads(done.stdout)
            expect("connectors" in answer or "ignored" in answer, True, f"{file}: {answer}")
    finally:
        os.killpg(watch.pid, 15)
        watch.wait()
print(f"{len(files)} events handled under cargo lambda watch")
