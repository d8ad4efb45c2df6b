"""The command line in this process: what it printed, with which exit code."""

import pytest

from ltc_edge.cli.main import main
from ltc_edge.controller_file import save_controller


@pytest.fixture
def cli(capfd):
    """Runs a command; what it printed on standard output and standard error."""

    def run(*arguments, expect=0):
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exited:
            code = exited.code or 0
        out, err = capfd.readouterr()
        assert code == expect, (out, err)
        assert "Traceback" not in err
        return out, err

    return run


@pytest.fixture(scope="session")
def lag_bundle(tiny_controller, tiny_folder, tmp_path_factory):
    """The tiny controller in C, unverified, with the task of ``tiny_folder``."""
    folder = tmp_path_factory.mktemp("lag")
    save_controller(tiny_controller(), folder / "tiny.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_folder)
        arguments = ("--task", "tiny_task:Lag", "--format", "c-float32", "--no-verify")
        main(["export", str(folder / "tiny.safetensors"), "-o", str(folder / "bundle"), *arguments])
    return folder / "bundle"
