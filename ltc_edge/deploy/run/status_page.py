"""The status page of a loop: read-only, on a local port, served beside the loop and never in it."""

from __future__ import annotations

import html
import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from ltc_edge.deploy.run.document import run_document
from ltc_edge.deploy.run.page import Snapshot
from ltc_edge.deploy.run.prometheus import CONTENT_TYPE, metrics
from ltc_edge.errors import InputError

REQUEST_S = 5.0
"""A client that says nothing for so long is cut off."""
_NAMES = ("localhost",)
_STYLE = "body{font:15px system-ui;margin:2em}td,th{padding:.2em 1em .2em 0;text-align:left}"


class StatusPage:
    """Serves ``/``, ``/status.json`` and ``/metrics`` until it is closed.

    Args:
        address: where to listen; a port of 0 takes one that is free.
        snapshot: what the loop is doing.
        title: of the page.
        observations, actions: names of the signals.

    Raises:
        InputError: the address cannot be listened at.
    """

    def __init__(
        self,
        address: tuple[str, int],
        snapshot: Callable[[], Snapshot],
        title: str,
        observations: Sequence[str],
        actions: Sequence[str],
    ) -> None:
        class Handler(_Handler):
            pages: ClassVar = {
                "/": ("text/html; charset=utf-8", lambda: _html(title, document())),
                "/status.json": ("application/json", lambda: json.dumps(document(), allow_nan=False)),
                "/metrics": (CONTENT_TYPE, lambda: metrics(snapshot(), observations, actions)),
            }

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            daemon_threads = True

        def document() -> dict[str, Any]:
            return run_document(snapshot(), observations, actions)

        try:
            self._server = Server(address, Handler)
        except OSError as error:
            raise InputError(
                f"--status: cannot listen at {address[0]}:{address[1]} ({error.strerror})"
            ) from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def parse_status_address(said: str) -> tuple[str, int]:
    """Host and port of ``[HOST:]PORT``; a port alone is one of 127.0.0.1.

    Raises:
        InputError: it is none.
    """
    host, _, port = said.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise InputError(f"--status: {said[:60]!r} is no [HOST:]PORT, such as 8080")
    return host, int(port)


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, tuple[str, Callable[[], str]]]]
    timeout = REQUEST_S
    server_version, sys_version = "ltc-edge", ""

    def do_GET(self) -> None:
        """A page, or why not."""
        if not _is_own_host(self.headers.get("Host", "")):
            # A name that somebody made to lead here would let a stranger's web page read this one.
            self._answer(403, "text/plain", "Ask by address, or as localhost.\n")
        elif self.path not in self.pages:
            self._answer(404, "text/plain", "There are /, /status.json and /metrics.\n")
        else:
            kind, content = self.pages[self.path]
            self._answer(200, kind, content())

    def _answer(self, code: int, kind: str, content: str) -> None:
        body = content.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is the loop's."""


def _is_own_host(header: str) -> bool:
    """Whether a Host header is an address, or localhost: no other name can be made to lead here."""
    host = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return host.lower().rstrip(".") in _NAMES
    return True


def _html(title: str, document: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(name.replace('_', ' '))}</th><td>{html.escape(_cell(value))}</td></tr>"
        for name, value in document.items()
    )
    name = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1">'
        f"<title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1><table>{rows}</table>"
        '<p><a href="/metrics">metrics</a> <a href="/status.json">JSON</a></p></body></html>'
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)
