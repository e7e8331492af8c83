"""What must not creep back into the bootstrap that `sam build` has made: bytes, a second cryptography
library, a way to gather entropy that costs the first call dear."""

import io
import sys
import zipfile
from pathlib import Path

MEGABYTE = 1_000_000
BYTES = 5 * MEGABYTE
ZIPPED = 2.2 * MEGABYTE
# Texts that AWS-LC, and so its jitter entropy, cannot be linked in without.
FOREIGN = [b"aws-lc-rs", b"aws-lc-sys", b"AWS-LC", b"jitterentropy"]
# That a text of this kind would be seen: the cryptography that has to be there instead.
OWN = b"ring-0."


def main(bootstrap):
    content = Path(bootstrap).read_bytes()
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bootstrap", content)
    zipped = len(package.getvalue())
    print(f"{len(content)} bytes of {BYTES}, zipped {zipped} of {ZIPPED:.0f}")
    wrong = []
    if len(content) > BYTES:
        wrong.append("the bootstrap is over its budget")
    if zipped > ZIPPED:
        wrong.append("the zipped bootstrap is over its budget")
    wrong += [f"{text.decode()} is in it" for text in FOREIGN if text in content]
    if OWN not in content:
        wrong.append(f"{OWN.decode()} is not in it, so nothing is known about its cryptography")
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1])
