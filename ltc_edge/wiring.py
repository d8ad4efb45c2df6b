"""Wirings: which neuron listens to which, with what polarity.

Neurons are numbered motor | command | inter, so that the first ``outputs`` of them are what a
controller reads. NCP and AutoNCP follow Lechner et al., "Neural circuit policies enabling auditable
autonomy", Nature Machine Intelligence 2020; the order of their random draws is that of the ``ncps``
package, so the same seed gives the same wiring there and here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import InputError

Adjacency = npt.NDArray[np.int8]

MAX_NEURONS = 4096
"""Most neurons, and most sensory neurons, of a wiring: a hostile file must not claim all memory."""

MAX_SEED = 2**32 - 1


class Role(StrEnum):
    """What a neuron does in the circuit; sensory neurons are the inputs themselves."""

    INTER = "inter"
    COMMAND = "command"
    MOTOR = "motor"


@dataclass(frozen=True, eq=False)
class Wiring:
    """Signed connections of ``units`` neurons and ``inputs`` sensory neurons.

    Attributes:
        kind: ``dense``, ``random``, ``ncp`` or ``custom``.
        sensory: polarity of input → neuron, shape ``(inputs, units)``, each −1, 0 or +1.
        recurrent: polarity of neuron → neuron, shape ``(units, units)``: row source, column target.
        roles: one role a neuron; motor neurons come first.
        seed: what the random draws started from, for the record.
    """

    kind: str
    sensory: Adjacency
    recurrent: Adjacency
    roles: tuple[Role, ...]
    seed: int | None = None

    def __post_init__(self) -> None:
        units = len(self.recurrent) if self.recurrent.ndim else 0
        if self.recurrent.shape != (units, units) or units == 0:
            raise InputError(
                f"wiring: recurrent adjacency {self.recurrent.shape} must be square and not empty"
            )
        if self.sensory.ndim != 2 or self.sensory.shape[1] != units or self.sensory.shape[0] == 0:
            raise InputError(f"wiring: sensory adjacency {self.sensory.shape} must be (inputs, {units})")
        _require_count("inputs", len(self.sensory))
        _require_count("units", units)
        if len(self.roles) != units:
            raise InputError(f"wiring: {len(self.roles)} roles for {units} neurons")
        for name in ("sensory", "recurrent"):
            if not np.isin(getattr(self, name), (-1, 0, 1)).all():
                raise InputError(f"wiring: {name} polarities must be -1, 0 or +1")
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.int8))
        motor = [role is Role.MOTOR for role in self.roles]
        if not any(motor) or motor != sorted(motor, reverse=True):
            raise InputError("wiring: motor neurons must come first, and there must be at least one")
        object.__setattr__(self, "seed", None if self.seed is None else int(self.seed))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wiring):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.kind, self.sensory.tobytes(), self.recurrent.tobytes(), self.roles))

    @property
    def inputs(self) -> int:
        """Number of sensory neurons."""
        return int(self.sensory.shape[0])

    @property
    def units(self) -> int:
        """Number of neurons."""
        return int(self.recurrent.shape[0])

    @property
    def outputs(self) -> int:
        """Number of motor neurons."""
        return sum(role is Role.MOTOR for role in self.roles)

    @property
    def synapses(self) -> npt.NDArray[np.int64]:
        """Recurrent synapses as (source, target) rows, shape ``(S, 2)``, in row-major order."""
        return np.argwhere(self.recurrent)

    @property
    def sensory_synapses(self) -> npt.NDArray[np.int64]:
        """Sensory synapses as (input, target) rows, shape ``(S_in, 2)``, in row-major order."""
        return np.argwhere(self.sensory)

    def neurons(self, role: Role) -> npt.NDArray[np.int64]:
        """Indices of the neurons of one role, ascending."""
        return np.flatnonzero(np.array([own is role for own in self.roles]))

    def describe(self) -> str:
        """One line: size and role counts."""
        counts = Counter(self.roles)
        roles = ", ".join(f"{counts[role]} {role}" for role in Role if counts[role])
        synapses = len(self.synapses) + len(self.sensory_synapses)
        return f"{self.kind}: {self.inputs} sensory, {roles}; {synapses} synapses"

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes an equal wiring."""

        def rows(adjacency: Adjacency) -> list[list[int]]:
            return [[int(s), int(t), int(adjacency[s, t])] for s, t in np.argwhere(adjacency)]

        return {
            "kind": self.kind,
            "inputs": self.inputs,
            "roles": [str(role) for role in self.roles],
            "sensory": rows(self.sensory),
            "recurrent": rows(self.recurrent),
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Wiring:
        """The wiring that `to_json` wrote.

        Raises:
            InputError: a field is missing, of the wrong type, or out of range.
        """
        try:
            kind, inputs, seed = document["kind"], document["inputs"], document.get("seed")
            if not isinstance(kind, str):
                raise InputError(f"wiring: kind must be text, not {kind!r}")
            if seed is not None and not _is_whole(seed):
                raise InputError(f"wiring: seed must be a whole number or null, not {seed!r}")
            roles = tuple(Role(role) for role in document["roles"])
            units = len(roles)
            _require_count("inputs", inputs)
            _require_count("units", units)
            sensory = _adjacency(document["sensory"], inputs, units)
            recurrent = _adjacency(document["recurrent"], units, units)
            return cls(kind, sensory, recurrent, roles, seed)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"wiring: unreadable field ({type(error).__name__}: {error})") from None


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _require_count(name: str, value: object) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value <= MAX_NEURONS:
        raise InputError(f"wiring: {name} must be a whole number from 1 to {MAX_NEURONS}, not {value!r}")


