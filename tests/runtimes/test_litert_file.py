"""Files that are damaged or hostile: refused with one line, and never handed to an interpreter."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")

from ltc_edge.errors import ControllerFileError
from ltc_edge.runtimes.flatbuffer_reader import DamagedError
from ltc_edge.runtimes.litert_file import DIGEST_PLACE, MAX_BYTES, parse, read_litert
from ltc_edge.runtimes.litert_operators import CODES, OPTION_TABLES, TYPES
from ltc_edge.runtimes.litert_runtime import LiteRTStepper

_SPEC = importlib.util.spec_from_file_location(
    "litert_cases", Path(__file__).parents[1] / "export" / "litert" / "conftest.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)

FORMS = ("float32", "int16", "legacy", "int8")


def mutations(content, count, seed):
    """Bytes changed, fields of four bytes set to telling numbers, and ends cut off."""
    rng = np.random.default_rng(seed)
    telling = [
        0,
        1,
        2,
        3,
        4,
        127,
        255,
        1 << 15,
        1 << 30,
        (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1,
        (1 << 32) - 4,
    ]
    for _ in range(count):
        changed = bytearray(content)
        kind = rng.integers(4)
        if kind == 0:
            changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            place = 4 * int(rng.integers(len(changed) // 4))
            changed[place : place + 4] = telling[rng.integers(len(telling))].to_bytes(4, "little")
        elif kind == 2:
            for place in rng.integers(len(changed), size=rng.integers(2, 20)):
                changed[place] = rng.integers(256)
        else:
            del changed[rng.integers(1, len(changed)) :]
        if changed != content:
            yield bytes(changed)


@pytest.mark.parametrize("form", FORMS)
def test_no_change_is_accepted(form):
    content, _ = cases.model("ltc", form)
    for changed in mutations(content, 2000, 0):
        with pytest.raises(ControllerFileError) as refused:
            read_litert(changed, "model.tflite")
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith("model.tflite: ")


RUN = """
import struct, sys
import numpy as np
sys.path[:0] = {path!r}
from ltc_edge.runtimes.litert_runtime import _interpreter
from ltc_edge.runtimes.litert_file import parse
from ltc_edge.errors import ControllerFileError
data, rng, ran = sys.stdin.buffer.read(), np.random.default_rng(0), 0
while data:
    (size,) = struct.unpack_from("<I", data)
    content, data = data[4:4 + size], data[4 + size:]
    file = parse(content)
    try:
        interpreter = _interpreter(content, "fuzzed")
    except ControllerFileError:
        continue
    for index in file.inputs.values():
        tensor = file.tensors[index]
        values = rng.integers(-100, 100, tensor.shape).astype(tensor.dtype)
        interpreter.set_tensor(index, values)
    try:
        interpreter.invoke()
    except (RuntimeError, ValueError):
        continue
    ran += 1
print(ran)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_what_the_reader_lets_through_does_not_crash_the_runtime(form):
    """Without the digest, as for someone who forges it too."""
    content, _ = cases.model("ltc" if form != "int8" else "cfc", form)
    accepted = b""
    count = 0
    for changed in mutations(content, 700, 1):
        try:
            parse(changed)
        except DamagedError:
            continue
        accepted += len(changed).to_bytes(4, "little") + changed
        count += 1
    assert count > 50
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(path=sys.path)], input=accepted, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert int(done.stdout) > 50


def test_every_cut_is_refused():
    content, _ = cases.model("cfc", "float32")
    for length in (*range(64), *range(64, len(content), 97)):
        with pytest.raises(ControllerFileError):
            read_litert(content[:length], "cut")


def test_foreign_files_are_refused(tmp_path):
    built = cases.controller("ltc")
    for name, content in {
        "text": b"hello",
        "empty": b"",
        "zeros": bytes(4096),
        "png": b"\x89PNG" * 99,
    }.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(
            ControllerFileError, match=rf"{name}\.tflite: not a LiteRT file that ltc-edge wrote"
        ):
            LiteRTStepper(path, built)
    with pytest.raises(ControllerFileError, match="cannot be read"):
        LiteRTStepper(tmp_path / "missing", built)
    with pytest.raises(ControllerFileError, match="more than any controller takes"):
        read_litert(bytes(MAX_BYTES + 1), "huge")


def test_a_vector_that_claims_all_memory_is_refused():
    content = bytearray(cases.model("ltc", "float32")[0])
    table = int.from_bytes(content[:4], "little")
    vtable = table - int.from_bytes(content[table : table + 4], "little", signed=True)
    slot = table + int.from_bytes(content[vtable + 4 + 2 * 4 : vtable + 6 + 2 * 4], "little")
    vector = slot + int.from_bytes(content[slot : slot + 4], "little")
    content[vector : vector + 4] = (0x7FFFFFFF).to_bytes(4, "little")
    with pytest.raises(DamagedError, match="cut off"):
        parse(bytes(content))


def test_the_digest_is_of_the_file_with_its_place_empty():
    content, _ = cases.model("ltc", "int16")
    digest = next(
        content[i : i + 32]
        for i in range(0, len(content), 4)
        if hashlib.sha256(content[:i] + DIGEST_PLACE + content[i + 32 :]).digest() == content[i : i + 32]
    )
    assert content.count(digest) == 1


def test_the_numbers_of_the_schema_are_litert_s():
    from ai_edge_litert import schema_py_generated as schema

    for kind, number in CODES.items():
        assert getattr(schema.BuiltinOperator, kind) == number
    for number, name in OPTION_TABLES.values():
        assert getattr(schema.BuiltinOptions, name) == number
    for number, name in TYPES.items():
        assert getattr(schema.TensorType, name.upper()) == number
