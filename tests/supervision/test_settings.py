"""Settings from a controller, from a user's file, as JSON and as C."""

import dataclasses
import json
import math
import re
import subprocess

import numpy as np
import pytest

from ltc_edge import ActionSignal
from ltc_edge.errors import InputError
from ltc_edge.supervision import Fallback, Settings, default_settings, read_settings, settings_c
from ltc_edge.supervision.codes import CONTROLLER_STATUS, FAULTS, LATCHING, STATUS, Request
from ltc_edge.supervision.compiled import COMMON
from ltc_edge.supervision.settings import LARGEST, single


@pytest.fixture(scope="module")
def defaults(tiny_controller):
    actions = (ActionSignal("drive", "V", -1.0, 1.0, slew=0.1),)
    return default_settings(tiny_controller(actions=actions, fallback=np.array([-0.25])))


@pytest.fixture
def read(tmp_path, defaults):
    def make(text):
        path = tmp_path / "supervisor.toml"
        path.write_text(text)
        return read_settings(path, defaults)

    return make


def test_defaults_follow_from_the_controller(defaults):
    assert (defaults.observations, defaults.actions) == (("target", "level"), ("drive",))
    assert (defaults.dt_min_s, defaults.dt_max_s) == (single(0.01), single(0.08))
    assert defaults.gap_s == single(0.2)
    assert defaults.oldest_s == (single(0.2),) * 2
    assert (defaults.low, defaults.high, defaults.slew) == ((-1.0,), (1.0,), (single(0.1),))
    assert (defaults.resting, defaults.fallback) == ((-0.25,), Fallback.HOLD)


def test_no_limit_and_no_slew_are_the_largest_float(tiny_controller):
    free = default_settings(tiny_controller(actions=(ActionSignal("drive"),)))
    assert (free.low, free.high, free.slew) == ((-LARGEST,), (LARGEST,), (LARGEST,))
    assert "-3.40282347e+38F" in settings_c(free)


def test_limits_are_rounded_to_the_narrow_side(tiny_controller):
    made = default_settings(tiny_controller(actions=(ActionSignal("drive", "", -0.1, 0.1),)))
    assert -0.1 <= made.low[0] < made.high[0] <= 0.1


def test_a_file_changes_what_it_names(read, defaults):
    found = read(
        """
        gap_s = 0.5
        handover_s = 0
        misses_allowed = 0
        recover_steps = 25
        latching = ["controller-fault", "corrupt-parameters"]
        [age]
        default = 0.1
        level = 0.05
        [limits]
        drive = [-0.5, 0.75]
        [slew]
        drive = 0.05
        [resting]
        drive = 0.125
        [fallback]
        law = "pd"
        gain.drive = { target = -2, level = 0.5 }
        target.level = 0.25
        """
    )
    assert found == dataclasses.replace(
        defaults,
        gap_s=0.5,
        handover_s=0.0,
        misses_allowed=0,
        recover_steps=25,
        latching=STATUS["controller-fault"].value | CONTROLLER_STATUS["CORRUPT_PARAMETERS"],
        oldest_s=(single(0.1), single(0.05)),
        low=(-0.5,),
        high=(0.75,),
        slew=(single(0.05),),
        resting=(0.125,),
        fallback=Fallback.PD,
        pd_gain=((-2.0, 0.5),),
        pd_target=(0.0, 0.25),
    )


