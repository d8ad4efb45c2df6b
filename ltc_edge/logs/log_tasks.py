"""The named tasks over recordings."""

from __future__ import annotations

from ltc_edge.logs.log_task import LogTask


def _traces(first: int, last: int) -> tuple[str, ...]:
    """File names of half-cheetah rollouts, both ends included."""
    return tuple(f"trace_{number:04d}.npy" for number in range(first, last + 1))


# Height, pitch and six joint angles, then their velocities with the forward speed before them: the
# observation of MuJoCo's half cheetah.
_CHEETAH_UNITS = ("m", *["rad"] * 7, "m/s", "m/s", *["rad/s"] * 7)
_CHEETAH_COLUMNS = tuple(f"c{index}" for index in range(17))

_HALF_CHEETAH = LogTask(
    name="half-cheetah",
    summary="predict the next observation of a running half cheetah from the present one",
    folder="half_cheetah",
    train_files=_traces(15, 24),
    validation_files=_traces(0, 4),
    test_files=_traces(5, 14),
    validation_share=0.0,
    kind="prediction",
    inputs=_CHEETAH_COLUMNS,
    targets=_CHEETAH_COLUMNS,
    input_units=_CHEETAH_UNITS,
    target_units=_CHEETAH_UNITS,
    time=None,
    period_s=0.05,
    window_length=32,
    stride=10,
    evaluation_stride=10,
    # Raw units over all outputs and steps: what the published figures are.
    metric="mse",
    source="https://github.com/raminmh/liquid_time_constant_networks",
    license="Apache-2.0",
)

_OCCUPANCY = LogTask(
    name="occupancy",
    summary="tell from room sensors, each minute, whether someone is in the room",
    folder="occupancy",
    train_files=("datatraining.txt",),
    validation_files=(),
    test_files=("datatest.txt", "datatest2.txt"),
    # The published split draws 10 % of overlapping windows at random, which shows the validation rows to
    # training; here they are the last rows.
    validation_share=0.1,
    kind="classification",
    inputs=("Temperature", "Humidity", "Light", "CO2", "HumidityRatio"),
    targets=("Occupancy",),
    input_units=("°C", "%", "lx", "ppm", "kg/kg"),
    target_units=("",),
    time="date",
    period_s=60.0,
    window_length=16,
    stride=1,
    evaluation_stride=8,
    metric="accuracy",
    source="https://archive.ics.uci.edu/dataset/357/occupancy+detection",
    license="CC BY 4.0 (Candanedo and Feldheim, 2016)",
)

_EMPS = LogTask(
    name="emps",
    summary="estimate the velocity of a linear drive from its motor command and measured position",
    folder="emps",
    train_files=("DATA_EMPS_SC.csv",),
    validation_files=(),
    test_files=("DATA_EMPS_PULSES_SC.csv",),
    validation_share=0.2,
    kind="regression",
    # Velocity, not position: position is the integral of what the force does, so over a window it depends on
    # an unseen start, whereas a velocity observer is what a drive without a tachometer needs. v_est is a
    # central difference of the position, so it knows one sample ahead; the force is what lets a causal
    # observer tell.
    inputs=("u_tot", "q_meas"),
    targets=("v_est",),
    # The file's values are scaled: position runs from -1 to 1, velocity is its derivative per second.
    input_units=("", ""),
    target_units=("1/s",),
    time="time_exp",
    period_s=0.005,
    window_length=64,
    stride=16,
    evaluation_stride=64,
    metric="rmse",
    source="https://www.nonlinearbenchmark.org (EMPS)",
    license="terms not stated by the source; cite Janot, Gautier and Brunot (2019)",
)

LOG_TASKS: dict[str, LogTask] = {task.name: task for task in (_HALF_CHEETAH, _OCCUPANCY, _EMPS)}
"""Every named task over recordings."""