def _require_seed(seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"wiring: seed {seed} must be from 0 to {MAX_SEED}")


def _adjacency(rows: Any, sources: int, targets: int) -> Adjacency:
    adjacency = np.zeros((sources, targets), dtype=np.int8)
    for source, target, polarity in rows:
        if not all(_is_whole(value) for value in (source, target, polarity)):
            raise InputError(f"wiring: synapse {source!r} → {target!r} is not given in whole numbers")
        if not (0 <= source < sources and 0 <= target < targets):
            raise InputError(f"wiring: synapse {source} → {target} leaves the circuit")
        if polarity not in (-1, 1):
            raise InputError(f"wiring: synapse {source} → {target} has polarity {polarity}, not -1 or +1")
        if adjacency[source, target]:
            raise InputError(f"wiring: synapse {source} → {target} appears twice")
        adjacency[source, target] = polarity
    return adjacency


def _layered_roles(outputs: int, command: int, inter: int) -> tuple[Role, ...]:
    return (Role.MOTOR,) * outputs + (Role.COMMAND,) * command + (Role.INTER,) * inter


def dense(inputs: int, units: int, outputs: int, *, seed: int = 1111) -> Wiring:
    """Every neuron listens to every input and every neuron; two thirds of the synapses excite.

    Raises:
        InputError: there are fewer units than outputs.
    """
    return random(inputs, units, outputs, sparsity=0.0, seed=seed, kind="dense")


def random(
    inputs: int, units: int, outputs: int, *, sparsity: float = 0.5, seed: int = 1111, kind: str = "random"
) -> Wiring:
    """A share ``1 − sparsity`` of all possible synapses, drawn without replacement.

    Raises:
        InputError: there are fewer units than outputs, ``sparsity`` leaves [0, 1), or a size or the
            seed is out of range.
    """
    if not 0 < outputs <= units:
        raise InputError(f"wiring: {units} units cannot hold {outputs} outputs; ask for more units")
    if not 0.0 <= sparsity < 1.0:
        raise InputError(f"wiring: sparsity {sparsity} must be in [0, 1)")
    _require_count("inputs", inputs)
    _require_count("units", units)
    _require_seed(seed)
    rng = np.random.default_rng(seed)

    def draw(sources: int) -> Adjacency:
        size = sources * units
        chosen = rng.choice(size, size=max(round(size * (1.0 - sparsity)), 1), replace=False)
        adjacency = np.zeros(size, dtype=np.int8)
        adjacency[chosen] = rng.choice(np.array([-1, 1, 1], dtype=np.int8), size=chosen.size)
        return adjacency.reshape(sources, units)

    recurrent = draw(units)
    sensory = draw(inputs)
    return Wiring(kind, sensory, recurrent, _layered_roles(outputs, 0, units - outputs), seed)


