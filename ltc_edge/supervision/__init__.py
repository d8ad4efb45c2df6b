"""What stands between a controller and hardware: one state machine, in C and in Python to the bit.

``docs/supervisor.md`` says what it does; ``firmware_examples/common/ltc_supervisor.c`` is what runs on
devices. `Settings` follow from a controller and a user's ``supervisor.toml``; `settings_c` writes them for C;
`Supervisor` is the state machine in Python; `SupervisedController` is a bundle's C with the supervisor's,
compiled for this machine.
"""

from ltc_edge.supervision.codes import STATUS, Fallback, Mode, Request, status_names
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_c import settings_c
from ltc_edge.supervision.settings_file import read_settings, settings_from_table
from ltc_edge.supervision.supervisor import Supervisor

__all__ = [
    "STATUS",
    "Fallback",
    "Mode",
    "Request",
    "Settings",
    "SupervisedController",
    "Supervisor",
    "default_settings",
    "read_settings",
    "settings_c",
    "settings_from_table",
    "status_names",
]
