"""What is sent to a device for each format."""

import numpy as np
import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.profiling.inputs import profile_inputs
from ltc_edge.profiling.jobs import CJob, ModelJob, foreign_job, job_of

STEPS = 10


@pytest.fixture(scope="module")
def jobs(bundle):
    loaded = load_bundle(bundle)
    inputs = profile_inputs(loaded.controller, STEPS)
    return inputs, {name: job_of(artifact, inputs) for name, artifact in loaded.artifacts.items()}


def test_a_model_with_its_inputs_in_float32(jobs):
    inputs, made = jobs
    job = made["onnx"]
    assert isinstance(job, ModelJob)
    assert set(job.files) == {"model.onnx", "observation.bin", "dt.bin", "state.bin"}
    assert job.size == len(job.files["model.onnx"])
    observation = np.frombuffer(job.files["observation.bin"], "<f4").reshape(STEPS, 2)
    assert np.array_equal(observation, inputs.observation)
    assert np.array_equal(np.frombuffer(job.files["dt.bin"], "<f4"), inputs.dt_s.astype(np.float32))
    assert job.document["states"] == [["state_in", "state_out"]]
    assert set(job.document["feeds"].values()) | set(job.document["starts"].values()) <= set(job.files)
    assert job.decode(np.array([0.5, -0.5], "<f4").tobytes(), "float32").tolist() == [[0.5], [-0.5]]


def test_a_program_with_rows_of_observations_and_dt(jobs):
    inputs, made = jobs
    job = made["c-float32"]
    assert isinstance(job, CJob)
    rows = np.frombuffer(job.feed, "<f4").reshape(STEPS, 3)
    assert np.array_equal(rows[:, :2], inputs.observation)
    assert np.array_equal(rows[:, 2], inputs.dt_s.astype(np.float32))
    assert set(job.harness) == {"harness.c", "harness_controller.h"}
    assert f'#include "{job.sources.name}.h"' in job.harness["harness_controller.h"].decode()
    assert job.decode(np.array([0.5, -0.5], "<f4").tobytes(), "").tolist() == [[0.5], [-0.5]]


@pytest.mark.parametrize(("name", "runtime"), [("a.onnx", "onnx"), ("a.tflite", "litert")])
def test_a_model_of_somebody_elses_is_fed_nothing_of_ours(name, runtime):
    job = foreign_job(name, b"content", (("a", "b"),))
    assert (job.name, job.runtime, job.size) == (name, runtime, 7)
    assert list(job.files.values()) == [b"content"]
    assert (job.document["feeds"], job.document["starts"]) == ({}, {})
    assert [tuple(pair) for pair in job.document["states"]] == [("a", "b")]
    assert job.decode(b"", "float32") is None
