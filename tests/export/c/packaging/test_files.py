"""What lies in the folder, and that no name or unit breaks any of it."""

import codecs
import dataclasses
import json
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ltc_edge import ActionSignal, ObservationSignal
from ltc_edge.export.c import CSources
from ltc_edge.export.c.packaging import package_files

SOURCES = CSources("demo", {"demo.h": b"int x;\n", "demo.c": b"", "ltc_crc32.c": b""}, "float32")
PATHS = [
    "CMakeLists.txt",
    "README.md",
    "examples/demo/demo.ino",
    "idf_component.yml",
    "library.json",
    "library.properties",
    "src/demo.c",
    "src/demo.h",
    "src/demo.hpp",
    "src/ltc_crc32.c",
    "zephyr/CMakeLists.txt",
    "zephyr/Kconfig",
    "zephyr/module.yml",
]
NASTY = [
    *(
        '"',
        "\\",
        "*/",
        "/*",
        "//",
        "??/",
        "????",
        "\n",
        "\r\n",
        "\0",
        "\x1b[0m",
        "\t",
        "\u2028",
        "\u202e",
        "\ud800",
    ),
    *(
        "${NAME}",
        "$ENV{HOME}",
        "$(shell,id)",
        "@{name}",
        "@name@",
        "%s",
        "{{ x }}",
        "<!-- ",
        "<b>",
        "|",
        "`",
        "#",
    ),
    *(
        ": ",
        "- ",
        "=",
        "&a",
        "*a",
        "!!python/object:os.system",
        "'",
        "[x](y)",
        "é",
        "°C",
        "控",
        "🤖",
        " ",
        "7",
    ),
]
TEXT = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=12).map("".join)
NAMES = st.tuples(TEXT, TEXT).map(lambda pair: (f"0{pair[0]}", f"1{pair[1]}"))


def packaged_as(controller, title, names, unit):
    observations = tuple(ObservationSignal(name, unit) for name in names)
    actions = (ActionSignal(names[0], unit, -1.0, 1.0),)
    changed = dataclasses.replace(controller, name=title, observations=observations, actions=actions)
    return package_files(SOURCES, changed)


def test_the_folder(tiny_controller):
    files = package_files(SOURCES, tiny_controller())
    assert list(files) == PATHS
    assert files["src/demo.h"] == SOURCES.files["demo.h"]
    assert files == package_files(SOURCES, tiny_controller())
    for path, content in files.items():
        assert content.endswith(b"\n") or path.startswith("src/"), path
        assert not re.search(rb"@\{|\r", content), path


def test_what_is_said_of_the_controller(tiny_controller):
    files = package_files(SOURCES, tiny_controller())
    sketch = files["examples/demo/demo.ino"].decode()
    assert "PERIOD_US = 20000UL" in sketch
    assert "observation[1] = 0.0F; /* level */" in sketch
    assert "(void)action[0]; /* drive [V], -1 to 1 */" in sketch
    assert "| `action[0]` | drive | V | -1 to 1 |" in files["README.md"].decode()
    header = files["src/demo.hpp"].decode()
    assert '{"drive", "V", -1.0F, 1.0F, std::numeric_limits<float>::infinity()},' in header


def test_another_export_is_another_version(tiny_controller):
    changed = dataclasses.replace(SOURCES, files=SOURCES.files | {"demo.c": b"/* other */\n"})
    one, other = (
        json.loads(package_files(sources, tiny_controller())["library.json"])["version"]
        for sources in (SOURCES, changed)
    )
    assert one != other
    assert one.split("+")[0] == other.split("+")[0]


def test_a_period_that_a_sketch_cannot_keep_is_an_error_there(tiny_controller):
    for period, kept in ((1e-9, False), (1e-6, True), (2100.0, True), (2200.0, False)):
        timing = dataclasses.replace(
            tiny_controller().timing, period_s=period, dt_min_s=1e-12, dt_max_s=1e12, time_unit_s=1.0
        )
        sketch = package_files(SOURCES, tiny_controller(timing=timing))["examples/demo/demo.ino"]
        assert (b"#error" not in sketch) == kept


@settings(max_examples=150, deadline=None)
@given(TEXT, NAMES, TEXT)
@example("???/", ("0*", "1*\\"), "??/\n*/")
@example("\\", ("0\\", '1"'), "\ud800\0" + "7")
def test_no_text_breaks_a_file(tiny_controller, title, names, unit):
    plain = packaged_as(tiny_controller(), "tiny", ("0", "1"), "V")
    files = packaged_as(tiny_controller(), title, names, unit)
    assert list(files) == list(plain)
    for path in ("CMakeLists.txt", "zephyr/CMakeLists.txt", "zephyr/Kconfig", "zephyr/module.yml"):
        assert files[path] == plain[path], path
    for path in ("src/demo.hpp", "examples/demo/demo.ino"):
        text = files[path].decode("ascii")
        assert "??" not in text
        assert tokens(text)[0] == tokens(plain[path].decode("ascii"))[0], path
    literals = [codecs.escape_decode(literal)[0] for literal in tokens(files["src/demo.hpp"].decode())[1]]
    for expected in (*names, unit):
        assert expected.replace("\0", "?").encode("utf-8", "replace") in literals
    assert_same_but(properties(files), properties(plain), "sentence")
    assert_same_but(json.loads(files["library.json"]), json.loads(plain["library.json"]), "description")
    component = YAML(typ="safe").load(files["idf_component.yml"].decode())
    assert component["description"] == json.loads(files["library.json"])["description"]
    assert_same_but(component, YAML(typ="safe").load(plain["idf_component.yml"].decode()), "description")
    assert shape(files["README.md"]) == shape(plain["README.md"])


def tokens(text):
    """C++ with every comment and string blanked, and its string literals."""
    literals = []

    def blank(match):
        if match[0].startswith('"'):
            literals.append(match[0][1:-1])
            return '""'
        return "/**/"

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S), literals


def properties(files):
    lines = files["library.properties"].decode().split("\n")
    assert lines.pop() == ""
    return dict(line.split("=", 1) for line in lines)


def assert_same_but(found, expected, key):
    assert found.pop(key)
    assert expected.pop(key)
    assert found == expected


def shape(readme):
    """Lines of a README, and the cells of those that are rows of its table."""
    lines = readme.decode().splitlines()
    return len(lines), [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")]
