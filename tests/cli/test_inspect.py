"""``ltc-edge inspect`` as a user meets it."""

import functools
import json

import numpy as np
import pytest

from ltc_edge import Scaling
from ltc_edge.cells import GatedSpec
from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.evaluation.inspection import ground, pruning
from ltc_edge.training.options import ImitationOptions
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import Plan
from ltc_edge.training.sources import TaskSource

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def make_run(tiny_controller, tmp_path_factory):
    """Makes the folder of a run of the tiny task."""

    def make(controller):
        folder = RunFolder(tmp_path_factory.mktemp("run"))
        plan = Plan(TaskSource("tiny_task:Lag"), ImitationOptions(), None)
        folder.write_config(plan.to_json())
        folder.save_controller(controller)
        folder.finish({"metric": "return", "value": 0.0})
        return folder.path

    return make


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """A search of few episodes that gives up early."""
    monkeypatch.setattr(ground, "SEARCHED", 16)
    monkeypatch.setattr(pruning, "PATIENCE", 1)


@pytest.fixture
def inspect(make_run, tiny_controller, tiny_folder, monkeypatch, cli):
    """`ltc-edge inspect` of the tiny run."""
    monkeypatch.chdir(tiny_folder)
    return functools.partial(cli, "inspect", make_run(tiny_controller()))


@pytest.fixture(scope="module")
def lstm(tiny_controller):
    spec, rng = GatedSpec("lstm", 2, 4), np.random.default_rng(1)
    shapes = spec.parameter_shapes() | {"readout_weight": (1, 4), "readout_bias": (1,)}
    parameters = {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}
    return tiny_controller(cell=spec, parameters=parameters, initial_state=np.zeros(8))


def test_words_tables_and_pictures(inspect, tmp_path):
    out, _ = inspect("--episodes", 3, "-o", tmp_path / "pictures")
    first = out.splitlines()[0]
    assert first.startswith(("target drives drive most: ", "level drives drive most: "))
    for words in ("by integrated gradients", "of 2 observations can be cut alone", "rank correlation"):
        assert words in out
    for title in ("what drives each action", "neurons along the episodes", "what neurons are for"):
        assert title in out
    assert max(map(len, (line for line in out.splitlines() if line.startswith("│")))) <= 80
    for name in ("wiring", "activity", "drives", "cuts"):
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes().startswith(PNG)
    assert (tmp_path / "pictures" / "wiring.svg").read_text().count("<path") > 10


def test_the_document_has_every_figure(inspect):
    out, _ = inspect("--episodes", 3, "--json")
    document = json.loads(out)
    assert document["trials"] == 3
    assert document["score_mean"] > document["baseline_mean"]
    drives = document["drives"]["actions"]["drive"]
    for measure in ("integrated_gradients", "perturbation"):
        assert sum(drives[measure].values()) == pytest.approx(1.0)
        assert drives[measure].keys() == {"target", "level", "earlier"}
    assert document["drives"]["gap"] < 0.01
    kinds = [cut["kind"] for cut in document["cuts"]]
    assert (kinds.count("observation"), kinds.count("neuron")) == (2, 8)
    assert kinds.count("synapse") == document["synapses"] - 1  # the readout's is drawn and not cut
    for neuron in document["neurons"]:
        time = neuron["time_constant_s"]
        assert time["low"] <= time["used_low"] <= time["used_high"] <= time["high"]
    gain = document["score_mean"] - document["baseline_mean"]
    for cut in document["cuts"]:
        assert cut["lost_ci95"][0] <= cut["lost"] <= cut["lost_ci95"][1] <= cut["worst"] + 1e-9
        assert cut["lost_share"] == pytest.approx(cut["lost"] / gain)


def test_cells_without_synapses_are_looked_into_and_not_pruned(
    make_run, lstm, cli, tiny_folder, monkeypatch, tmp_path
):
    monkeypatch.chdir(tiny_folder)
    run = make_run(lstm)
    out, _ = cli("inspect", run, "--episodes", 2, "--cut", "neurons", "--json")
    document = json.loads(out)
    assert [neuron["role"] for neuron in document["neurons"]] == ["unit"] * 4
    assert all(neuron["time_constant_s"] is None for neuron in document["neurons"])
    assert document["synapses"] == 4 * (2 + 4) + 4  # all that its weights connect is drawn
    out, err = cli("inspect", run, "--prune", "-o", tmp_path / "new", expect=2)
    assert "a lstm computes through full weight matrices" in err
    assert not (tmp_path / "new").exists()


def test_pruning_writes_a_run_that_evaluates_and_exports(inspect, cli, tmp_path):
    new = tmp_path / "new"
    out, _ = inspect("--prune", "--episodes", 30, "--tolerance", 2, "-o", new, "--json")
    document = json.loads(out)
    assert document["kept"] is True
    assert document["synapses_after"] < document["synapses_before"]
    assert document["lost_ci95"][1] <= document["margin"]
    pruned = RunFolder(new).controller()
    assert pruned.parameters_effective() == document["parameters_after"] < document["parameters_before"]
    assert "verified on seeds 0 to 29" in pruned.provenance["pruned"]
    out, _ = cli("evaluate", new, "--episodes", 30, "--json")
    assert json.loads(out)["return_mean"] == pytest.approx(document["score_after"])
    cli("export", new, "-o", tmp_path / "bundle", "--format", "onnx", "--no-verify")
    cli("inspect", tmp_path / "bundle", "--trust-task", "--episodes", 2, "--cut", "none", "--json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "new"]


def test_a_verification_that_fails_writes_nothing(inspect, monkeypatch, tmp_path):
    compare, asked = pruning.compare, []

    def fresh_episodes_lose(before, after, gain, tolerance):
        asked.append(len(before))
        return compare(before, after - (len(before) == 33), gain, tolerance)

    monkeypatch.setattr(pruning, "compare", fresh_episodes_lose)
    _, err = inspect("--prune", "--episodes", 33, "--tolerance", 2, "-o", tmp_path / "new", expect=1)
    assert "no pruned controller stood its verification" in err
    assert 1 <= asked.count(33) <= 3
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_nothing(inspect, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pruning, "importance", interrupted)
    inspect("--prune", "-o", tmp_path / "new", expect=INTERRUPTED)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prune",), "say where with -o"),
        (("--finetune",), "--finetune and --tolerance are of --prune"),
        (("--prune", "--cut", "none", "-o", "new"), "--cut is for looking into"),
        (("--prune", "-o", "."), "exists already"),
        (("--prune", "--force", "-o", "."), "is not a run folder"),
        (("--prune", "--tolerance", "nan", "-o", "new"), "not a finite number"),
        (("--seed", 400_000), "must lie in 0 to 400000"),
        (("--episodes", 1), "1 is not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused(inspect, arguments, message):
    out, err = inspect(*arguments, expect=2)
    assert message in err
    assert err.count("\n") == 1
    assert not out


def test_a_controller_no_better_than_nothing_is_not_pruned(
    make_run, tiny_controller, cli, tiny_folder, monkeypatch, tmp_path
):
    monkeypatch.chdir(tiny_folder)
    stuck = make_run(tiny_controller(denormalizer=Scaling(np.ones(1), np.full(1, 1e-12))))
    _, err = cli("inspect", stuck, "--prune", "-o", tmp_path / "new", expect=2)
    assert "does no better than doing nothing" in err
