"""``ltc-edge import-ncps``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from ltc_edge.cells.spec import Activation, CfCMode, Positivity
from ltc_edge.cli.options import FILE, json_option, names, output_option
from ltc_edge.cli.output import print_json


@click.command("import-ncps")
@click.argument("file", type=FILE)
@output_option("Where to write the controller (.safetensors).")
@click.option(
    "--unfolds", type=click.IntRange(1, 1000), default=6, show_default=True, help="ode_unfolds of the LTC."
)
@click.option(
    "--positivity",
    type=click.Choice(get_args(Positivity)),
    default="softplus",
    show_default=True,
    help="softplus: implicit_param_constraints=True, the default of ncps.torch.LTC; clamp: False.",
)
@click.option(
    "--mode", type=click.Choice(get_args(CfCMode)), default="default", show_default=True, help="Of a CfC."
)
@click.option(
    "--activation",
    type=click.Choice(get_args(Activation)),
    default="lecun_tanh",
    show_default=True,
    help="Of a CfC's backbone.",
)
@click.option("--inputs", callback=names, help="Names of the inputs, comma-separated.")
@click.option("--outputs", callback=names, help="Names of the outputs, comma-separated.")
@click.option("--period", type=float, default=1.0, show_default=True, help="Native period in seconds.")
@click.option(
    "--time-unit", type=float, default=1.0, show_default=True, help="Seconds in one unit of timespans."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
def command(file: Path, output: Path, force: bool, as_json: bool, **said: Any) -> None:
    """Turn FILE, the state dict of a trained ncps.torch.LTC or CfC, into a controller.

    FILE is what torch.save(model.state_dict(), FILE) writes. It is read without running any code in it.
    """
    from ltc_edge.controller_file import save_controller
    from ltc_edge.errors import OutputError
    from ltc_edge.ncps_import import NcpsOptions, import_ncps

    if output.exists() and not force:
        raise OutputError(f"{output}: exists already; choose another with -o, or replace it with --force")
    controller = import_ncps(
        file,
        options=NcpsOptions(
            said["unfolds"],
            said["positivity"],
            said["mode"],
            said["activation"],
            None if said["outputs"] is None else len(said["outputs"]),
        ),
        observations=said["inputs"],
        actions=said["outputs"],
        period_s=said["period"],
        time_unit_s=said["time_unit"],
        name=file.stem,
    )
    save_controller(controller, output)
    period = controller.timing.period_s
    summary = {
        "controller": str(output),
        "cell": controller.cell.kind,
        "units": controller.cell.units,
        "inputs": len(controller.observations),
        "outputs": len(controller.actions),
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
    }
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{output}: {summary['cell']} of {summary['units']} units, {summary['inputs']} inputs, "
            f"{summary['outputs']} outputs, {summary['parameters_effective']} parameters"
        )
        narrow = f"{period / 2:g},{2 * period:g}"
        click.echo(
            f"Next: ltc-edge export {output} -o BUNDLE --dt-range {narrow} --calibration RECORDING, which "
            "shows how its inputs move"
        )
