"""Manifests against what their formats say of each key, written down here apart from the writers."""

import json
import re

import pytest
from ruamel.yaml import YAML

SEMANTIC_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
ARDUINO_KEYS = {
    "name": r"(?!(?i:arduino))(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 _.\-]{0,62}",
    "version": SEMANTIC_VERSION.pattern,
    "author": r"[^\s].*",
    "maintainer": r"[^\s].*",
    "sentence": r"[^\s].*",
    "paragraph": r"[^\s].*",
    "category": "Display|Communication|Signal Input/Output|Sensors|Device Control|Timing|Data Storage|"
    "Data Processing|Other",
    "url": r"(https?://\S+)?",  # there is no page of this controller
    "architectures": r"\*|[a-z0-9_-]+(,[a-z0-9_-]+)*",
    "includes": r"[\w.]+\.h",
    "dot_a_linkage": "true|false",
}
PLATFORMIO_KEYS = """
$schema name version description keywords homepage repository authors license frameworks platforms headers
examples dependencies export scripts build"""
PLATFORMIO_BUILD_KEYS = """
flags unflags includeDir srcDir srcFilter extraScript libArchive libLDFMode libCompatMode builder"""


@pytest.fixture
def folder(packaged):
    return packaged()


def test_arduino(folder):
    lines = (folder / "library.properties").read_text("utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines)
    assert len(found) == len(lines)
    assert found.keys() == ARDUINO_KEYS.keys()
    for key, pattern in ARDUINO_KEYS.items():
        assert re.fullmatch(pattern, found[key]), f"{key}={found[key]}"
    assert (folder / "src" / found["includes"]).is_file()
    # A sketch lies in a folder of its name.
    assert [path.stem for path in folder.glob("examples/*/*.ino")] == ["balance"]


def test_platformio(folder):
    found = json.loads((folder / "library.json").read_text("ascii"))
    assert found.keys() <= set(PLATFORMIO_KEYS.split())
    assert found["build"].keys() <= set(PLATFORMIO_BUILD_KEYS.split())
    assert re.fullmatch(r"[^:;/,@<>]{1,100}", found["name"])
    assert SEMANTIC_VERSION.fullmatch(found["version"])
    assert len(found["version"]) <= 50
    assert len(found["description"]) <= 255
    assert all(re.fullmatch(r"[a-z\d_+\-. ]{1,50}", keyword) for keyword in found["keywords"])
    assert (found["frameworks"], found["platforms"]) == ("*", "*")
    assert "-ffp-contract=off" in found["build"]["flags"]
    assert (folder / found["build"]["srcDir"] / found["headers"]).is_file()
    for sketch in found["examples"]:
        assert all((folder / sketch["base"] / name).is_file() for name in sketch["files"])


def test_esp_idf(folder):
    found = YAML(typ="safe").load((folder / "idf_component.yml").read_text("utf-8"))
    assert found.keys() == {"version", "description", "dependencies"}
    assert SEMANTIC_VERSION.fullmatch(found["version"])
    assert found["dependencies"] == {"idf": ">=5.0"}


def test_zephyr(folder):
    found = YAML(typ="safe").load((folder / "zephyr" / "module.yml").read_text("utf-8"))
    assert found == {"name": "ltc_edge_balance", "build": {"cmake": "zephyr", "kconfig": "zephyr/Kconfig"}}
    assert (folder / found["build"]["cmake"] / "CMakeLists.txt").is_file()
    lines = (folder / found["build"]["kconfig"]).read_text("ascii").splitlines()
    entry = [line for line in lines if line and not line.startswith("#")]
    assert entry[:3] == ["config LTC_EDGE_BALANCE", '\tbool "Controller balance"', "\thelp"]
    assert all(line.startswith("\t  ") for line in entry[3:])
    assert "if(CONFIG_LTC_EDGE_BALANCE)" in (folder / "zephyr" / "CMakeLists.txt").read_text("ascii")
