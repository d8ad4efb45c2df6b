"""The tiny controller as a bundle, its C behind its supervisor, and topics for it."""

import pytest

from ltc_edge.deploy.ros.interfaces import find_type
from ltc_edge.deploy.ros.mapping import default_mapping
from ltc_edge.deploy.ros.opened import open_subject


@pytest.fixture(scope="session")
def subject(unverified_bundle):
    return open_subject(unverified_bundle("onnx", "c-float32"), None, None)


@pytest.fixture(scope="session")
def supervised(subject):
    """Compiled once; a test that steps it begins with ``start()``."""
    return subject.supervised(trust_c=False)


@pytest.fixture
def mapping():
    """Readings are joints' positions in /states, the action goes to /lag/commands."""
    states, commands = find_type("JointState"), find_type("Float64MultiArray")
    return default_mapping(("target", "level"), ("drive",), ("/states", states), ("/lag/commands", commands))
