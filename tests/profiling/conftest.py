"""A bundle that is quick to make."""

import pytest


@pytest.fixture(scope="session")
def bundle(unverified_bundle):
    """Two formats, unverified; copy it to change it."""
    return unverified_bundle("onnx", "c-float32")
