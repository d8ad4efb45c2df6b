"""The networks that are compared: our cell, the same one of `ncps`, and torch's LSTM and GRU of its size."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltc_edge import import_ncps
from ltc_edge.cells.build import build_cell, load_cell_arrays
from ltc_edge.cells.cell import Cell
from ltc_edge.cells.spec import CellSpec, CfCSpec, LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.wiring import auto_ncp
from training_bench.cases import INPUTS, OUTPUTS, SEED, Case

NAMES = ("ours", "ncps", "lstm", "gru")
GPU_NAMES = (*NAMES, "ours_by_steps", "ours_on_cpu")
"""On a GPU besides: our cell by torch, step by step, and with its kernel for the CPU."""


@dataclass(frozen=True, eq=False)
class Contender:
    """A network, and what it is fed with.

    Attributes:
        module: whose gradients are computed.
        forward: outputs ``(B, T, any)`` of the inputs, from the zero state, one time unit a step.
        inputs: ``(B, T, INPUTS)``.
        cotangent: the gradient of a loss with respect to the outputs.
    """

    module: nn.Module
    forward: Callable[[Tensor], Tensor]
    inputs: Tensor
    cotangent: Tensor

    def __call__(self) -> Tensor:
        """One pass forwards and backwards; gradients are left in the module. Returns the outputs."""
        for parameter in self.module.parameters():
            parameter.grad = None
        outputs = self.forward(self.inputs)
        outputs.backward(self.cotangent)  # type: ignore[no-untyped-call]
        if outputs.is_cuda:
            torch.cuda.synchronize(outputs.device)
        return outputs.detach().cpu()


def contender(name: str, case: Case, device: str = "cpu") -> Contender:
    """One of `GPU_NAMES`; the same case gives the same numbers each time."""
    if name == "ncps":
        peer = ncps_module(case).to(device)
        return _contender(case, peer, OUTPUTS, lambda x: peer(x)[0], device=device)
    if name.startswith("ours"):
        on = "cpu" if name == "ours_on_cpu" else device
        return our_contender(case, loop=name == "ours_by_steps", device=on)
    torch.manual_seed(SEED)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[name]
    gated = kind(INPUTS, case.units, batch_first=True).to(device)
    return _contender(case, gated, case.units, lambda x: gated(x)[0], device=device)


def our_contender(
    case: Case, *, loop: bool = False, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Contender:
    """Our cell, with the parameters of `ncps_module`.

    Args:
        case: what it is.
        loop: run step by step in torch, whatever kernel there is: a reference for the kernel.
        dtype: of its numbers.
        device: where it runs.
    """
    controller = imported(ncps_module(case).state_dict())
    spec = our_spec(controller, case)
    cell = build_cell(spec)
    load_cell_arrays(cell, {name: controller.parameters[name] for name in spec.parameter_shapes()})
    cell.to(device, dtype)
    state = torch.zeros(case.batch, spec.state_size, dtype=dtype, device=device)
    # As training does: the time since the last step is an input.
    timespans = torch.ones(case.batch, case.length, dtype=dtype, device=device)
    forward = Cell.forward if loop else type(cell).forward
    return _contender(case, cell, OUTPUTS, lambda x: forward(cell, x, state, timespans)[0], dtype, device)


def our_spec(controller: Controller, case: Case) -> CellSpec:
    """The imported cell with the solver of the case.

    Raises:
        RuntimeError: its wiring is not the one that the same seed gives here.
    """
    spec = controller.cell
    if case.kind != "dense":
        ours = auto_ncp(INPUTS, case.units, OUTPUTS, seed=SEED)
        assert isinstance(spec, LTCSpec | CfCSpec)
        wiring = spec.wiring
        assert wiring is not None
        # A wired CfC knows neither polarities nor the synapses among command neurons.
        same = (wiring.sensory != 0) == (ours.sensory != 0)
        if not same.all() or (case.kind == "ncp" and not np.array_equal(wiring.recurrent, ours.recurrent)):
            raise RuntimeError(f"{case.name}: ncps and auto_ncp draw different wirings from one seed")
    if isinstance(spec, LTCSpec):
        return dataclasses.replace(spec, solver=case.solver, unfolds=case.unfolds)
    return spec


def ncps_module(case: Case) -> nn.Module:
    """What `ncps` has for the case, initialised by its seed."""
    import ncps.torch
    from ncps.wirings import AutoNCP, FullyConnected

    torch.manual_seed(SEED)
    if case.kind == "dense":
        module = ncps.torch.LTC(INPUTS, FullyConnected(case.units, OUTPUTS))
    else:
        wiring = AutoNCP(case.units, OUTPUTS, seed=SEED)
        module = (ncps.torch.LTC if case.kind == "ncp" else ncps.torch.CfC)(INPUTS, wiring)
    assert isinstance(module, nn.Module)
    return module


def imported(state: dict[str, Any]) -> Controller:
    """A state dict of ncps by our names; one that holds gradients in their place will do as well."""
    return import_ncps(state)


def our_gradients(contender: Contender) -> dict[str, np.ndarray[Any, Any]]:
    """Of our cell's pass, by name."""
    return {name: _gradient(p).cpu().numpy() for name, p in contender.module.named_parameters()}


def ncps_gradients(contender: Contender) -> dict[str, np.ndarray[Any, Any]]:
    """Of an ncps module's pass, by our names and without what its masks leave out."""
    state = contender.module.state_dict()
    state |= {name: _gradient(p) for name, p in contender.module.named_parameters() if p.requires_grad}
    state = {name: value.cpu() for name, value in state.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(imported(state).parameters)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _contender(
    case: Case,
    module: nn.Module,
    outputs: int,
    forward: Callable[[Tensor], Tensor],
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Contender:
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(case.batch, case.length, INPUTS, generator=generator).to(device, dtype)
    cotangent = torch.randn(case.batch, case.length, outputs, generator=generator).to(device, dtype)
    return Contender(module, forward, inputs, cotangent)


def contenders(case: Case, device: str = "cpu") -> Iterator[tuple[str, Contender]]:
    """All of them that there are on a device."""
    for name in NAMES if device == "cpu" else GPU_NAMES:
        yield name, contender(name, case, device)
