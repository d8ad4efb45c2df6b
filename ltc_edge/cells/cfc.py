"""The closed-form continuous-time cell in torch.

Hasani, Lechner, Amini, Liebenwein, Ray, Tschaikowski, Teschl, Rus, "Closed-form continuous-time neural
networks", Nature Machine Intelligence 2022, arXiv 2106.13898. With z the backbone's features of
[input, state] and t the elapsed time:

    default   g = σ(time_a(z)·t + time_b(z));  h' = tanh(ff1 z)·(1 − g) + g·tanh(ff2 z)
    no_gate   h' = tanh(ff1 z) + g·tanh(ff2 z)
    pure      h' = A − A·exp(−t·(|w_tau| + |ff1 z|))·ff1 z
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ltc_edge.cells.cell import Cell, xavier, zeros
from ltc_edge.cells.fused import is_fusable
from ltc_edge.cells.spec import CfCSpec
from ltc_edge.kernels import binding_cfc
from ltc_edge.kernels.binding_cfc import Settings
from ltc_edge.kernels.cfc import Batch, Network, cfc


def lecun_tanh(x: Tensor) -> Tensor:
    """LeCun's scaled tanh, 1.7159·tanh(0.666·x)."""
    return 1.7159 * torch.tanh(0.666 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "lecun_tanh": lecun_tanh,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "silu": functional.silu,
    "gelu": functional.gelu,
}


MOST_FUSED_PARAMETERS = 1 << 18
"""Weights of larger cells outgrow the cache; torch's products are then as fast."""


class Linear(NamedTuple):
    """Weight ``(out, in)`` and bias ``(out,)``."""

    weight: Tensor
    bias: Tensor


class Layer(NamedTuple):
    """One cell: its input and state columns, all heads stacked, and the time constants of the pure mode."""

    from_input: Tensor
    from_state: Tensor
    bias: Tensor
    w_tau: Tensor | None
    a: Tensor | None


