"""Checks a bootstrap, or the one in a zip, for regressions: its size, a second cryptography library, entropy
from the CPU's jitter, which slows down the first handshake, and a C library newer than Lambda's."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from package import unpacked

MEGABYTE = 1_000_000
BYTES = 5.6 * MEGABYTE
ZIPPED = 2.6 * MEGABYTE
# Strings in every binary that links AWS-LC, and with it the jitter entropy.
FOREIGN = [b"aws-lc-rs", b"aws-lc-sys", b"AWS-LC", b"jitterentropy"]
# The expected cryptography library. If its name is missing, the search for FOREIGN proves nothing.
OWN = b"ring-0."
# The version of Amazon Linux 2023's C library.
GLIBC = (2, 34)


def too_new(versions):
    """The C library's symbol versions that Amazon Linux 2023 lacks. Versions without a number are among them:
    ABI_DT_RELR is newer, and GLIBC_PRIVATE is not for programs."""
    return sorted(
        version
        for version in versions
        if not version[0].isdigit() or tuple(map(int, version.split("."))) > GLIBC
    )


def check(bootstrap):
    """Yields what is wrong with a bootstrap."""
    content = Path(bootstrap).read_bytes()
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bootstrap", content)
    zipped = len(package.getvalue())
    symbols = subprocess.run(
        ["readelf", "--version-info", "--wide", bootstrap], capture_output=True, text=True, check=True
    ).stdout
    versions = set(re.findall(r"\bGLIBC_([\w.]+)", symbols))
    print(
        f"{len(content)} bytes of {BYTES:.0f}, zipped {zipped} of {ZIPPED:.0f}, GLIBC "
        + " ".join(sorted(versions))
    )
    if len(content) > BYTES:
        yield "the bootstrap is over its budget"
    if zipped > ZIPPED:
        yield "the zipped bootstrap is over its budget"
    for text in FOREIGN:
        if text in content:
            yield f"the bootstrap contains {text.decode()}"
    if OWN not in content:
        yield f"the bootstrap does not contain {OWN.decode()}, so its cryptography library is unknown"
    if not versions:
        yield "the bootstrap names no version of the C library, so the version that it needs is unknown"
    for version in too_new(versions):
        yield f"the bootstrap needs GLIBC_{version}, which Amazon Linux 2023 does not have"


if __name__ == "__main__":
    wrong = []
    for path in sys.argv[1:]:
        with unpacked(path) as bootstrap:
            wrong += [f"{path}: {line}" for line in check(bootstrap)]
    if wrong:
        sys.exit("\n".join(wrong))
