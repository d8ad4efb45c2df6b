"""The C++17 header: clean under every compiler, and the same bits as the C that it wraps."""

import dataclasses
import shutil
import subprocess

import numpy as np
import pytest

from ltc_edge import ObservationSignal
from ltc_edge.export.c.guard import STATUS
from ltc_edge.export.c.packaging import package_files
from ltc_edge.runtimes.host_machine import HostMachine

FLAGS = ("-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wold-style-cast", "-pedantic")
FLAGS += ("-Werror", "-fno-exceptions", "-fno-rtti", "-Isrc")
C_FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-Isrc")
STEPS = 200

PROGRAM = r"""
#include <balance.hpp>
#include <cstdio>
#include <cstring>

using namespace ltc_edge::balance;

static Controller controller;

static bool same(const Step &one, const Step &other)
{
    return one.status == other.status && std::memcmp(&one.action, &other.action, sizeof one.action) == 0;
}

/* Reads observation and dt as floats; writes status, action and, at the end, the state. */
int main()
{
    Observation observation{};
    float dt = 0.0F;
    if (controller.step(observation).status != Status::not_reset) { return 1; }
    if (Controller::check() != Status::ok || Controller::selftest() != Status::ok) { return 2; }
    if (controller.reset() != Status::ok || Controller::version()[0] == '\0') { return 3; }
    while (std::fread(&observation, sizeof observation, 1, stdin) == 1
           && std::fread(&dt, sizeof dt, 1, stdin) == 1) {
        Controller first{controller};
        Controller second;
        second = controller;
        float plain[observations];
        std::memcpy(plain, observation.data(), sizeof plain);
        const Step step = controller.step(observation, dt);
        if (!same(step, first.step(plain, dt))) { return 4; }
        if (!same(step, second.step(Readings::at(plain), dt))) { return 5; }
        const auto [status, action] = step;
        const auto bits = static_cast<std::uint32_t>(status);
        std::fwrite(&bits, sizeof bits, 1, stdout);
        std::fwrite(&action, sizeof action, 1, stdout);
    }
    const State state = controller.state();
    Controller resumed;
    /* Without a reset there is nothing to go on from. */
    if ((void)resumed.restore(state), resumed.step(observation).status != Status::not_reset) { return 6; }
    if (resumed.reset() != Status::ok || resumed.restore(state) != Status::ok) { return 7; }
    if (!same(resumed.step(observation), controller.step(observation))) { return 8; }
    std::fwrite(&state, sizeof state, 1, stdout);
    return 0;
}
"""

CONSTANTS = r"""
#include <balance.hpp>
#include <limits>

namespace controller = ltc_edge::balance;
using controller::Status;

static_assert(controller::observations == 3 && controller::actions == 2);
static_assert(controller::period_s == 0.02F);
static_assert(controller::dt_min_s == 0.005F && controller::dt_max_s == 0.1F);
static_assert(controller::observation_index("b") == 1 && controller::action_index("valve") == 1);
static_assert(controller::observation_index("torque") == controller::observations);
/* Limits are rounded inwards. */
static_assert(std::get<controller::action_index("torque")>(controller::action_signals).low > -0.4F);
static_assert(controller::action_signals[0].slew_per_s == 6.0F);
static_assert(controller::action_signals[1].high == std::numeric_limits<float>::infinity());
static_assert(std::string_view(controller::action_signals[0].unit) == "N m");
static_assert(controller::status_bits.size() == 8);
static_assert(has(Status::saturated | Status::dt_clamped, Status::saturated));
static_assert(!has(Status::saturated, Status::dt_clamped) && !has(Status::ok, Status::saturated));
static_assert(is_computed(Status::saturated) && !is_computed(Status::saturated | Status::nonfinite_input));
static_assert(noexcept(controller::Controller{}.step(controller::Observation{})));
static_assert(!std::is_convertible_v<float (&)[2], controller::Readings>);
constinit_controller
"""

EMBEDDED = r"""
#include <balance.hpp>

extern volatile float sensors[3];
extern volatile float motor;
static ltc_edge::balance::Controller controller;

bool run()
{
    using namespace ltc_edge::balance;
    const auto [status, action] = controller.step(Observation{sensors[0], sensors[1], sensors[2]});
    motor = std::get<action_index("torque")>(action);
    return is_computed(status);
}
"""


@pytest.fixture(params=["g++", "clang++"])
def cpp(request, tools):
    tools.need(request.param)
    return request.param


@pytest.fixture
def work(packaged, tmp_path):
    """A folder to work in, with the sources of the LTC."""
    shutil.copytree(packaged() / "src", tmp_path / "src")
    return tmp_path


