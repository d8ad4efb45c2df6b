"""The interface of a torch cell, and the loop that runs one over a sequence.

A step is split so that nothing is computed twice: `Cell.prepare` turns parameters into constants once
a sequence, `Cell.drive` turns all inputs of the sequence into what the step needs of them in one call,
and `Cell.step` does only what depends on the state. All of them are plain functions of the module's
parameters, so `torch.func.functional_call` and `vmap` work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from ltc_edge.cells.fused import is_transformed
from ltc_edge.cells.spec import CellSpec
from ltc_edge.kernels.binding import BAD_TIMESPAN


class Cell(nn.Module, ABC):
    """A recurrent cell of ``spec.inputs`` inputs, ``spec.state_size`` states and ``spec.outputs`` outputs."""

    spec: CellSpec

    @abstractmethod
    def prepare(self) -> Any:
        """Constants of a whole sequence, from the parameters alone."""

    @abstractmethod
    def drive(self, constants: Any, inputs: Tensor) -> Tensor:
        """What a step needs of the inputs: ``(..., inputs)`` → ``(..., any)``."""

    @abstractmethod
    def step(self, constants: Any, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The next state ``(B, state_size)``, ``timespan`` ``(B, 1)`` time units after ``state``."""

    @abstractmethod
    def output(self, constants: Any, state: Tensor) -> Tensor:
        """Outputs of states: ``(..., state_size)`` → ``(..., outputs)``."""

    def constrain(self) -> None:
        """Project parameters back into their valid set; call after each optimiser step."""

    def value(self, name: str) -> Tensor:
        """The parameter ``name`` or, within `torch.func.functional_call`, what stands in its place.

        `get_parameter` refuses the second.
        """
        value: Tensor = getattr(self, name)
        return value

    def initial_state(self, batch: int) -> Tensor:
        """The zero state, ``(batch, state_size)``, where the parameters live."""
        parameter = next(self.parameters())
        return parameter.new_zeros(batch, self.spec.state_size)

    def forward(
        self,
        inputs: Tensor,
        state: Tensor | None = None,
        timespans: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run a batch of sequences.

        Args:
            inputs: ``(B, T, inputs)``.
            state: ``(B, state_size)``, or None for the zero state.
            timespans: elapsed time before each step, in the cell's time unit, ``(B, T)``, or None for 1.
            forced: ``(B, T, state_size)``, the states to go on from after each step in place of those
                computed. Gradients pass as if nothing had been replaced (straight-through), so they are
                those of the cell along the given trajectory. None replaces nothing.

        Returns:
            Outputs ``(B, T, outputs)`` and the last state ``(B, state_size)``.

        Raises:
            ValueError: a shape is not as above, or a timespan is not above 0.
        """
        self._check(inputs, state, timespans, forced)
        check_timespans(timespans)
        batch, length = inputs.shape[:2]
        state = self.initial_state(batch) if state is None else state
        timespans = inputs.new_ones(batch, length) if timespans is None else timespans
        constants = self.prepare()
        # unbind once: indexing [:, t] in the loop would record a slice a step for the backward pass.
        drives = self.drive(constants, inputs).unbind(dim=1)
        spans = timespans.unsqueeze(-1).unbind(dim=1)
        replacements = [None] * length if forced is None else forced.detach().unbind(dim=1)
        states = []
        for drive, span, replacement in zip(drives, spans, replacements, strict=True):
            state = self.step(constants, drive, state, span)
            if replacement is not None:
                # The difference is exactly zero; it carries the gradient alone.
                state = replacement + (state - state.detach())
            states.append(state)
        if not states:
            return inputs.new_zeros(batch, 0, self.spec.outputs), state
        return self.output(constants, torch.stack(states, dim=1)), state

    def _check(
        self, inputs: Tensor, state: Tensor | None, timespans: Tensor | None, forced: Tensor | None
    ) -> None:
        if inputs.ndim != 3 or inputs.shape[2] != self.spec.inputs:
            raise ValueError(
                f"inputs have shape {tuple(inputs.shape)}, expected (batch, time, {self.spec.inputs})"
            )
        if state is not None and state.shape != (inputs.shape[0], self.spec.state_size):
            raise ValueError(
                f"state has shape {tuple(state.shape)}, expected ({inputs.shape[0]}, {self.spec.state_size})"
            )
        if timespans is not None and timespans.shape != inputs.shape[:2]:
            raise ValueError(
                f"timespans have shape {tuple(timespans.shape)}, "
                f"expected {tuple(inputs.shape[:2])}: one a step"
            )
        expected = (*inputs.shape[:2], self.spec.state_size)
        if forced is not None and forced.shape != expected:
            raise ValueError(f"forced has shape {tuple(forced.shape)}, expected {expected}: a state a step")


def check_timespans(timespans: Tensor | None) -> None:
    """Refuse what cannot be stepped over, where values can be seen: not in a graph nor a transform."""
    if (
        timespans is not None
        and not torch.compiler.is_compiling()
        and not is_transformed()
        and not bool((timespans > 0).all())
    ):
        raise ValueError(BAD_TIMESPAN)


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator | None
) -> nn.Parameter:
    """A parameter drawn from U(low, high)."""
    return nn.Parameter(low + (high - low) * torch.rand(shape, generator=generator))


def xavier(shape: tuple[int, int], generator: torch.Generator | None) -> nn.Parameter:
    """A weight matrix with Glorot's uniform initialisation."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(shape), generator=generator))


def zeros(*shape: int) -> nn.Parameter:
    """A parameter of zeros."""
    return nn.Parameter(torch.zeros(shape))
