"""Validates a CycloneDX file against the schema in the library that checkov depends on."""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(Path(sys.argv[1]).read_text())
if wrong:
    sys.exit(f"{sys.argv[1]}: {wrong}")