def inputs():
    """Observations ``(T, 3)`` and times ``(T,)``, some of them not what they should be."""
    rng = np.random.default_rng(5)
    observations = rng.normal([0.5, -10.0, 0.0], [0.4, 60.0, 2.0], size=(STEPS, 3)).astype(np.float32)
    spans = rng.uniform(0.001, 0.6, size=STEPS).astype(np.float32)
    observations[20, 1], observations[50, 0], spans[80] = np.nan, np.inf, np.nan
    return observations, spans


def test_equals_the_c_bit_for_bit(lab, tools, packaged, ltc, tmp_path, cpp):
    work = tmp_path / "work"
    shutil.copytree(packaged(ltc), work)
    observations, spans = inputs()
    machine = HostMachine(lab.c_sources(ltc, "balance"), lab.controller("ltc"))
    assert machine.reset() == 0
    expected, statuses = b"", []
    for observation, span in zip(observations, spans, strict=True):
        status, action = machine.step(observation, float(span))
        expected += np.uint32(status).tobytes() + action.tobytes()
        statuses.append(status)
    assert {STATUS["OK"], STATUS["NONFINITE_INPUT"]} < set(statuses)

    (work / "main.cpp").write_text(PROGRAM)
    tools.run(cpp, "-std=c++17", "-O2", *FLAGS, "-c", "main.cpp", cwd=work)
    # A C compiler links it: nothing of C++'s own library is needed.
    tools.need("gcc")
    sources = sorted(str(path) for path in (work / "src").glob("*.c"))
    tools.run("gcc", *C_FLAGS, "main.o", *sources, "-o", "main", cwd=work)
    records = np.column_stack([observations, spans]).astype("<f4").tobytes()
    done = subprocess.run([work / "main"], input=records, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout == expected + machine.read_state()


@pytest.mark.parametrize("standard", ["c++17", "gnu++17", "c++20"])
def test_constants_and_warnings(tools, work, cpp, standard):
    constant = "constinit controller::Controller made{};" if standard == "c++20" else ""
    if standard == "c++20":
        constant += (
            "\nstatic_assert(std::is_constructible_v<controller::Readings, std::span<const float, 3>>);"
        )
    (work / "use.cpp").write_text(CONSTANTS.replace("constinit_controller", constant))
    tools.run(cpp, f"-std={standard}", *FLAGS, "-fsyntax-only", "use.cpp", cwd=work)


@pytest.mark.parametrize(
    "wrong", ['std::get<observation_index("d")>(o);', "float f[2]{}; (void)c.step(f);", "c.reset();"]
)
def test_what_must_not_compile(work, cpp, wrong):
    text = "#include <balance.hpp>\nusing namespace ltc_edge::balance;\n"
    text += f"float use(Controller &c, Observation &o) {{ (void)c; (void)o; {wrong} return 0.0F; }}\n"
    (work / "use.cpp").write_text(text)
    command = [cpp, "-std=c++17", *FLAGS, "-fsyntax-only", "use.cpp"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    (work / "use.cpp").write_text(text.replace(wrong, ""))
    assert subprocess.run(command, cwd=work, timeout=60).returncode == 0


def test_an_older_standard_is_told(work, cpp):
    (work / "use.cpp").write_text("#include <balance.hpp>\n")
    command = [cpp, "-std=c++14", "-Isrc", "-fsyntax-only", "use.cpp"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "balance.hpp is C++17" in done.stderr


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_on_a_microcontroller_it_needs_the_c_alone(tools, work, core):
    tools.need("arm-none-eabi-g++", "arm-none-eabi-nm")
    (work / "use.cpp").write_text(EMBEDDED)
    flags = ("-std=c++17", f"-mcpu={core}", "-mthumb", "-Os", *FLAGS)
    tools.run("arm-none-eabi-g++", *flags, "-c", "use.cpp", cwd=work)
    undefined = tools.run("arm-none-eabi-nm", "--undefined-only", "-j", "use.o", cwd=work).split()
    assert set(undefined) - {"memset", "memcpy"} == {"sensors", "motor", "balance_step"}


def test_names_of_any_kind_compile(lab, tools, cpp, tmp_path):
    names = ('quote " end', "back\\slash\\", "*/ int x; /* ??/\n line, °C \0 7")
    controller = dataclasses.replace(
        lab.controller("ltc"),
        name='*/ #error "title" /*\\',
        observations=tuple(ObservationSignal(name, "%\u202e\ud800") for name in names),
    )
    for path, content in package_files(lab.c_sources("ltc", "balance"), controller).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "use.cpp").write_text(
        "#include <balance.hpp>\nusing namespace ltc_edge::balance;\n"
        'static_assert(observation_index("quote \\" end") == 0);\n'
        'static_assert(observation_index("back\\\\slash\\\\") == 1);\n'
        'static_assert(observation_index("*/ int x; /* \\?\\?/\\n line, \\302\\260C ? 7") == 2);\n'
    )
    tools.run(cpp, "-std=c++17", *FLAGS, "-fsyntax-only", "use.cpp", cwd=tmp_path)
