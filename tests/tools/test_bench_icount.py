"""Unicorn counts the instructions that QEMU counts, in the very same program."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from ltc_edge.errors import MissingToolError
from ltc_edge.export.c import c_float32
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.targets import find_target

SCRIPT = Path(__file__).parents[2] / "tools" / "bench_icount.py"
SPEC = importlib.util.spec_from_file_location("bench_icount", SCRIPT)
bench_icount = importlib.util.module_from_spec(SPEC)


@pytest.mark.parametrize("name", ["cortex-m4", "riscv32"])
def test_unicorn_and_qemu_count_alike(name, tiny_controller, monkeypatch):
    for module in ("unicorn", "elftools"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: firmware)")
    monkeypatch.setitem(sys.modules, "bench_icount", bench_icount)
    SPEC.loader.exec_module(bench_icount)
    target = find_target(name)
    if shutil.which(target.qemu.tool.command) is None:
        pytest.skip(f"{target.qemu.tool.command} is not installed (Debian: {target.qemu.tool.package})")
    controller = controller_from_bytes(hub_bytes(tiny_controller()), "tiny")
    try:
        counts = bench_icount.compare(c_float32(controller, bench_icount.NAME), controller, target, 10)
    except MissingToolError as missing:
        pytest.skip(str(missing))
    # A timer of the board has ticks of 40 ns, an instruction takes 64 ns.
    assert counts.unicorn == pytest.approx(counts.qemu, abs=1.0)
    assert counts.unicorn > 1000