def test_an_empty_file_changes_nothing(read, defaults):
    assert read("") == defaults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[age]\nspeed = 0.1", "age.speed is unknown; known are target, level, default"),
        ("[limits]\ntorque = [-1, 1]", "limits.torque is unknown; known are drive"),
        ("[slew]\nlevel = 1", "slew.level is unknown"),
        ("speed = 1", "speed is unknown; known are gap_s"),
        ("[fallback]\nlaw = 'pid'", "fallback.law must be one of rest, hold, pd"),
        ("[fallback]\nlaw = 'pd'", "the PD law needs gains"),
        ("[fallback]\ngain.drive = {level = 1}", "fallback.gain is of the PD law"),
        ("[fallback]\nlaw = 'pd'\ngain.drive = {speed = 1}", "fallback.gain.drive.speed is unknown"),
        ("[fallback]\nlaw = 'pd'\ngain.drive = 3", "fallback.gain.drive must be a table"),
        ("[age]\nlevel = nan", "age.level must be a finite number, not nan"),
        ("[age]\nlevel = inf", "age.level must be a finite number"),
        ("[age]\nlevel = 0", "the age limit of level is 0 s; it must be above 0"),
        ("[age]\nlevel = true", "age.level must be a number, not True"),
        ("[age]\nlevel = 1" + "0" * 400, "age.level must be a finite number"),
        ("[resting]\ndrive = 2", "resting of drive: 2 is not within its limits"),
        ("[limits]\ndrive = [-2, 1]", "must rise and lie within the actuator's, -1 to 1"),
        ("[limits]\ndrive = [0.5, 0.25]", "must rise and lie within"),
        ("[limits]\ndrive = 1", "limits.drive must be [low, high], not 1"),
        ("[limits]\ndrive = [0.5, 1]", "resting of drive: -0.25 is not within its limits, 0.5 to 1"),
        ("[slew]\ndrive = 5", "slew.drive is 5, above the actuator's 0.1"),
        ("[slew]\ndrive = 0", "slew of drive: 0 must be above 0"),
        ("gap_s = 0.01", "0 < dt_min_s <= dt_max_s <= gap_s must hold"),
        ("handover_s = -1", "handover_s is -1 s; it must be 0 or more"),
        ("recover_steps = 2.5", "recover_steps must be a whole number, not 2.5"),
        ("misses_allowed = -1", "misses_allowed is -1"),
        ("latching = ['limited']", "latching: 'limited' is none of stale-input"),
        ("latching = 3", "latching must be a list of names"),
        ("age = 3", "age must be a table, not 3"),
        ("gap_s = ", "not TOML"),
    ],
)
def test_what_a_file_cannot_say_is_one_line(read, text, said):
    with pytest.raises(InputError) as error:
        read(text)
    assert said in str(error.value)
    assert "supervisor.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_of_another_size_are_refused(defaults):
    with pytest.raises(InputError, match="oldest_s has 1 values, expected 2"):
        dataclasses.replace(defaults, oldest_s=(0.1,))
    with pytest.raises(InputError, match="must be finite"):
        dataclasses.replace(defaults, fallback=Fallback.PD, pd_gain=((math.nan, 0.0),), pd_target=(0.0, 0.0))
    with pytest.raises(InputError, match="cannot latch"):
        dataclasses.replace(defaults, latching=STATUS["limited"].value)


def test_settings_go_through_json(read):
    found = read("[fallback]\nlaw = 'pd'\ngain.drive = { level = 0.5 }")
    assert Settings.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(InputError, match="not readable"):
        Settings.from_json({"actions": ["drive"], "fallback": "nothing"})


def test_names_that_mean_harm_stay_in_their_comment(defaults, tmp_path):
    evil = '*/ int main(void) { return 1; } /* \n#error "no"\n'
    named = dataclasses.replace(defaults, observations=(evil, "??/"), actions=("\\",))
    (tmp_path / "settings.c").write_text(settings_c(named), encoding="ascii")
    order = ["gcc", "-std=c99", "-Wall", "-Werror", "-fsyntax-only", f"-I{COMMON}", "settings.c"]
    done = subprocess.run(order, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with pytest.raises(InputError, match="cannot be the name"):
        settings_c(defaults, "x; int y")


def test_numbers_are_those_of_the_header():
    header = (COMMON / "ltc_supervisor.h").read_text()
    defines = {name: int(value, 0) for name, value in re.findall(r"#define (LTC_\w+) (\w+)U\b", header)}
    known = {f"LTC_{name.upper().replace('-', '_')}": bit.value for name, bit in STATUS.items()}
    asked = {"LTC_ARM": Request.ARM, "LTC_DISARM": Request.DISARM, "LTC_TO_SHADOW": Request.SHADOW}
    assert defines == known | asked
    faults = header.split("#define LTC_FAULTS", 1)[1].split(")", 1)[0]
    assert sum(known[name] for name in re.findall(r"LTC_\w+", faults)) == FAULTS
    assert STATUS["memory-fault"].value not in LATCHING.values()
