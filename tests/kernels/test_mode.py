"""LTC_EDGE_KERNEL, and what a program says for a while."""

import contextlib

import numpy as np
import pytest

from ltc_edge.cli.main import main
from ltc_edge.errors import InputError, KernelError
from ltc_edge.kernels import library_file, mode


@pytest.fixture
def compiled(package, tiny_build):
    """The package with its library built in."""
    library_file.publish(tiny_build, package)


@pytest.fixture
def train(tmp_path, capfd):
    """Trains for a moment from the command line; the exit code, and what it printed on standard error."""
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    u = np.random.default_rng(0).normal(size=400)
    rows = "\n".join(f"{0.01 * t:.2f},{u[t]:.6f},{u[t - 1]:.6f}" for t in range(400))
    (tmp_path / "log.csv").write_text(f"t,u,y\n{rows}\n")
    arguments = ["train", "--data", str(tmp_path / "log.csv"), "--inputs", "u", "--targets", "y"]
    arguments += ["--rounds", "1", "--units", "4", "--wiring", "dense", "-o", str(tmp_path / "run")]

    def run():
        try:
            main(arguments)
        except SystemExit as exited:
            return exited.code or 0, capfd.readouterr().err
        return 0, capfd.readouterr().err

    return run


def test_nothing_said_is_auto(package):
    assert mode.mode() == "auto"


@pytest.mark.parametrize(
    ("said", "meant"), [("", "auto"), ("auto", "auto"), ("fused", "fused"), ("torch", "torch")]
)
def test_the_variable_is_read_once(said, meant, package, monkeypatch):
    monkeypatch.setenv(mode.VARIABLE, said)
    assert mode.mode() == meant
    monkeypatch.setenv(mode.VARIABLE, "fused" if meant == "torch" else "torch")
    assert mode.mode() == meant


@pytest.mark.parametrize("said", ["Fused", "none", "fused "])
def test_another_value_is_refused(said, package, monkeypatch):
    monkeypatch.setenv(mode.VARIABLE, said)
    with pytest.raises(InputError, match=f"LTC_EDGE_KERNEL is one of auto, fused, torch, not '{said}'"):
        mode.fused_library()


def test_a_program_says_it_for_a_while(package):
    with mode.kernel("torch"):
        assert mode.mode() == "torch"
        with contextlib.suppress(ZeroDivisionError), mode.kernel("fused"):
            assert mode.mode() == "fused"
            raise ZeroDivisionError
        assert mode.mode() == "torch"
    assert mode.mode() == "auto"
    with (
        pytest.raises(InputError, match="a kernel is one of auto, fused, torch, not 'cuda'"),
        mode.kernel("cuda"),
    ):
        pass


def test_the_library_is_used_where_it_can_be_had(compiled):
    assert mode.fused_library() is not None
    with mode.kernel("fused"):
        assert mode.fused_library() is not None
    with mode.kernel("torch"):
        assert mode.fused_library() is None


def test_torch_neither_compiles_nor_complains(package, tmp_path, caplog):
    with mode.kernel("torch"):
        assert mode.fused_library() is None
    assert caplog.records == []
    assert not (tmp_path / "cache").exists()


def test_fused_is_an_error_where_it_cannot_be_had(package, no_compiler, caplog):
    with (
        mode.kernel("fused"),
        pytest.raises(KernelError, match="no fused kernels here: a C compiler is needed"),
    ):
        mode.fused_library()
    assert caplog.records == []
    assert [mode.fused_library() for _ in range(2)] == [None, None]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("fused", "Error: there are no fused kernels here: a C compiler is needed"),
        ("best", "Error: LTC_EDGE_KERNEL is one of auto, fused, torch, not 'best'"),
    ],
)
def test_training_ends_with_one_line(said, line, package, no_compiler, monkeypatch, train):
    monkeypatch.setenv(mode.VARIABLE, said)
    code, printed = train()
    assert code == 2
    assert sum(each.startswith(line) for each in printed.splitlines()) == 1
    assert "Traceback" not in printed
