"""The middleware zenoh, as rmw_zenoh uses it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any

from ltc_edge.deploy.ros.interfaces import InterfaceType, MessageType, ServiceType
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.middleware import Answer, OnMessage, Publish
from ltc_edge.deploy.ros.quality import Quality
from ltc_edge.deploy.ros.rmw_zenoh import Entity, attachment, key_expression, read_attachment
from ltc_edge.errors import InputError, require

LOOPBACK = "tcp/127.0.0.1:0"
"""Where a session listens: on this machine alone, at whatever port is free."""

_ENDPOINT = re.compile(r"(tcp|udp|tls|quic)/\[?[A-Za-z0-9.:_-]+\]?:\d{1,5}")


class ZenohMiddleware:
    """`Middleware` over one zenoh session.

    Args:
        node: name of the node.
        domain: ROS_DOMAIN_ID.
        connect: endpoints to connect to, such as a router's ``tcp/127.0.0.1:7447``.
        listen: endpoints to listen at; nothing beyond loopback unless it is asked for here.

    Raises:
        InputError: an endpoint is none, or cannot be reached.
        MissingExtraError: zenoh is not installed.
    """

    def __init__(
        self, node: str, domain: int, connect: Sequence[str] = (), listen: Sequence[str] = (LOOPBACK,)
    ) -> None:
        zenoh = require("zenoh", "ros")
        self._zenoh = zenoh
        try:
            self._session: Any = zenoh.open(zenoh_configuration(zenoh, connect, listen))
        except zenoh.ZError as error:
            where = " and ".join([*connect, *listen])
            reason = str(error).split(" at /")[0]  # a line of its own sources follows
            raise InputError(f"zenoh cannot use {where} ({' '.join(reason.split())[:120]})") from None
        self._domain = domain
        self._node = node
        self._entities = 0
        self._declared: list[Any] = [self._token(self._entity("NN"))]

    def subscribe(self, topic: str, message: MessageType, quality: Quality, on_message: OnMessage) -> None:
        """See `Middleware.subscribe`."""
        key = key_expression(self._domain, topic, message)

        def on_sample(sample: Any) -> None:
            on_message(sample.payload.to_bytes())

        if quality.latched:
            ext = self._zenoh.ext
            history = ext.HistoryConfig(detect_late_publishers=True)
            subscriber = ext.declare_advanced_subscriber(self._session, key, on_sample, history=history)
        else:
            subscriber = self._session.declare_subscriber(key, on_sample)
        self._declared.append(subscriber)
        self._declared.append(self._token(self._entity("MS", topic, message, quality)))

    def publisher(self, topic: str, message: MessageType, quality: Quality) -> Publish:
        """See `Middleware.publisher`."""
        entity = self._entity("MP", topic, message, quality)
        publisher = self._declare_publisher(key_expression(self._domain, topic, message), quality)
        self._declared += [publisher, self._token(entity)]
        gid, sequence = entity.gid(), 0

        def publish(payload: bytes) -> None:
            nonlocal sequence
            sequence += 1
            publisher.put(payload, attachment=attachment(sequence, time.time_ns(), gid))

        return publish

    def _declare_publisher(self, key: str, quality: Quality) -> Any:
        zenoh = self._zenoh
        if quality.latched:
            # rmw_zenoh's subscriptions to latched topics ask for what was published before they came.
            cache = zenoh.ext.CacheConfig(max_samples=quality.depth)
            return zenoh.ext.declare_advanced_publisher(
                self._session, key, cache=cache, publisher_detection=True
            )
        reliability = zenoh.Reliability.RELIABLE if quality.reliable else zenoh.Reliability.BEST_EFFORT
        # A loop must not wait for a slow subscriber: what does not fit is dropped, and the next action comes.
        dropping = zenoh.CongestionControl.DROP
        return self._session.declare_publisher(
            key, congestion_control=dropping, reliability=reliability, express=True
        )

    def serve(self, name: str, service: ServiceType, quality: Quality, answer: Answer) -> None:
        """See `Middleware.serve`."""
        key = key_expression(self._domain, name, service)

        def on_query(query: Any) -> None:
            beside = None if query.attachment is None else read_attachment(query.attachment.to_bytes())
            if query.payload is None or beside is None:
                query.reply_err(b"no call of a service: request and attachment of rmw_zenoh are missing")
                return
            try:
                response = answer(query.payload.to_bytes())
            except NotThisMessageError as error:
                query.reply_err(str(error).encode())
                return
            sequence, _, client = beside  # by which the client tells what it is answered to
            query.reply(key, response, attachment=attachment(sequence, time.time_ns(), client))

        # rmw_zenoh's clients ask all who say that they are complete, and nobody else.
        self._declared.append(self._session.declare_queryable(key, on_query, complete=True))
        self._declared.append(self._token(self._entity("SS", name, service, quality)))

    def close(self) -> None:
        """See `Middleware.close`."""
        declared, self._declared = self._declared, []
        for one in reversed(declared):
            one.undeclare()
        if not self._session.is_closed():
            self._session.close()

    def _entity(
        self,
        kind: str,
        topic: str | None = None,
        message: InterfaceType | None = None,
        quality: Quality | None = None,
    ) -> Entity:
        number, self._entities = self._entities, self._entities + 1
        session = str(self._session.zid())
        return Entity(self._domain, session, number, kind, self._node, topic, message, quality or Quality())

    def _token(self, entity: Entity) -> Any:
        return self._session.liveliness().declare_token(entity.token())


def zenoh_configuration(zenoh: Any, connect: Sequence[str], listen: Sequence[str]) -> Any:
    """A peer that is found by nobody whom it is not connected to.

    Raises:
        InputError: an endpoint is none.
    """
    for endpoint in (*connect, *listen):
        if not _ENDPOINT.fullmatch(endpoint):
            raise InputError(f"{endpoint[:80]!r} is no endpoint; write one as tcp/127.0.0.1:7447")
    configuration = zenoh.Config()
    settings: dict[str, Any] = {
        "mode": "peer",
        "connect/endpoints": list(connect),
        "connect/timeout_ms": 3000,
        "connect/exit_on_failure": True,
        "listen/endpoints": list(listen),
        "listen/exit_on_failure": True,
        "scouting/multicast/enabled": False,
        "scouting/gossip/enabled": True,
        "timestamping/enabled": True,  # what is kept for those who come late is told apart by it
        "transport/shared_memory/enabled": False,
    }
    for key, value in settings.items():
        configuration.insert_json5(key, json.dumps(value))
    return configuration
