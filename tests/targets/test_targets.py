"""Targets as data: those that the package has, a user's own, and files that are none."""

import json
from importlib import resources

import pytest

from ltc_edge.cli.main import main
from ltc_edge.errors import InputError
from ltc_edge.targets import TARGETS, find_target

GOOD = resources.files("ltc_edge.targets").joinpath("cortex-m4.toml").read_text()


def test_every_target_of_the_package_is_read():
    files = {
        path.name.removesuffix(".toml")
        for path in resources.files("ltc_edge.targets").iterdir()
        if path.name.endswith(".toml")
    }
    assert files == set(TARGETS)
    for name in TARGETS:
        target = find_target(name)
        assert target.name == name
        assert target.summary
        assert {"gcc", "clang"} <= target.compilers.keys()
        assert target.qemu is not None


def test_a_target_of_ones_own(tmp_path):
    (tmp_path / "board.toml").write_text(GOOD.replace('part = "STM32F411RE"', 'part = "ours"'))
    target = find_target(str(tmp_path / "board.toml"))
    assert (target.name, target.part) == ("board", "ours")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "architecture must be text"),
        ("x = [", "not TOML"),
        (GOOD.replace('"arm-m"', '"z80"'), "'z80' is none of"),
        (GOOD.replace("fpu = true", 'fpu = "yes"'), "fpu must be true or false"),
        (GOOD.replace("flash_bytes = 524288", "flash_bytes = -1"), "must be above 0"),
        (GOOD.replace("flash_bytes = 524288", "flash_bytes = true"), "a whole number"),
        (GOOD + "\n[extra]\na = 1\n", "extra means nothing here"),
        (GOOD.replace("[emulator]", "[emulators]"), "emulator must be a table"),
        (GOOD.replace("divide = 12", "divide = -12"), "divide must not be negative"),
        (GOOD.replace("divide = 12", "teleport = 12"), "teleport means nothing here"),
        (GOOD.replace("other = 1", ""), "other must be a whole number"),
    ],
)
def test_a_file_that_describes_none(tmp_path, text, message):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        find_target(str(tmp_path / "bad.toml"))
    assert "\n" not in str(caught.value)


def test_models_of_cycles():
    modelled = {name for name in TARGETS if find_target(name).cycles is not None}
    assert modelled == {"cortex-m0plus", "cortex-m3", "cortex-m4", "riscv32"}
    for name in modelled:
        model = find_target(name).cycles
        assert model.name
        assert model.source
        assert model.costs["other"] == 1
        # A class that a model does not tell apart costs what any other does.
        assert model.estimate({"other": 3, "call": 0, "float_divide": 2}) >= 5


def test_a_target_without_a_model(tmp_path):
    (tmp_path / "board.toml").write_text(GOOD[: GOOD.index("[cycles]")])
    assert find_target(str(tmp_path / "board.toml")).cycles is None


def test_no_such_target(tmp_path):
    with pytest.raises(InputError, match="give one of cortex-m0plus"):
        find_target("cortex-m5")
    with pytest.raises(InputError, match="cannot be read"):
        find_target(str(tmp_path / "none.toml"))


def test_the_command_lists_them(capsys):
    main(["targets", "--json"])
    document = json.loads(capsys.readouterr().out)
    devices = ["local", "ssh://user@host[:port]", "serial:PORT"]
    assert list(document["targets"]) == [*devices, *TARGETS]
    assert document["targets"]["cortex-m4"]["compilers"]["gcc"]["package"] == "gcc-arm-none-eabi"
    main(["targets"])
    assert "cortex-m0plus" in capsys.readouterr().out
