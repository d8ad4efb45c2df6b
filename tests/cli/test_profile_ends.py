"""How `ltc-edge profile` ends, and where it writes nothing."""

import os
import signal

import pytest

from ltc_edge.cli.main import main


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return unverified_bundle("c-float32")


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
