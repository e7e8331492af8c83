"""A bootstrap as a zip for Lambda: the same bootstrap gives the same zip, byte for byte."""

import sys
import zipfile
from pathlib import Path


def package(bootstrap, target):
    """Writes the zip."""
    # The earliest time that a zip can hold.
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, or the mode would not count
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, Path(bootstrap).read_bytes(), compresslevel=9)


if __name__ == "__main__":
    package(sys.argv[1], sys.argv[2])
