"""The hub's connection to the broker: paho-mqtt on the event loop, MQTT 3.1.1, QoS 1, acknowledged by hand.

paho connects, subscribes, publishes and keeps the session alive. What is published to the hub does not pass through
it: `BufferedSocket` reads the socket, takes those packets for itself (`hub.packets`) and hands paho the others; what is
sent in one turn of the event loop leaves in one `send`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from autospot.domain.errors import InvalidInput, Unavailable
from hub.packets import Malformed, Message, PacketReader

RECEIVE_BYTES = 1 << 16
"""Read at a time: some 500 readings, handled in about 0.5 ms before other work of the event loop gets its turn."""
SEND_LIMIT_BYTES = 8 << 20
"""Unsent bytes past which paho is told to wait; it then keeps its packets itself."""
INBOX_LIMIT = 20_000
"""Messages taken from the broker and not yet acknowledged. Past it the hub stops reading its socket, and the broker's
own queue fills instead: that queue survives the hub."""
PUBACK = 0x40_02_00_00
KEEPALIVE_SECONDS = 30
RECONNECT_FIRST_SECONDS = 0.2
RECONNECT_MOST_SECONDS = 5.0
STEADY_SECONDS = 10.0
"""A connection that lasted less is followed by a longer and longer pause: the broker gives the session to whoever
connected last, and two hubs of one name would take it from each other without end."""
CONNECT_SECONDS = 10.0

_OTHER_HUB = "does another hub use this broker with the same AUTOSPOT_HUB_SHARD? The broker's log says why"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """`mqtt://user:password@host:port`, or `mqtts://` for TLS with the system's certificates."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """The parts of `url`; `InvalidInput` says what is wrong with it, without its password."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not _has_port_or_none(parts):
            wanted = "mqtt://user:password@host:port or mqtts://…, with %-signs for what is special in URLs"
            raise InvalidInput(f"AUTOSPOT_MQTT_URL: the broker's address is {wanted}", at="/mqtt_url")
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            parts.port or (8883 if tls else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls,
        )


def _has_port_or_none(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


class BufferedSocket:
    """Stands between paho and its socket.

    `receive` reads the socket; paho's own `recv` is served only with the packets that are meant for it. `send` collects
    what one turn of the event loop produces and sends it at once; what the kernel does not take is sent when it can,
    in order. Used from the event loop's thread once `attach` was called; before that (while connecting, in a worker
    thread) it sends directly.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._packets = PacketReader()
        self._for_paho = b""
        self._ended = False
        self._unsent = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flush_due = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on sending is joined per turn of `loop`."""
        self._loop = loop

    def receive(self, messages: list[Message]) -> bool:
        """Reads once; appends what was published to `messages`. True if there is something for paho to read, which may
        be that the connection has ended."""
        try:
            octets = self._sock.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            log.info("broker_connection_broken", error=str(error))
            octets = b""
        self._ended = not octets
        try:
            self._for_paho += b"".join(self._packets.feed(octets, messages))
        except Malformed as error:
            log.error("broker_sent_nonsense", error=str(error))
            self._ended = True
        return self._ended or bool(self._for_paho)

    def recv(self, size: int) -> bytes:
        """What paho calls: pieces of its packets, `b""` after the end of the connection."""
        if not self._for_paho and not self._ended:
            raise BlockingIOError("nothing for paho")
        piece, self._for_paho = self._for_paho[:size], self._for_paho[size:]
        return piece

    def has_for_paho(self) -> bool:
        """True while paho has something to read."""
        return self._ended or bool(self._for_paho)

    def send(self, octets: bytes) -> int:
        if self._loop is None:
            return self._sock.send(octets)
        if len(self._unsent) > SEND_LIMIT_BYTES:
            raise BlockingIOError("the broker does not read")
        self._unsent += octets
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)
        return len(octets)

    def _flush(self) -> None:
        self._flush_due = False
        if self._loop is None or self._sock.fileno() < 0:
            return
        try:
            del self._unsent[: self._sock.send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            pass  # the kernel's buffer is full: the writer below comes back
        except OSError:
            return  # the connection is gone; paho's next read says so and the acknowledgements are void
        if self._unsent:
            self._loop.add_writer(self._sock.fileno(), self._flush)
        else:
            self._loop.remove_writer(self._sock.fileno())

    def close(self) -> None:
        """Closes; the event loop forgets the descriptor first, or it would watch whoever gets that number next."""
        loop, self._loop = self._loop, None
        if loop is not None and self._sock.fileno() >= 0:
            loop.remove_reader(self._sock.fileno())
            loop.remove_writer(self._sock.fileno())
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Client(paho.Client):
    """paho, reading and writing through a `BufferedSocket`. The seam is one of paho's inner methods;
    `tests/unit/hub/test_mqtt.py` fails when a release moves it."""

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())  # type: ignore[arg-type]


@dataclass(slots=True)
class Burst:
    """Messages received since the last burst, of one connection, in the order of arrival."""

    connection: int
    messages: list[Message]


