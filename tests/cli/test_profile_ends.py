"""How `ltc-edge profile` ends, and where it writes nothing."""

import os
import signal

import pytest

from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.cli.main import main
from ltc_edge.controller_file import save_controller


@pytest.fixture(scope="module")
def bundle(tiny_controller, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiled")
    save_controller(tiny_controller(), folder / "tiny.safetensors")
    options = ExportOptions(formats=("c-float32",), verify=False)
    export_bundle(read_subject(folder / "tiny.safetensors"), folder / "bundle", options)
    return folder / "bundle"


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP])
def number(request):
    """A signal that ends a process, also where the tests run under nohup."""
    before = signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    signal.signal(request.param, before)


def test_what_ends_it_counts_as_ctrl_c(bundle, tmp_path, monkeypatch, capsys, number):
    def profile(*_):
        (tmp_path / "reached").touch()
        os.kill(os.getpid(), number)

    monkeypatch.setattr("ltc_edge.profiling.profile.profile", profile)
    with pytest.raises(SystemExit) as ended:
        main(["profile", str(bundle)])
    assert (tmp_path / "reached").exists()
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == "Interrupted."
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("name", [".", "profile", "profile/a"])
def test_a_bundle_is_no_place_for_its_profile(bundle, capsys, name):
    before = sorted(bundle.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        main(["profile", str(bundle), "-o", str(bundle / name)])
    assert ended.value.code == 2
    assert "is in the bundle" in capsys.readouterr().err
    assert sorted(bundle.rglob("*")) == before
