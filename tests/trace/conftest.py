"""The random programs of tests/process are for traces too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "process"))
