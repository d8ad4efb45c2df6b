"""The assurance's own modules, which are no part of the package, and whether a tool is here."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))


@pytest.fixture(scope="session")
def installed():
    """Skips where a tool is missing."""

    def check(*tools):
        for tool in tools:
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")

    return check
