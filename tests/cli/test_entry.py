"""Ctrl-C before the command line is there."""

import os
import signal
import subprocess
import sys

import pytest

PARENT = """
import signal
signal.signal(signal.SIGINT, signal.{handler})
from ltc_edge.cli.entry import main
main()
"""
INTERRUPTS = "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"


@pytest.fixture
def entry(tmp_path):
    """Runs ``ltc-edge tasks`` where importing click, or what a command needs, is met by Ctrl-C."""

    def run(module, handler="default_int_handler"):
        (tmp_path / f"{module}.py").write_text(INTERRUPTS + "import sys; sys.exit('it went on')")
        return subprocess.run(
            [sys.executable, "-c", PARENT.format(handler=handler), "tasks"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.mark.parametrize("module", ["click", "rich"])
def test_ctrl_c_while_python_imports(entry, module):
    done = entry(module)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Interrupted.")


def test_where_it_is_ignored_it_stays_so(entry):
    done = entry("click", "SIG_IGN")
    assert (done.returncode, done.stderr) == (1, "it went on\n")


def test_a_command_has_pythons_own_handler(monkeypatch):
    """Which lets it put in order what it has begun."""
    from ltc_edge.cli import entry, main

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    seen = []
    monkeypatch.setattr(main, "main", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    try:
        entry.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.default_int_handler]
