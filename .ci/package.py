"""Packages a bootstrap as a zip for Lambda: the same bootstrap gives the same zip, byte for byte."""

import contextlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path


def package(bootstrap, target):
    """Writes the zip."""
    # The earliest time that the zip format can store.
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, or the mode would not count
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, Path(bootstrap).read_bytes(), compresslevel=9)


@contextlib.contextmanager
def unpacked(path):
    """Yields the path of the bootstrap in a zip, as Lambda unpacks it, or a path that is not a zip's itself."""
    if Path(path).suffix != ".zip":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        [entry] = archive.infolist()
        if entry.filename != "bootstrap":
            sys.exit(f"{path} contains {entry.filename}, but Lambda looks for bootstrap")
        bootstrap = archive.extract(entry, folder)
        # Lambda applies the mode that the zip stores; Python's zipfile does not.
        os.chmod(bootstrap, entry.external_attr >> 16)
        yield bootstrap


if __name__ == "__main__":
    package(sys.argv[1], sys.argv[2])
