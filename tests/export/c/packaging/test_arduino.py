"""The Arduino library built by Arduino's own builder, and what its sketch does, on a clock of the test's."""

import shutil

import pytest

from ltc_edge.export.c import c_float32
from ltc_edge.export.c.packaging import package_files

HARDWARE = "/usr/share/arduino/hardware"
BUILDER = "/usr/share/arduino-builder"

ARDUINO_H = r"""
#include <cstdint>
#include <cstdio>
#define F(text) (text)
extern std::uint32_t clock_us;
inline std::uint32_t micros() { return clock_us; }
struct Line {
    void begin(unsigned long) {}
    void print(const char *text) { std::printf("%s", text); }
    void print(std::uint32_t value) { std::printf("%u", static_cast<unsigned>(value)); }
    void println(std::uint32_t value) { std::printf("%u\n", static_cast<unsigned>(value)); }
};
static Line Serial;
"""
HARNESS = r"""
#include "Arduino.h"
#include <cmath>
std::uint32_t clock_us = 0xFFFFFFFFU - 30000U; /* it starts again within the test */
static float reading = 0.1F;
static unsigned steps, still;
static void moved(float action) { ++steps; still += action == 0.0F ? 1U : 0U; }
#include "sketch.hpp"
int main()
{
    setup();
    for (unsigned k = 0; k < 1000U; ++k) { clock_us += 1000U; loop(); }  /* 1 s: 50 steps */
    if (steps != 50U || still != 0U) { return 1; }
    reading = NAN;
    for (unsigned k = 0; k < 40U; ++k) { clock_us += 1000U; loop(); }    /* 2 steps with the fallback */
    if (steps != 52U || still != 2U) { return 2; }
    reading = 0.1F;
    clock_us += 105000U;                                                 /* 4 periods missed, 1 step */
    loop();
    if (steps != 53U || still != 2U) { return 3; }
    controller.state[0] = 1e30F;
    for (unsigned k = 0; k < 40U; ++k) { clock_us += 1000U; loop(); }    /* a fault, then a reset */
    return (steps == 55U && still == 3U) ? 0 : 4;
}
"""


def test_the_builder_makes_the_sketch(packaged, tools, tmp_path):
    tools.need("arduino-builder", "avr-gcc")
    libraries = tmp_path / "libraries"
    shutil.copytree(packaged("gru"), libraries / "balance")
    shutil.copytree(packaged("gru", "other"), libraries / "other")
    sketch = tmp_path / "two" / "two.ino"
    sketch.parent.mkdir()
    text = (packaged("gru") / "examples" / "balance" / "balance.ino").read_text()
    # A second controller has the runtime's functions in common with the first.
    sketch.write_text(
        text.replace("#include <balance.h>", "#include <balance.h>\n#include <other.h>").replace(
            "Serial.begin(115200);", "Serial.begin(115200);\n    Serial.println(other_check());"
        )
    )
    (tmp_path / "build").mkdir()
    command = [
        "arduino-builder",
        "-compile",
        "-fqbn",
        "arduino:avr:mega:cpu=atmega2560",
        "-tools",
        "/usr/bin",
    ]
    command += ["-hardware", BUILDER, "-hardware", HARDWARE, "-libraries", str(libraries)]
    # Debian's core asks the float.h of a newer compiler than Debian's.
    command += ["-prefs", "compiler.cpp.extra_flags=-DDECIMAL_DIG=__DECIMAL_DIG__"]
    tools.run(*command, "-build-path", str(tmp_path / "build"), str(sketch), cwd=tmp_path)
    assert (tmp_path / "build" / "two.ino.hex").stat().st_size > 1000
    assert (tmp_path / "build" / "libraries" / "balance" / "balance.a").is_file()


@pytest.fixture
def sketch(tiny_controller, tools, tmp_path):
    """The sketch of the tiny controller, its sensor and actuator the test's, compiled for this machine."""

    tools.need("g++", "gcc")
    files = package_files(c_float32(tiny_controller(), "balance"), tiny_controller())
    for path, content in files.items():
        if path.startswith("src/"):
            (tmp_path / path[4:]).write_bytes(content)
    text = files["examples/balance/balance.ino"].decode()
    text = text.replace("= 0.0F; /*", "= reading; /*").replace("(void)action[0];", "moved(action[0]);")
    (tmp_path / "sketch.hpp").write_text(text)
    (tmp_path / "Arduino.h").write_text(ARDUINO_H)
    (tmp_path / "main.cpp").write_text(HARNESS)
    sources = sorted(path.name for path in tmp_path.glob("*.c"))
    tools.run("gcc", "-std=c99", "-O1", "-ffp-contract=off", "-c", *sources, cwd=tmp_path)
    objects = [name.replace(".c", ".o") for name in sources]
    flags = ("-std=c++11", "-Wall", "-Wextra", "-Werror", "-I.")
    tools.run("g++", *flags, "main.cpp", *objects, "-o", "main", cwd=tmp_path)
    return tmp_path / "main"


def test_the_sketch_keeps_its_period_and_falls_back(sketch, tools, tmp_path):
    lines = tools.run(str(sketch), cwd=tmp_path).splitlines()
    assert lines == [
        "balance: status 1, periods missed 0",
        "balance: status 0, periods missed 4",
        "balance: status 16, periods missed 4",
        "balance: status 0, periods missed 4",
    ]