class Broker:
    """A persistent QoS 1 session that lasts as long as the hub does.

    Guarantees: `take` returns messages in the order of arrival; `acknowledge` confirms them in that order and only on
    the connection they came by (the broker sends unconfirmed ones again after a reconnect); at most about
    `INBOX_LIMIT` messages wait here; a lost connection is made again for ever, with full jitter up to
    `RECONNECT_MOST_SECONDS`. Nothing raises out of the event loop's callbacks.
    """

    def __init__(self, address: BrokerAddress, client_id: str, topics: Callable[[], Sequence[str]]) -> None:
        self._address = address
        self._topics = topics
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._received: list[Message] = []
        self._unacknowledged = 0
        self._arrived = asyncio.Event()
        self._lost = asyncio.Event()
        self._paused = False
        self._connection = 0
        self._socket: BufferedSocket | None = None
        self._refusal: str | None = None
        self.connected = asyncio.Event()
        self.on_subscribed: list[Callable[[], None]] = []
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> _Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(self._address.user, self._address.password)
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(1000)
        client.connect_timeout = CONNECT_SECONDS
        if self._address.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = lambda *_: self._lost.set()
        return client

    async def run(self) -> None:
        """Connects, serves the connection, connects again, until cancelled; then disconnects cleanly."""
        pause = RECONNECT_FIRST_SECONDS
        try:
            while True:
                began = self._loop.time()
                if await self._connect():
                    await self._serve_until_lost()
                    if self._loop.time() - began >= STEADY_SECONDS:
                        pause = RECONNECT_FIRST_SECONDS
                    elif pause == RECONNECT_MOST_SECONDS and self._refusal is None:
                        log.error("broker_ends_every_connection", reason=_OTHER_HUB)
                await asyncio.sleep(random.uniform(0, pause))
                pause = min(pause * 2, RECONNECT_MOST_SECONDS)
        finally:
            self._client.disconnect()
            if self._socket is not None:
                self._socket._flush()  # noqa: SLF001 - the DISCONNECT must leave before the socket closes
            self._detach()

    async def _connect(self) -> bool:
        self._lost.clear()
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE_SECONDS)
        try:
            await asyncio.to_thread(self._client.reconnect)
        except (OSError, ValueError) as error:
            log.warning("broker_unreachable", host=self._address.host, port=self._address.port, error=str(error))
            return False
        return True

    async def _serve_until_lost(self) -> None:
        sock = cast(BufferedSocket | None, self._client.socket())
        if sock is None:  # refused and closed within the connecting thread
            return
        self._socket = sock
        self._connection += 1
        self._unacknowledged, self._received, self._paused = 0, [], False
        sock.setblocking(False)
        sock.attach(self._loop)
        self._loop.add_reader(sock.fileno(), self._readable)
        try:
            while not self._lost.is_set():
                try:
                    await asyncio.wait_for(self._lost.wait(), 1.0)
                except TimeoutError:
                    self._client.loop_misc()
        finally:
            self.connected.clear()
            self._detach()
            log.warning("broker_connection_lost", connection=self._connection)

    def _detach(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    def _readable(self) -> None:
        sock = self._socket
        if sock is None or sock.fileno() < 0 or self._paused:
            return
        before = len(self._received)
        is_for_paho = sock.receive(self._received)
        if arrived := len(self._received) - before:
            self._unacknowledged += arrived
            self._arrived.set()
        if is_for_paho:
            while sock.has_for_paho() and not self._lost.is_set():
                if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._lost.set()
        if self._client.want_write():  # what callbacks queued: paho leaves it to its caller to send
            self._client.loop_write()
        if self._unacknowledged >= INBOX_LIMIT and not self._lost.is_set():
            self._paused = True
            self._loop.remove_reader(sock.fileno())

    def _on_connect(self, _client: Any, _userdata: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else None
        if reason.is_failure:
            log.error("broker_refused", reason=str(reason))
            self._lost.set()
            return
        log.info("broker_connected", connection=self._connection, session_present=flags.session_present)
        self.subscribe()

    def subscribe(self) -> None:
        """Asks for the topics, again if need be: they may have become more."""
        self._client.subscribe([(topic, 1) for topic in self._topics()])

    def _on_subscribe(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("broker_refused_subscription", reasons=refused)
            return
        self.connected.set()
        for listener in self.on_subscribed:
            listener()

    async def take(self) -> Burst:
        """Waits for messages and returns all that have arrived."""
        while not self._received:
            self._arrived.clear()
            await self._arrived.wait()
        burst = Burst(self._connection, self._received)
        self._received = []
        return burst

    def acknowledge(self, burst: Burst) -> None:
        """Confirms every message of `burst`, in order. Void if its connection is gone."""
        sock = self._socket
        if sock is None or burst.connection != self._connection:
            return
        # PUBACK, MQTT 3.1.1 section 3.4: four octets each. Through paho's ack() each costs 9 us and a system call.
        answers = [PUBACK | message.mid for message in burst.messages if message.qos]
        sock.send(struct.pack(f">{len(answers)}I", *answers))
        self._unacknowledged -= len(burst.messages)
        if self._paused and self._unacknowledged < INBOX_LIMIT // 2:
            self._paused = False
            self._loop.add_reader(sock.fileno(), self._readable)

    async def check(self) -> None:
        """For readiness: `Unavailable` while there is no session with the broker."""
        if not self.connected.is_set():
            why = "" if self._refusal is None else f": it refused us, {self._refusal!r}"
            raise Unavailable(f"no connection to the broker{why}")

    def publish_retained(self, topic: str, payload: bytes) -> bool:
        """Publishes a retained message, QoS 1. While disconnected it is dropped, and False: the hub says everything
        again after it subscribed."""
        if self.connected.is_set():
            self._client.publish(topic, payload, qos=1, retain=True)
        return self.connected.is_set()
