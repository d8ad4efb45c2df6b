"""What a device draws, from files and texts that stand in for sensors which are not here."""

import pytest

from ltc_edge.profiling.agent.power import decode_pmic, power_between, read_power

PI5 = """ 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.05000000A
  VDD_CORE_A current(7)=2.50000000A
   UNPAIRED_A current(8)=9.00000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.80000000V
    EXT5V_V volt(24)=5.15000000V
     BATT_V volt(25)=0.00000000V
"""
PI5_WATTS = 0.1 * 3.7 + 0.05 * 3.3 + 2.5 * 0.8


def at(seconds, power):
    return {"clocks": {"monotonic_ns": round(seconds * 1e9)}, "power": power}


def rapl(energy_uj, range_uj=1000, name="package-0"):
    return {"source": "rapl", "packages": {name: {"energy_uj": energy_uj, "range_uj": range_uj}}}


def test_the_rails_of_a_pi_5_are_paired_by_name(plant, install):
    """A script stands in for vcgencmd on a Raspberry Pi 5, which a test cannot have here."""
    install("vcgencmd", f'[ "$1" = pmic_read_adc ] || exit 1\ncat <<END\n{PI5}END')
    power = read_power(plant({}))
    assert power == {"source": "pmic", "watts": pytest.approx(PI5_WATTS)}


@pytest.mark.parametrize(
    "printed",
    [None, "", 'error=1 error_msg="Command not registered"', "A" * 100_000, "VDD_A current(1)=1e9A"],
)
def test_what_a_pmic_does_not_say(printed):
    assert decode_pmic(printed) is None


def test_an_ina_sensor(plant, install):
    folder = "sys/class/hwmon/hwmon1"
    root = plant({"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", f"{folder}/name": "ina219\n"})
    assert read_power(root) is None
    plant({f"{folder}/curr1_input": "812\n", f"{folder}/in1_input": "5120\n"})
    assert read_power(root) == {"source": "hwmon", "watts": pytest.approx(4.15744), "sensor": "ina219"}
    plant({f"{folder}/power1_input": "4200000\n"})
    assert read_power(root)["watts"] == pytest.approx(4.2)


def test_the_sensor_before_the_others_counts(plant, install):
    folder = "sys/class/hwmon/hwmon0"
    values = {"name": "ina3221", "in1_label": "VDD_IN", "in2_label": "VDD_CPU"}
    values |= {"curr1_input": "2000", "in1_input": "5000", "curr2_input": "1000", "in2_input": "5000"}
    power = read_power(plant({f"{folder}/{name}": value for name, value in values.items()}))
    assert power == {"source": "hwmon", "watts": pytest.approx(10.0), "sensor": "ina3221 VDD_IN"}


def test_mean_power_of_energy_counters():
    assert power_between(at(1, rapl(100)), at(3, rapl(500))) == pytest.approx(200e-6)


def test_an_energy_counter_that_went_round():
    assert power_between(at(1, rapl(900)), at(3, rapl(100))) == pytest.approx(100e-6)
    assert power_between(at(1, rapl(900, range_uj=None)), at(3, rapl(100))) is None


def test_mean_power_of_two_readings():
    ends = [at(seconds, {"source": "pmic", "watts": watts}) for seconds, watts in ((0, 3.0), (9, 5.0))]
    assert power_between(*ends) == 4.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        (at(1, rapl(1)), at(1, rapl(2))),
        (at(2, rapl(1)), at(1, rapl(2))),
        (at(1, rapl(1)), at(2, rapl(2, name="package-1"))),
        (at(1, rapl("1")), at(2, rapl(2))),
        (at(1, rapl(1)), at(2, {"source": "pmic", "watts": 1.0})),
        (at(1, {"source": "pmic", "watts": None}), at(2, {"source": "pmic", "watts": 1.0})),
        (
            at(1, {"source": "hwmon", "watts": 1.0, "sensor": "a"}),
            at(2, {"source": "hwmon", "watts": 1.0, "sensor": "b"}),
        ),
        (at(1, {"source": "rapl", "packages": {}}), at(2, {"source": "rapl", "packages": {}})),
        (at(1, {"source": "rapl", "packages": 3}), at(2, {"source": "rapl", "packages": []})),
    ],
)
def test_power_that_cannot_be_told(before, after):
    assert power_between(before, after) is None
