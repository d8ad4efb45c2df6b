"""AdamW without `torch.optim.Optimizer`, whose use imports torch's compiler, as slow to import as torch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.adamw import adamw

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What is kept of a parameter, by torch's names: updates so far, means of the gradient and of its square."""


class AdamW:
    """Decoupled weight decay and Adam (Loshchilov & Hutter 2019), to the bits of `torch.optim.AdamW`.

    Attributes:
        moments: `MOMENTS` of each parameter, by its name; none before its first gradient.
    """

    def __init__(self, parameters: Mapping[str, Tensor], weight_decay: float) -> None:
        self.moments: dict[str, dict[str, Tensor]] = {}
        self._parameters, self._weight_decay = dict(parameters), weight_decay

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient."""
        moved = {name: each for name, each in self._parameters.items() if each.grad is not None}
        for name in moved.keys() - self.moments.keys():
            first = torch.zeros(()), *(torch.zeros_like(moved[name]) for _ in range(2))
            self.moments[name] = dict(zip(MOMENTS, first, strict=True))
        steps, means, squares = ([self.moments[name][moment] for name in moved] for moment in MOMENTS)
        adamw(
            list(moved.values()),
            [each.grad for each in moved.values() if each.grad is not None],
            means,
            squares,
            [],
            steps,
            # Parameters are small and many: one call for all takes a third of the time of one for each.
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )
