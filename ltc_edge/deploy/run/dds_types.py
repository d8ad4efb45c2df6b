"""Types of DDS for readings and actions; imported where cyclonedds is installed.

In IDL::

    struct LtcEdgeReadings {
        unsigned long long timestamp; unsigned long requests;
        sequence<float> observation; sequence<float> age_s; sequence<float> external;
    };
    struct LtcEdgeAction {
        unsigned long sequence; unsigned long long timestamp; unsigned long readings;
        unsigned long status; unsigned long mode;
        sequence<float> action; sequence<float> proposal;
    };
"""

# No postponed annotations: the types are read when a class is made.
from dataclasses import dataclass

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import float32, sequence, uint32, uint64


@dataclass
class LtcEdgeReadings(IdlStruct, typename="LtcEdgeReadings"):  # type: ignore[call-arg,misc]
    """What a plant says; ages and external actions may be empty."""

    timestamp: uint64
    requests: uint32
    observation: sequence[float32]
    age_s: sequence[float32]
    external: sequence[float32]


@dataclass
class LtcEdgeAction(IdlStruct, typename="LtcEdgeAction"):  # type: ignore[call-arg,misc]
    """What the loop answers."""

    sequence: uint32
    timestamp: uint64
    readings: uint32
    status: uint32
    mode: uint32
    action: sequence[float32]
    proposal: sequence[float32]
