"""One version in the place of another: at once, watched, and taken back where it does not do.

``pending.json`` says that a switch is not over. Whoever comes next and finds it goes back to what ran before,
since nobody saw the new version work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .layout import Layout, Refused, document_of, faults, read, replace, sync_folder
from .services import Service, find_service


@dataclass(frozen=True)
class Patience:
    """How long a program has.

    Attributes:
        ready_s: to report ready.
        watch_s: it must then run without a fault.
    """

    ready_s: float
    watch_s: float


def switch(layout: Layout, identity: str, patience: Patience) -> dict[str, Any]:
    """Let ``identity`` run; ``switched`` says whether it does, and ``detail`` why not.

    Raises:
        Refused: it is not whole.
    """
    folder = layout.version(identity)
    wrong = faults(folder, identity)
    if wrong:
        raise Refused(f"version {identity} is not whole: {wrong[0]}; deploy it again")
    before = layout.linked(layout.current)
    replace(layout.pending, json.dumps({"before": before, "to": identity}).encode())
    if before is not None and before != identity and _kind(layout, before) != _kind(layout, identity):
        _service(layout, before).stop()
    layout.point(layout.current, identity)
    why = _run(layout, identity, patience)
    if why is not None:
        restored = _go_back(layout, before, identity, patience)
        return {"switched": False, "detail": why, "restored": restored, "current": before}
    if before not in (None, identity):
        layout.point(layout.previous, before)
    _settle(layout)
    return {"switched": True, "detail": None, "restored": None, "current": identity}


def recover(layout: Layout, patience: Patience) -> str | None:
    """Go back from a switch that was cut off; what was done, or None where there was none.

    Raises:
        Refused: what is written about it makes no sense.
    """
    try:
        pending = json.loads(read(layout.pending))
        before, to = pending["before"], pending["to"]
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        raise Refused(f"{layout.pending} makes no sense; look at what runs, and remove it") from None
    _go_back(layout, before, to, patience)
    return f"a switch to {to} was cut off: back to {before or 'nothing'}"


def service_of(layout: Layout) -> Service | None:
    """What starts the current version; None where there is none."""
    current = layout.linked(layout.current)
    return None if current is None else _service(layout, current)


def _go_back(layout: Layout, before: str | None, tried: str, patience: Patience) -> str | None:
    """To ``before``, which runs again when this returns; why it does not, if so."""
    layout.point(layout.current, before)
    if before is None or _kind(layout, before) != _kind(layout, tried):
        _service(layout, tried).stop()
    why = None
    # One that never stopped is left alone.
    if before is not None and _service(layout, before).state()["version"] != before:
        why = _run(layout, before, patience)
    _settle(layout)
    return why


def _run(layout: Layout, identity: str, patience: Patience) -> str | None:
    service = _service(layout, identity)
    return service.start(patience.ready_s) or service.watch(identity, patience.watch_s)


def _kind(layout: Layout, identity: str) -> str:
    folder = layout.version(identity)
    return str(document_of(folder)["service"]) if folder.is_dir() else "none"


def _service(layout: Layout, identity: str) -> Service:
    return find_service(layout, _kind(layout, identity))


def _settle(layout: Layout) -> None:
    layout.pending.unlink(missing_ok=True)
    sync_folder(layout.folder)
