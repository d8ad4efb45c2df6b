"""A bundle that is quick to make."""

import pytest

from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.controller_file import save_controller


@pytest.fixture(scope="session")
def bundle(tiny_controller, tmp_path_factory):
    """Two formats, unverified; copy it to change it."""
    folder = tmp_path_factory.mktemp("profiled")
    save_controller(tiny_controller(), folder / "tiny.safetensors")
    options = ExportOptions(formats=("onnx", "c-float32"), verify=False)
    export_bundle(read_subject(folder / "tiny.safetensors"), folder / "bundle", options)
    return folder / "bundle"
