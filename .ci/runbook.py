"""Writes `docs/runbook.md` as a standalone file for releases, because the alarms refer to its entries."""

import os
import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RUNBOOK = "docs/runbook.md"
# A link to another file of the project.
LINK = re.compile(r"\[([^\]]+)\]\((?!#|https?:)([^)#]+)(?:#[^)]*)?\)")
NOTE = """
This is `{runbook}` of connector-updater {version}. The files named in parentheses are in the source of that
release.
"""


def standalone():
    """The page, with the paths of other files instead of links to them."""

    def place(link):
        path = os.path.normpath(os.path.join(os.path.dirname(RUNBOOK), link[2]))
        return f"{link[1]} (`{path}`)"

    cargo = tomllib.loads((PROJECT / "Cargo.toml").read_text())
    title, rest = LINK.sub(place, (PROJECT / RUNBOOK).read_text()).split("\n", 1)
    note = NOTE.format(runbook=RUNBOOK, version=cargo["workspace"]["package"]["version"])
    return f"{title}\n{note}{rest}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(standalone())
