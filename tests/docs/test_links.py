"""Every link in Markdown, and every page and sample that any file names, exists.

Web addresses are checked for their form only, not opened."""

import posixpath
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

PROJECT = Path(__file__).parents[2]
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=PROJECT, check=True, capture_output=True, text=True,
).stdout.split()
FOLDERS = {posixpath.dirname(file) for file in FILES}
PAGES = [file for file in FILES if file.endswith(".md")]

# Pages of the project on GitHub, as files at its root link to them. A workflow's page must have its file.
ON_GITHUB = re.compile(
    r"\.\./\.\./(?:actions/(workflows/[\w-]+\.yml)(?:/badge\.svg)?|compare/\S+\.\.\.\S+|releases/tag/v[\d.]+)"
)
# A page or a sample event, as comments, messages, and templates name it.
NAMED = re.compile(r"(?<![\w./-])(?:docs|events)/[\w-]+\.(?:md|json|svg)\b(?:#[\w-]+)?")


@cache
def tokens(page):
    """The blocks of a page and the parts of their text, as GitHub parses them."""
    blocks = MarkdownIt("commonmark").enable("table").parse((PROJECT / page).read_text())
    return [part for block in blocks for part in (block, *(block.children or ()))]


@cache
def anchors(page):
    """The anchors that GitHub generates for a page's headings, and those in its HTML."""
    found = set()
    parts = tokens(page)
    for heading, inline in zip(parts, parts[1:]):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))
            # An anchor consists of the heading's words, and a number if an earlier heading has the same ones.
            name = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
            number = 0
            while (anchor := f"{name}-{number}" if number else name) in found:
                number += 1
            found.add(anchor)
        elif heading.type.startswith("html"):
            found.update(re.findall(r'\b(?:id|name)="([^"]+)"', heading.content))
    return found


def links(page):
    """The targets of a page's links and pictures."""
    for part in tokens(page):
        if part.type == "link_open":
            yield part.attrs["href"]
        elif part.type == "image":
            yield part.attrs["src"]
        elif part.type.startswith("html"):
            yield from re.findall(r'\b(?:href|src|srcset)="([^"]+)"', part.content)


def wrong(page, link):
    """What is wrong with a page's link, or None."""
    address = urlsplit(link)
    if address.scheme:
        web = address.scheme == "https" and "." in address.netloc and not re.search(r"\s|\.$", link)
        return None if web else "not a web address"
    if on_github := ON_GITHUB.fullmatch(link):
        workflow = on_github[1]
        return None if not workflow or f".github/{workflow}" in FILES else "no such workflow"
    path = posixpath.join(posixpath.dirname(page), unquote(address.path)) if address.path else page
    path = posixpath.normpath(path)
    if path not in FILES and path not in FOLDERS:
        return "no such file"
    if address.fragment and (path not in PAGES or address.fragment not in anchors(path)):
        return "no such heading"
    return None


@pytest.mark.parametrize("page", PAGES)
def test_every_link_in_a_page_has_a_target(page):
    found = [f"{link}: {why}" for link in links(page) if (why := wrong(page, link))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_no_link_has_broken_syntax(page):
    texts = [part.content for part in tokens(page) if part.type == "text"]
    found = [text for text in texts if re.search(r"\]\(|\]\[|^\[[^\]]+\]:", text)]
    assert not found, "\n".join(found)


def test_every_page_and_sample_that_a_file_names_exists():
    found = []
    for file in FILES:
        if file.endswith((".md", ".svg", ".lock")):
            continue
        for named in NAMED.findall((PROJECT / file).read_text(errors="replace")):
            if why := wrong("README.md", named):
                found.append(f"{file}: {named}: {why}")
    assert not found, "\n".join(found)


def test_anchors_are_those_that_github_generates(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b-c`: d & e_f?\n\n## Sweep\n\n## Sweep\n\n<a id=\"own\"></a>\n")
    assert anchors(page) == {"a-b-c-d--e_f", "sweep", "sweep-1", "own"}
