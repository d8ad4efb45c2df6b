"""``ltc-edge size`` as a user meets it."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Two drives, a first-order lag of their sum, and whether it is above zero."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    rng = np.random.default_rng(0)
    drive = np.repeat(rng.standard_normal((120, 2)), 4, axis=0) + 0.1 * rng.standard_normal((480, 2))
    lag = np.zeros(480)
    for row in range(1, 480):
        lag[row] = 0.7 * lag[row - 1] + 0.3 * drive[row].sum()
    columns = np.column_stack([0.1 * np.arange(480), drive, lag, lag > 0, np.full(480, 3.0)])
    np.savetxt(path, columns, delimiter=",", header="t,u,v,y,up,still", comments="")
    return path


@pytest.fixture
def size(log, cli):
    def run(*arguments, expect=0):
        return cli("size", "--data", log, "--time", "t", "--window", 8, *arguments, expect=expect)

    return run


QUICK = ("--cells", "cfc", "--units", "2,4", "--effort", 0.2)


def test_recordings_are_sized_in_words_tables_and_a_picture(size, tmp_path):
    picture = tmp_path / "size.png"
    out, _ = size("--inputs", "u,v", "--targets", "y", *QUICK, "--picture", picture)
    words, tables = out.split("Recommended sizes")
    for word in (
        "1 recording.",
        "dimensions",
        "independent windows of 8",
        "n·d = ",
        "Premise not met",
        "cfc: ",
    ):
        assert word in " ".join(words.split())
    for word in ("Learning curves", "held-out stretches", "isoperimetric inputs", "Participation ratio"):
        assert word in " ".join(tables.split())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_document(size):
    arguments = ("--inputs", "u,v", "--targets", "y", *QUICK, "--json")
    first, again = (json.loads(size(*arguments)[0]) for _ in range(2))
    assert first == again
    assert first["kind"] == "regression"
    assert first["dimension"]["columns"] == 2
    assert first["memory_rows"].keys() == {"u", "v", "y"}
    found = first["recommendations"]["cfc"]
    assert found["chosen"]["parameters"] > found["chosen"]["synapses"] > 0
    n, d = first["independent_windows"], first["dimension"]["estimate"]["value"]
    assert found["chosen"]["train_options"].startswith("--cell cfc --units ")
    assert first["law_of_robustness"]["smooth_parameters"] == n * d
    assert found["gap_heuristic"] == pytest.approx((found["chosen"]["parameters"] / n) ** 0.5)
    assert [each["units"] for each in first["learning_curve"]["candidates"]] == [2, 4]
    assert {each["state"] for each in first["law_of_robustness"]["premises"]} <= {"met", "not met", "unknown"}


def test_classes_are_sized(size):
    out, _ = size("--inputs", "u,v", "--targets", "up", "--kind", "classification", *QUICK, "--json")
    document = json.loads(out)
    assert (document["kind"], document["outputs"]) == ("classification", 2)
    assert all(0 <= share <= 1 for share in document["learning_curve"]["guess"])


def test_an_experts_demonstrations_are_sized_without_training(cli, tiny_folder, monkeypatch):
    monkeypatch.chdir(tiny_folder)
    out, _ = cli("size", "tiny_task:Lag", "--no-curve", "--json")
    document = json.loads(out)
    assert document["demonstrations"] is True
    assert document["recordings"] == 64
    assert document["inputs"] == ["target", "level"]
    assert document["targets"] == ["drive"]
    assert document["dimension"]["estimate"]["value"] == pytest.approx(2.0, rel=0.15)
    assert document["learning_curve"] is None
    assert document["recommendations"] == {}


def test_too_few_rows_for_folds_cost_the_curve_alone(size):
    out, _ = size("--inputs", "u,v", "--targets", "y", *QUICK, "--folds", 20, "--window", 60, "--json")
    document = json.loads(out)
    assert "too few for 20 folds" in document["no_learning_curve"]
    assert document["learning_curve"] is None
    words, _ = size("--inputs", "u,v", "--targets", "y", *QUICK, "--folds", 20, "--window", 60)
    assert "Not enough data for a learning curve" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--inputs", "u,v"), "--data needs --targets"),
        (("--inputs", "w", "--targets", "y"), "has no column 'w'"),
        (("--inputs", "still", "--targets", "y"), "no column of the inputs ever changes"),
        (("--inputs", "u", "--targets", "y", "--cells", "lstn"), "did you mean 'lstm'?"),
        (("--inputs", "u", "--targets", "y", "--units", "0,4"), "one unit at least"),
        (("--inputs", "u", "--targets", "y", "--units", "4;8"), "not a list of whole numbers"),
        (("--inputs", "u", "--targets", "y", "--no-curve", "--cells", "gru"), "--no-curve trains nothing"),
        (("--inputs", "u", "--targets", "y", "--picture", "no/such/size.png"), "there is no folder no/such"),
        (("cartpole", "--inputs", "u", "--targets", "y"), "TASK and --data given"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(size, arguments, message):
    out, err = size(*arguments, expect=2)
    assert message in err
    assert err.count("\n") == 1
    assert not out


def test_seeds_that_belong_to_training_are_refused(cli):
    _, err = cli("size", "dc-motor", "--no-curve", "--seed", 10_000, expect=2)
    assert "seed 10000: must be at most" in err


def test_a_value_that_is_no_number_is_refused(cli, tmp_path):
    path = tmp_path / "nan.csv"
    path.write_text("a,b\n" + "1,2\n" * 10 + "nan,3\n" * 3)
    _, err = cli("size", "--data", path, "--inputs", "a", "--targets", "b", expect=2)
    assert "nan" in err
    assert err.count("\n") == 1
