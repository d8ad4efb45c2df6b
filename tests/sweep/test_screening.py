"""What is told before training, and by how much a limit may be exceeded."""

import pytest

from ltc_edge import Timing
from ltc_edge.errors import FormatRefusedError, InputError
from ltc_edge.sweep import cost_model
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.exported import export_untrained
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.screening import MARGINS, screen
from ltc_edge.training.sources import TaskSource


def screened(controller, budget, costs, **said):
    plan = MeasurementPlan(TaskSource("cartpole"), budget=read_budget(budget))
    return screen(controller, "c-float32", plan, lambda *_: costs, **said)


def test_only_what_is_beyond_its_margin_is_not_worth_training(tiny_controller):
    controller = tiny_controller()
    just = 1000 * (1 + MARGINS["flash"])
    assert screened(controller, "flash<1000", {"flash": just}).verdict is None
    found = screened(controller, "flash<1000", {"flash": just + 1})
    assert found.verdict == "flash 1,021 > 1,000 before training"
    assert found.figures == {"flash": just + 1, "parameters": controller.parameters_effective()}
    assert screened(controller, "flash<1000", {"flash": just + 1}, margins=cost_model.MARGINS).verdict is None


def test_parameters_and_ram_have_no_margin(tiny_controller):
    controller = tiny_controller()
    own = controller.parameters_effective()
    assert screened(controller, f"parameters<={own}", {}).verdict is None
    assert screened(controller, f"parameters<{own}", {}).verdict is not None
    assert screened(controller, "ram<=40", {"ram": 44.0}).verdict == "ram 44 > 40 before training"


def test_where_no_cost_is_limited_from_above_nothing_is_measured(tiny_controller):
    plan = MeasurementPlan(TaskSource("cartpole"), budget=read_budget("return>100,flash>100"))
    found = screen(tiny_controller(), "c-float32", plan, lambda *_: pytest.fail("it was measured"))
    assert (found.figures, found.verdict) == ({}, None)


def test_what_has_no_model_is_refused(tiny_controller):
    exported = export_untrained(tiny_controller(), "c-float32")
    assert cost_model.estimated_costs(exported, "cortex-m4").keys() == {
        "instructions",
        "flash",
        "stack",
        "ram",
    }
    with pytest.raises(InputError, match="not of ltc in c-float32 on riscv32"):
        cost_model.estimated_costs(exported, "riscv32")


def test_a_form_that_cannot_be_had_is_refused(tiny_controller):
    plan = MeasurementPlan(TaskSource("cartpole"))
    timing = tiny_controller().timing
    wide = tiny_controller(
        timing=Timing.of_period(timing.period_s, (timing.period_s / 100, 100 * timing.period_s))
    )
    with pytest.raises(FormatRefusedError, match="too wide"):
        screen(wide, "c-int16", plan, lambda *_: {})
