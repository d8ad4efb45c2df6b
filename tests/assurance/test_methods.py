"""What `tools/assure_c.py` runs, on as little as shows that it holds; and that they tell what does not."""

import dataclasses

import pytest
from assurance import analysis, bitflips, coverage, fuzz, lint, prove, stack, subjects
from assurance.building import call, write

from ltc_edge.errors import CheckFailedError, InputError

LTC = [subjects.subject("ltc", state_type) for state_type in subjects.TYPES]


@pytest.mark.parametrize("made", LTC, ids=lambda made: made.label)
def test_eva_proves_that_memory_is_safe(made, installed, tmp_path):
    installed("frama-c")
    result = analysis.analyse(made, tmp_path)
    assert result["ok"], result["alarms"]
    reached, total = result["statements_reached"]
    assert reached > 0.95 * total
    assert not (made.sources.state_type == "float32" and result["discharged"])


def test_eva_sees_an_array_that_is_too_short(installed, tmp_path):
    installed("frama-c")
    text = LTC[0].sources.files["subject.c"].decode()
    size = subjects.scratch_size(LTC[0])
    shorter = text.replace(f"float scratch[{size}]", f"float scratch[{size - 1}]")
    result = analysis.analyse(_changed(shorter), tmp_path)
    assert not result["ok"]
    assert result["alarms"]


def test_cppcheck_finds_what_the_table_of_deviations_lists(installed, tmp_path):
    installed("cppcheck")
    result = lint.lint(subjects.subjects(lint.KINDS), tmp_path)
    assert result["findings"] == []
    assert (result["undocumented"], result["vanished"]) == ([], [])


def test_every_branch_of_the_runtime_is_taken(installed, tmp_path):
    installed("gcc", "gcovr")
    result = coverage.coverage(subjects.subjects(coverage.ENOUGH), tmp_path)
    assert result["missed"] == result["files_never_run"] == []
    assert result["branches"] > 50


def test_the_fuzzer_finds_nothing(installed, tmp_path):
    installed("clang")
    result = fuzz.fuzz(LTC, 10_000, 1, tmp_path)
    assert all(found["covered"] > 50 for found in result["subjects"].values())


def test_the_fuzzer_finds_a_status_that_is_wrong(installed, tmp_path):
    installed("clang")
    text = LTC[0].sources.files["subject.c"].decode()
    broken = text.replace("status |= SUBJECT_DT_CLAMPED;", "status |= SUBJECT_OK;")
    assert broken != text
    with pytest.raises(CheckFailedError, match="deadly signal"):
        fuzz.fuzz([_changed(broken)], 10_000, 1, tmp_path)


@pytest.mark.parametrize("made", LTC, ids=lambda made: made.label)
def test_the_stack_is_static_and_small(made, installed, tmp_path):
    installed(stack.COMPILER)
    result = stack.stack(made, "-O2", tmp_path)
    assert result["not_static"] == []
    assert 0 < result["bytes"]["check"] < result["bytes"]["step"] <= 512


def test_recursion_and_unknown_functions_are_told():
    node = 'node: {{ title: "{0}" label: "{0}\\n{0}.c:1:1\\n{1} bytes (static)\\n0 dynamic objects" }}\n'
    edge = 'edge: {{ sourcename: "{0}" targetname: "{1}" label: "a.c:2:2" }}\n'
    plain = node.format("a", 8) + node.format("b", 16) + node.format("c", 4) + edge.format("a", "b")
    assert stack.read_graph(plain + edge.format("a", "c")).deepest("a") == 24
    with pytest.raises(CheckFailedError, match="recursion: a -> b -> a"):
        stack.read_graph(plain + edge.format("b", "a")).deepest("a")
    with pytest.raises(CheckFailedError, match="nothing is known of the stack of memcpy"):
        stack.read_graph(plain + edge.format("b", "memcpy")).deepest("a")


def test_small_functions_keep_their_promises(installed, tmp_path):
    installed("gcc")
    assert prove.exhaustive(509, tmp_path)["floats"] > 8_000_000


@pytest.mark.parametrize("size", [4, 257])
def test_what_the_crc_detects(installed, tmp_path, size):
    installed("gcc")
    result = prove.crc(size, tmp_path)
    assert result["ok"], result


@pytest.mark.parametrize("made", LTC, ids=lambda made: made.label)
def test_flipped_bits_of_a_state_die_out(made):
    result = bitflips.flips(made, steps=60)
    assert result["refused_by_bounds"] + result["passed_by_bounds"] == result["bits"]
    assert result["passed_by_bounds"] > 0
    assert result["not_settled"] == 0


def test_a_missing_tool_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(write({}, tmp_path / "empty")))
    with pytest.raises(InputError, match="apt-get install cppcheck"):
        call(["cppcheck"], tmp_path)


def _changed(text):
    sources = LTC[0].sources
    files = {**sources.files, "subject.c": text.encode()}
    return dataclasses.replace(LTC[0], sources=dataclasses.replace(sources, files=files))
