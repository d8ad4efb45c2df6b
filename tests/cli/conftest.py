"""The command line in this process: what it printed, with which exit code."""

import pytest

from ltc_edge.cli.main import main


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
