"""The liquid time-constant cell in torch.

Hasani, Lechner, Amini, Rus, Grosu, "Liquid Time-constant Networks", AAAI 2021, arXiv 2006.04439.
With conductances b of synapse (j → i), each neuron follows

    cm_i dv_i/dt = gleak_i (vleak_i − v_i) + Σ_j b_ij (erev_ij − v_i),   b_ij = w_ij σ(sigma_ij (v_j − mu_ij))

and the same sum over the inputs. Synapses are lists, and their sums are matrix products: there is
neither a Python loop nor a stored zero for an absent synapse.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ltc_edge.cells.cell import Cell, check_timespans, uniform, zeros
from ltc_edge.cells.fused import is_fusable, is_fusable_on_gpu
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.kernels.binding import NAMES, SOLVERS
from ltc_edge.kernels.gpu.rows import tables
from ltc_edge.kernels.ltc import Batch, Network, ltc

MIN_CAPACITANCE = 1e-3  # all solvers but the fused one divide by it
EPSILON = 1e-8  # keeps a solver's denominator from zero, as in the reference implementation


class Sums(NamedTuple):
    """How synapses add up.

    ``gather`` ``(N, S)`` and ``shift`` ``(S,)`` give a synapse's pre-activation from what it hears,
    ``scatter`` ``(S, 2N)`` the numerator and denominator sums a neuron from the synapses' sigmoids.
    """

    gather: Tensor
    shift: Tensor
    scatter: Tensor


class Constants(NamedTuple):
    """What a sequence needs of the parameters."""

    synapses: Sums
    sensory: Sums
    cm: Tensor
    leak: Tensor


class LTCCell(Cell):
    """LTC cell with the fused, exponential Euler, explicit Euler or RK4 solver, after `LTCSpec`."""

    spec: LTCSpec
    sources: Tensor
    targets: Tensor
    sensory_sources: Tensor
    sensory_targets: Tensor
    synapse_list: Tensor
    sensory_list: Tensor
    target_slots: Tensor | None
    target_ends: Tensor | None
    source_slots: Tensor | None
    source_ends: Tensor | None

    def __init__(self, spec: LTCSpec, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        wiring = spec.wiring
        synapses, sensory = wiring.synapses, wiring.sensory_synapses
        self._add_one_hot("", synapses, wiring.units)
        self._add_one_hot("sensory_", sensory, wiring.inputs)
        self._add_rows()
        units, s, s_in = spec.units, len(synapses), len(sensory)
        self.gleak = uniform((units,), 0.001, 1.0, generator)
        self.vleak = uniform((units,), -0.2, 0.2, generator)
        self.cm = uniform((units,), 0.4, 0.6, generator)
        self.w = uniform((s,), 0.001, 1.0, generator)
        self.sigma = uniform((s,), 3.0, 8.0, generator)
        self.mu = uniform((s,), 0.3, 0.8, generator)
        self.erev = nn.Parameter(torch.from_numpy(wiring.recurrent[tuple(synapses.T)].astype("float32")))
        self.sensory_w = uniform((s_in,), 0.001, 1.0, generator)
        self.sensory_sigma = uniform((s_in,), 3.0, 8.0, generator)
        self.sensory_mu = uniform((s_in,), 0.3, 0.8, generator)
        self.sensory_erev = nn.Parameter(torch.from_numpy(wiring.sensory[tuple(sensory.T)].astype("float32")))
        if spec.affine:
            self.input_w = nn.Parameter(torch.ones(spec.inputs))
            self.input_b = zeros(spec.inputs)
            self.output_w = nn.Parameter(torch.ones(spec.outputs))
            self.output_b = zeros(spec.outputs)

    def _add_one_hot(self, prefix: str, synapses: object, sources: int) -> None:
        pairs = torch.as_tensor(synapses, dtype=torch.int64).reshape(-1, 2)
        one_hot = functional.one_hot
        # Buffers, so that they move with the module; not persistent, since the wiring holds them already.
        self.register_buffer(f"{prefix}sources", one_hot(pairs[:, 0], sources).T.float(), persistent=False)
        self.register_buffer(
            f"{prefix}targets", one_hot(pairs[:, 1], self.spec.units).float(), persistent=False
        )
        self.register_buffer(
            f"{prefix or 'synapse_'}list", pairs.T.to(torch.int32).contiguous(), persistent=False
        )

    def _add_rows(self) -> None:
        names = ("target_slots", "target_ends", "source_slots", "source_ends")
        for name, array in zip(names, tables(self.spec.wiring) or [None] * len(names), strict=True):
            rows = None if array is None else torch.from_numpy(array)
            self.register_buffer(name, rows, persistent=False)

    def _positive(self, value: Tensor) -> Tensor:
        return functional.softplus(value) if self.spec.positivity == "softplus" else value

    def constrain(self) -> None:
        """In clamp mode, set negative conductances and capacitances to zero."""
        if self.spec.positivity == "clamp":
            with torch.no_grad():
                for parameter in (self.w, self.sensory_w, self.cm, self.gleak):
                    parameter.clamp_(min=0.0)
                if self.spec.solver != "fused":
                    self.cm.clamp_(min=MIN_CAPACITANCE)

    def forward(
        self,
        inputs: Tensor,
        state: Tensor | None = None,
        timespans: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run a batch of sequences: see `Cell.forward`. On CPU and GPU this is one call of a fused kernel."""
        tensors = (inputs, state, timespans, forced, self.gleak)
        on_gpu = self.target_slots is not None and is_fusable_on_gpu(*tensors)
        if not (on_gpu or is_fusable(*tensors)):
            return super().forward(inputs, state, timespans, forced)
        self._check(inputs, state, timespans, forced)
        state = self.initial_state(inputs.shape[0]) if state is None else state
        batch = Batch(inputs, state, timespans, forced, None, None)
        return self.run_on_gpu(batch) if on_gpu else self.run_fused(batch)

    def run_fused(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Outputs and the last state, by the kernel."""
        spec = self.spec
        names = NAMES if spec.affine else NAMES[:-4]
        softplus = spec.positivity == "softplus"
        settings = (SOLVERS.index(spec.solver), spec.unfolds, int(softplus), int(spec.affine))
        network = Network(self.synapse_list, self.sensory_list, spec.outputs, settings)
        return ltc(batch, [self.value(name) for name in names], network)

    def run_on_gpu(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Outputs and the last state, by the kernel for GPUs."""
        from ltc_edge.kernels.gpu.rollout import Sequences, Synapses, Tables, rollout

        inputs, state, timespans, *rest = batch
        check_timespans(timespans)
        drive, w = self._drive(self._sensory(), self._leak(), inputs), self._positive(self.w)
        timespans = inputs.new_ones(inputs.shape[:2]) if timespans is None else timespans
        states = rollout(
            Sequences(drive, state, timespans, *rest),
            self._positive(self.cm),
            Synapses(self.sigma, -self.sigma * self.mu, w * self.erev, w),
            Tables(*(getattr(self, name) for name in Tables._fields)),
            self.spec.solver,
            self.spec.unfolds,
        )
        return self._scaled(states), states[:, -1]

    def prepare(self) -> Constants:
        """Constants of a whole sequence."""
        w = self._positive(self.w)[:, None]
        synapses = Sums(
            gather=self.sources * self.sigma,
            shift=-self.sigma * self.mu,
            scatter=torch.cat([self.targets * (w * self.erev[:, None]), self.targets * w], dim=1),
        )
        return Constants(synapses, self._sensory(), self._positive(self.cm), self._leak())

    def _sensory(self) -> Sums:
        w, targets = self._positive(self.sensory_w)[:, None], self.sensory_targets
        return Sums(
            gather=self.sensory_sources * self.sensory_sigma,
            shift=-self.sensory_sigma * self.sensory_mu,
            scatter=torch.cat([targets * (w * self.sensory_erev[:, None]), targets * w], dim=1),
        )

    def _leak(self) -> Tensor:
        gleak = self._positive(self.gleak)
        return torch.cat([gleak * self.vleak, gleak])

    def drive(self, constants: Constants, inputs: Tensor) -> Tensor:
        """Leak and sensory sums, numerator | denominator, ``(..., 2N)``: they do not depend on the state."""
        return self._drive(constants.sensory, constants.leak, inputs)

    def _drive(self, sensory: Sums, leak: Tensor, inputs: Tensor) -> Tensor:
        if self.spec.affine:
            inputs = inputs * self.input_w + self.input_b
        return torch.sigmoid(inputs @ sensory.gather + sensory.shift) @ sensory.scatter + leak

    def step(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The next state, by the solver of the spec."""
        if self.spec.solver == "fused":
            return self._fused(constants, drive, state, timespan)
        if self.spec.solver == "exponential":
            return self._exponential(constants, drive, state, timespan)
        method = self._euler if self.spec.solver == "euler" else self._rk4
        h = timespan / (self.spec.unfolds * constants.cm)
        for _ in range(self.spec.unfolds):
            state = method(constants, drive, state, h)
        return state

    def _sums(self, constants: Constants, state: Tensor) -> Tensor:
        synapses = constants.synapses
        return torch.sigmoid(torch.addmm(synapses.shift, state, synapses.gather)) @ synapses.scatter

    def _fused(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        units = self.spec.units
        capacity = constants.cm / (timespan / self.spec.unfolds)
        numerator_in = drive[:, :units]
        denominator_in = drive[:, units:] + (capacity + EPSILON)
        for _ in range(self.spec.unfolds):
            sums = self._sums(constants, state)
            numerator = torch.addcmul(numerator_in, capacity, state) + sums[:, :units]
            state = numerator / (denominator_in + sums[:, units:])
        return state

    def _exponential(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """Exponential Euler: the exact solution with each sub-step's conductances frozen.

        ``v' = v + (1 − exp(−h·D/cm))·(N/D − v)`` with the sums N and D at v. N/D lies in the hull of the
        potentials, so nothing is lost where D, and the rate with it, is small.
        """
        units = self.spec.units
        h = timespan / (self.spec.unfolds * constants.cm)
        numerator_in, denominator_in = drive[:, :units], drive[:, units:] + EPSILON
        for _ in range(self.spec.unfolds):
            sums = self._sums(constants, state)
            conductance = denominator_in + sums[:, units:]
            target = (numerator_in + sums[:, :units]) / conductance
            state = torch.lerp(state, target, -torch.expm1(-h * conductance))
        return state

    def _current(self, constants: Constants, drive: Tensor, state: Tensor) -> Tensor:
        numerator, denominator = (self._sums(constants, state) + drive).chunk(2, dim=1)
        return numerator - denominator * state

    def _euler(self, constants: Constants, drive: Tensor, state: Tensor, h: Tensor) -> Tensor:
        return state + h * self._current(constants, drive, state)

    def _rk4(self, constants: Constants, drive: Tensor, state: Tensor, h: Tensor) -> Tensor:
        k1 = self._current(constants, drive, state)
        k2 = self._current(constants, drive, state + 0.5 * h * k1)
        k3 = self._current(constants, drive, state + 0.5 * h * k2)
        k4 = self._current(constants, drive, state + h * k3)
        return state + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

    def output(self, constants: Constants, state: Tensor) -> Tensor:  # noqa: ARG002
        """The motor neurons, scaled and shifted."""
        return self._scaled(state)

    def _scaled(self, state: Tensor) -> Tensor:
        motor = state[..., : self.spec.outputs]
        return motor * self.output_w + self.output_b if self.spec.affine else motor
