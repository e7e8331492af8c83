"""Writes the function's software bill of materials in CycloneDX's format: every crate, its license and checksum,
and its dependencies.

The same source gives the same file, byte for byte: everything comes from cargo, for this package's features
alone, without paths of this machine, a serial number, or a time.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = "connector-updater"
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]


def cargo(*arguments):
    """The output of a cargo command."""
    return subprocess.run(
        ["cargo", *arguments, "--locked"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout


def tree(edges):
    """Each crate that the given kinds of dependencies lead to, with its own dependencies."""
    targets = [word for target in TARGETS for word in ("--target", target)]
    lines = cargo(
        "tree", "--package", PACKAGE, "--edges", edges, *targets, "--no-dedupe",
        "--prefix", "depth", "--format", " {p}",
    ).splitlines()
    needs, path = {}, []
    for line in filter(None, lines):
        depth, name, version, *_ = line.split()
        crate = (name, version.removeprefix("v"))
        needs.setdefault(crate, set())
        path[int(depth):] = [crate]
        if len(path) > 1:
            needs[path[-2]].add(crate)
    return needs


def reference(crate):
    """A crate's package URL."""
    name, version = crate
    return f"pkg:cargo/{name}@{version}"


def component(crate, metadata, checksums, linked):
    """A crate as a CycloneDX component."""
    package = metadata[crate]
    result = {
        "type": "application" if crate[0] == PACKAGE else "library",
        "bom-ref": reference(crate),
        "name": crate[0],
        "version": crate[1],
        "description": package["description"],
        # CycloneDX's scope for crates that only run during the build.
        "scope": "required" if crate in linked else "excluded",
        "hashes": [{"alg": "SHA-256", "content": checksums[crate]}] if crate in checksums else None,
        "licenses": [{"expression": package["license"].replace("/", " OR ")}] if package["license"] else None,
        "purl": reference(crate),
        "externalReferences": (
            [{"type": "vcs", "url": package["repository"]}] if package["repository"] else None
        ),
    }
    return {name: value for name, value in result.items() if value is not None}


def bom():
    """The whole document, without a time or a random number, so that the same source gives the same file."""
    metadata = {
        (package["name"], package["version"]): package
        for package in json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    }
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in tomllib.loads((PROJECT / "Cargo.lock").read_text())["package"]
        if "checksum" in package
    }
    needs = tree("normal,build")
    linked = tree("normal,no-proc-macro")
    crates = sorted(needs)
    components = {crate: component(crate, metadata, checksums, linked) for crate in crates}
    [own] = [crate for crate in crates if crate[0] == PACKAGE]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": components.pop(own)},
        "components": list(components.values()),
        "dependencies": [
            {"ref": reference(crate), "dependsOn": sorted(map(reference, needs[crate]))}
            for crate in crates
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(bom(), indent=2, ensure_ascii=False) + "\n")
