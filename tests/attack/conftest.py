"""Attack tests import their own modules and share the fixtures of tests/conftest.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