class CfCCell(Cell):
    """CfC cell after `CfCSpec`, wired or with a backbone."""

    spec: CfCSpec

    def __init__(self, spec: CfCSpec, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        for name, shape in spec.parameter_shapes().items():
            if len(shape) == 2:
                parameter = xavier((shape[0], shape[1]), generator)
            elif name.endswith("A"):
                parameter = nn.Parameter(torch.ones(shape))
            else:
                parameter = zeros(*shape)
            self.register_parameter(name, parameter)
        for index, layer in enumerate(spec.layers()):
            if layer.mask is not None:
                mask = torch.from_numpy(layer.mask.T.astype("float32"))
                self.register_buffer(f"layer_{index}_mask", mask, persistent=False)
        # Sizes take time to find, and a short sequence next to none.
        self._names = tuple(spec.parameter_shapes())
        self._settings = _settings(spec)
        self.constrain()

    def constrain(self) -> None:
        """Keep the masked entries of the sparse heads at zero."""
        with torch.no_grad():
            for index, layer in enumerate(self.spec.layers()):
                if layer.mask is not None:
                    for head in self.spec.heads():
                        if head.startswith("ff"):
                            weight = self.get_parameter(f"layer_{index}_{head}_weight")
                            weight.mul_(self.get_buffer(f"layer_{index}_mask"))

    def forward(
        self,
        inputs: Tensor,
        state: Tensor | None = None,
        timespans: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run a batch of sequences: see `Cell.forward`. On the CPU this is one call of the fused kernel.

        Not of a backbone with gelu, nor of a cell of more than `MOST_FUSED_PARAMETERS`: these go through
        torch step by step.
        """
        parameters = [self.value(name) for name in self._names]
        if self._settings is None or not is_fusable(inputs, state, timespans, forced, *parameters):
            return super().forward(inputs, state, timespans, forced)
        self._check(inputs, state, timespans, forced)
        state = self.initial_state(inputs.shape[0]) if state is None else state
        count = len(self._settings.layer_units) if self.spec.wiring is not None else 0
        masks = tuple(self.get_buffer(f"layer_{index}_mask") for index in range(count))
        return cfc(Batch(inputs, state, timespans, forced), parameters, Network(self._settings, masks))

    def prepare(self) -> tuple[list[Linear], list[Layer]]:
        """The backbone's layers and the cells' stacked heads."""
        names = list(self.spec.backbone_shapes())
        backbone = [
            Linear(self.value(weight), self.value(bias))
            for weight, bias in zip(names[::2], names[1::2], strict=True)
        ]
        return backbone, [self._layer(index) for index in range(len(self.spec.layers()))]

    def _layer(self, index: int) -> Layer:
        prefix = "" if self.spec.wiring is None else f"layer_{index}_"
        weights = []
        for head in self.spec.heads():
            weight = self.value(f"{prefix}{head}_weight")
            masked = prefix and head.startswith("ff")
            weights.append(weight * self.get_buffer(f"layer_{index}_mask") if masked else weight)
        stacked = torch.cat(weights)
        pure = self.spec.mode == "pure"
        # With a backbone the heads see its features alone, as if these were the state.
        inputs = 0 if self.spec.backbone_shapes() else self.spec.layers()[index].inputs
        return Layer(
            from_input=stacked[:, :inputs],
            from_state=stacked[:, inputs:],
            bias=torch.cat([self.value(f"{prefix}{head}_bias") for head in self.spec.heads()]),
            w_tau=self.value(f"{prefix}w_tau") if pure else None,
            a=self.value(f"{prefix}A") if pure else None,
        )

    def drive(self, constants: tuple[list[Linear], list[Layer]], inputs: Tensor) -> Tensor:
        """The input's share of the first linear map, bias included."""
        backbone, layers = constants
        if backbone:
            return functional.linear(inputs, backbone[0].weight[:, : self.spec.inputs], backbone[0].bias)
        return functional.linear(inputs, layers[0].from_input, layers[0].bias)

    def step(
        self, constants: tuple[list[Linear], list[Layer]], drive: Tensor, state: Tensor, timespan: Tensor
    ) -> Tensor:
        """The next state in closed form."""
        backbone, layers = constants
        if backbone:
            activation = ACTIVATIONS[self.spec.activation]
            features = activation(drive + state @ backbone[0].weight[:, self.spec.inputs :].T)
            for linear in backbone[1:]:
                features = activation(functional.linear(features, *linear))
            return self._close(
                layers[0], functional.linear(features, layers[0].from_state, layers[0].bias), timespan
            )
        states = torch.split(state, [layer.units for layer in self.spec.layers()], dim=1)
        following: list[Tensor] = []
        for layer, own in zip(layers, states, strict=True):
            if following:
                drive = functional.linear(following[-1], layer.from_input, layer.bias)
            following.append(self._close(layer, drive + own @ layer.from_state.T, timespan))
        return torch.cat(following, dim=1)

    def _close(self, layer: Layer, heads: Tensor, timespan: Tensor) -> Tensor:
        if layer.w_tau is not None and layer.a is not None:
            return layer.a - layer.a * torch.exp(-timespan * (layer.w_tau.abs() + heads.abs())) * heads
        ff1, ff2, time_a, time_b = heads.chunk(4, dim=1)
        ff1, ff2 = torch.tanh(ff1), torch.tanh(ff2)
        gate = torch.sigmoid(time_a * timespan + time_b)
        return ff1 + gate * ff2 if self.spec.mode == "no_gate" else ff1 * (1.0 - gate) + gate * ff2

    def output(self, constants: tuple[list[Linear], list[Layer]], state: Tensor) -> Tensor:  # noqa: ARG002
        """The whole state, or of a wired cell the motor neurons, which come last."""
        return state[..., self.spec.units - self.spec.outputs :]


def _settings(spec: CfCSpec) -> Settings | None:
    """What the kernel is told about a cell; None for one that it cannot run, or not faster."""
    has_backbone = bool(spec.backbone_shapes())
    if has_backbone and spec.activation not in binding_cfc.ACTIVATIONS:
        return None
    if spec.parameters_dense() > MOST_FUSED_PARAMETERS:
        return None
    return Settings(
        spec.inputs,
        spec.units,
        spec.outputs,
        binding_cfc.MODES.index(spec.mode),
        spec.backbone_layers if has_backbone else 0,
        spec.backbone_units if has_backbone else 0,
        binding_cfc.ACTIVATIONS.index(spec.activation) if has_backbone else 0,
        tuple(layer.units for layer in spec.layers()),
    )
