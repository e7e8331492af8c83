"""Writes the pages that a release has for operators, as files that need nothing else of the source: the runbook, whose
entries the alarms name, and the settings, which the runbook says to change."""

import os
import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGES = ("docs/runbook.md", "docs/configuration.md")
# A link to another file of the project, and the part of that file.
LINK = re.compile(r"\[([^\]]+)\]\((?!#|https?:)([^)#]+)(#[^)]*)?\)")
NOTE = """
This is `{page}` of connector-updater {version}. The files named in parentheses are in the source of that release.
"""


def standalone(page):
    """The page, with links to the other of these pages, and the paths of other files instead of links to them."""

    def place(link):
        path = os.path.normpath(os.path.join(os.path.dirname(page), link[2]))
        if path in PAGES:
            return f"[{link[1]}]({os.path.basename(path)}{link[3] or ''})"
        return f"{link[1]} (`{path}`)"

    cargo = tomllib.loads((PROJECT / "Cargo.toml").read_text())
    title, rest = LINK.sub(place, (PROJECT / page).read_text()).split("\n", 1)
    note = NOTE.format(page=page, version=cargo["workspace"]["package"]["version"])
    return f"{title}\n{note}{rest}"


if __name__ == "__main__":
    for page in PAGES:
        (Path(sys.argv[1]) / os.path.basename(page)).write_text(standalone(page))
