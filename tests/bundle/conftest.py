import pytest

from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.controller_file import save_controller
from ltc_edge.export.formats import FORMATS


@pytest.fixture(scope="session")
def exported(tiny_controller, tmp_path_factory):
    """A bundle in every ONNX format, exported once; copy it to change it."""
    folder = tmp_path_factory.mktemp("exported")
    save_controller(tiny_controller(), folder / "tiny.safetensors")
    formats = tuple(name for name, form in FORMATS.items() if form.runtime == "onnx")
    options = ExportOptions(formats=formats, verify=False)
    export_bundle(read_subject(folder / "tiny.safetensors"), folder / "bundle", options)
    return folder / "bundle"
