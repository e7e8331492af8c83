"""What must not creep back into a bootstrap, or into the one in a zip: bytes, a second cryptography library, a
way to gather entropy that costs the first call dear, a C library that Lambda does not have."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from package import unpacked

MEGABYTE = 1_000_000
BYTES = 5 * MEGABYTE
ZIPPED = 2.2 * MEGABYTE
# Texts that AWS-LC, and so its jitter entropy, cannot be linked in without.
FOREIGN = [b"aws-lc-rs", b"aws-lc-sys", b"AWS-LC", b"jitterentropy"]
# That a text of this kind would be seen: the cryptography that has to be there instead.
OWN = b"ring-0."
# Amazon Linux 2023's C library.
GLIBC = (2, 34)


def too_new(versions):
    """Those of the C library's symbol versions that Amazon Linux 2023 lacks. What has no number, such as
    ABI_DT_RELR, is newer or nobody's to link."""
    return sorted(
        version
        for version in versions
        if not version[0].isdigit() or tuple(map(int, version.split("."))) > GLIBC
    )


def check(bootstrap):
    """What is wrong with a bootstrap."""
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
        f"{len(content)} bytes of {BYTES}, zipped {zipped} of {ZIPPED:.0f}, GLIBC "
        + " ".join(sorted(versions))
    )
    if len(content) > BYTES:
        yield "the bootstrap is over its budget"
    if zipped > ZIPPED:
        yield "the zipped bootstrap is over its budget"
    for text in FOREIGN:
        if text in content:
            yield f"{text.decode()} is in it"
    if OWN not in content:
        yield f"{OWN.decode()} is not in it, so nothing is known about its cryptography"
    if not versions:
        yield "it names no version of the C library, so nothing is known about what it needs"
    for version in too_new(versions):
        yield f"it needs GLIBC_{version}, which Amazon Linux 2023 does not have"


if __name__ == "__main__":
    wrong = []
    for path in sys.argv[1:]:
        with unpacked(path) as bootstrap:
            wrong += [f"{path}: {line}" for line in check(bootstrap)]
    if wrong:
        sys.exit("\n".join(wrong))