def ncp(
    inputs: int,
    *,
    inter: int,
    command: int,
    motor: int,
    sensory_fanout: int,
    inter_fanout: int,
    recurrent_command_synapses: int,
    motor_fanin: int,
    seed: int = 22222,
) -> Wiring:
    """A four-layer neural circuit policy: sensory → inter → command (recurrent) → motor.

    Raises:
        InputError: a layer is empty, or a fan-out or fan-in exceeds the layer it reaches.
    """
    for name, size in (("inputs", inputs), ("inter", inter), ("command", command), ("motor", motor)):
        _require_count(name, size)
    _require_count("units", inter + command + motor)
    _require_seed(seed)
    if recurrent_command_synapses < 0:
        raise InputError(
            f"wiring: recurrent_command_synapses {recurrent_command_synapses} must not be negative"
        )
    for name, fan, layer, size in (
        ("sensory_fanout", sensory_fanout, "inter", inter),
        ("inter_fanout", inter_fanout, "command", command),
        ("motor_fanin", motor_fanin, "command", command),
    ):
        if not 0 < fan <= size:
            raise InputError(f"wiring: {name} {fan} must be between 1 and the {size} {layer} neurons")
    draws = _NcpDraws(seed, inputs, motor, command, inter)
    draws.connect_forward(draws.sensory, range(inputs), draws.inter_ids, sensory_fanout)
    draws.connect_forward(draws.recurrent, draws.inter_ids, draws.command_ids, inter_fanout)
    draws.connect_commands(recurrent_command_synapses)
    draws.connect_motors(motor_fanin)
    return Wiring("ncp", draws.sensory, draws.recurrent, _layered_roles(motor, command, inter), seed)


def auto_ncp(inputs: int, units: int, outputs: int, *, sparsity: float = 0.5, seed: int = 22222) -> Wiring:
    """An NCP whose layer sizes and fan-outs follow from the number of units and the sparsity.

    Raises:
        InputError: fewer than ``outputs + 3`` units, or ``sparsity`` outside [0.1, 0.9].
    """
    if not 0 < outputs < units - 2:
        raise InputError(
            f"wiring: an NCP of {units} units cannot hold {outputs} outputs; "
            f"ask for at least {outputs + 3} units"
        )
    if not 0.1 <= sparsity <= 0.9:
        raise InputError(f"wiring: sparsity {sparsity} must be in [0.1, 0.9]")
    density = 1.0 - sparsity
    hidden = units - outputs
    command = max(int(0.4 * hidden), 1)
    inter = hidden - command
    fanout = max(int(command * density), 1)
    return ncp(
        inputs,
        inter=inter,
        command=command,
        motor=outputs,
        sensory_fanout=max(int(inter * density), 1),
        inter_fanout=fanout,
        recurrent_command_synapses=max(int(command * density * 2), 1),
        motor_fanin=fanout,
        seed=seed,
    )


class _NcpDraws:
    """Draws the layers of an NCP one after the other from one random stream."""

    def __init__(self, seed: int, inputs: int, motor: int, command: int, inter: int) -> None:
        # The legacy generator, because published wirings are named by its seeds.
        self.rng = np.random.RandomState(seed)
        units = motor + command + inter
        self.motor_ids = range(motor)
        self.command_ids = range(motor, motor + command)
        self.inter_ids = range(motor + command, units)
        self.sensory = np.zeros((inputs, units), dtype=np.int8)
        self.recurrent = np.zeros((units, units), dtype=np.int8)

    def _polarity(self) -> int:
        return int(self.rng.choice([-1, 1]))

    def _choose(self, candidates: range, size: int) -> list[int]:
        return [int(neuron) for neuron in self.rng.choice(candidates, size=size, replace=False)]

    def connect_forward(self, adjacency: Adjacency, sources: range, targets: range, fanout: int) -> None:
        """``fanout`` synapses out of every source; targets nobody chose get the mean fan-in."""
        for source in sources:
            for target in self._choose(targets, fanout):
                adjacency[source, target] = self._polarity()
        mean_fanin = int(np.clip(len(sources) * fanout // len(targets), 1, len(sources)))
        for target in targets:
            if not adjacency[sources.start : sources.stop, target].any():
                for source in self._choose(sources, mean_fanin):
                    adjacency[source, target] = self._polarity()

    def connect_commands(self, synapses: int) -> None:
        """Recurrent synapses among the command neurons, drawn with replacement."""
        for _ in range(synapses):
            source, target = int(self.rng.choice(self.command_ids)), int(self.rng.choice(self.command_ids))
            self.recurrent[source, target] = self._polarity()

    def connect_motors(self, fanin: int) -> None:
        """``fanin`` synapses into every motor neuron; command neurons nobody chose get the mean fan-out."""
        motors, commands = self.motor_ids, self.command_ids
        for target in motors:
            for source in self._choose(commands, fanin):
                self.recurrent[source, target] = self._polarity()
        mean_fanout = int(np.clip(len(motors) * fanin // len(commands), 1, len(motors)))
        for source in commands:
            if not self.recurrent[source, : len(motors)].any():
                for target in self._choose(motors, mean_fanout):
                    self.recurrent[source, target] = self._polarity()
