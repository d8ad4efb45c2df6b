"""Export: from a controller to what a device runs.

The folder ``export/`` at the top of the repository is this package. So far it holds what every format
starts from: the synapse-list form of an LTC, and the proved range of its state.
"""

from ltc_edge.export.state_bounds import StateBounds, state_bounds
from ltc_edge.export.synapse_list import Operations, SynapseListLTC, lower_ltc

__all__ = ["Operations", "StateBounds", "SynapseListLTC", "lower_ltc", "state_bounds"]
