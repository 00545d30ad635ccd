"""The MQTT side: connections that publish with QoS 1, come back by themselves, and count.

paho runs inside the event loop (its socket callbacks register readers and writers there), so one thread serves hundreds
of connections and nothing needs a lock. Only opening a connection blocks, and that is done in a worker thread: whatever
may be called from there is handed to the loop, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from sensors_sim.broker import Broker, Connection, Counts, PublishError, back_off_seconds
from sensors_sim.encoders import Message

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

WINDOW = 100
"""Unacknowledged readings per connection. Enough to keep a broker busy, few enough to resend after a cut."""

PATIENCE_SECONDS = 60.0
"""Longest wait for room in the window, for a lost connection, and for each of the last acknowledgements."""

CONNECT_SECONDS = 10.0
"""Longest time to the first connection, and from a TCP connection to the broker's word."""

CLOSE_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 30
HOUSEKEEPING_SECONDS = 1.0


class Link:
    """One MQTT 3.1.1 connection.

    Guarantees: what `publish` took is sent with QoS 1 and sent again after each reconnect until it is acknowledged, in
    order, at least once; at most `window` readings are unacknowledged; while the link is up its status topic says
    `online`, after any other end than `close` the broker says `offline` for it, and after `close` the link has said so
    itself. Limits: `publish` waits `patience_seconds` for room, then raises `PublishError`.
    """

    def __init__(
        self, broker: Broker, connection: Connection, rng: Random, *, window: int, patience_seconds: float
    ) -> None:
        self.counts = Counts()
        self.refusal = ""
        """Why the last attempt to connect failed."""
        self.up = asyncio.Event()
        self._connection = connection
        self._rng = rng
        self._window = window
        self._patience_seconds = patience_seconds
        self._loop = asyncio.get_running_loop()
        self._unacknowledged: set[int] = set()
        self._acknowledged = asyncio.Event()
        self._verdict: asyncio.Future[bool] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._stay_down_seconds: float | None = None
        self._client = self._make_client(broker)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to connect, and stay connected until `close`."""
        self._task = asyncio.create_task(self._stay_connected(), name=f"mqtt {self._connection.name}")

    async def publish(self, message: Message) -> None:
        """Hand over one reading; it is not acknowledged yet when this returns."""
        if len(self._unacknowledged) >= self._window:
            await self._wait_until(self._window - 1)
        while not self.up.is_set():  # what is sent before the broker's word would overtake what is sent again
            await self._wait_for(self.up, "no connection")
        sent = self._client.publish(message.topic, message.payload, qos=1)
        self._unacknowledged.add(sent.mid)
        self.counts.published += 1

    async def drain(self) -> None:
        """Until everything published is acknowledged. `PublishError` after `patience_seconds` without a word."""
        await self._wait_until(0)

    def cut(self, seconds: float) -> None:
        """Lose the connection without a farewell, so that the broker publishes the last will; come back after
        `seconds`. What is published meanwhile waits."""
        self._stay_down_seconds = seconds
        self._drop()

    async def close(self) -> None:
        """Say `offline`, part in peace, and stop. Takes `CLOSE_SECONDS` at most; unacknowledged readings are given
        up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.up.is_set():
            self._say_status("offline")
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)
        self._drop()

    async def _wait_until(self, at_most: int) -> None:
        while len(self._unacknowledged) > at_most:
            self._acknowledged.clear()
            await self._wait_for(self._acknowledged, "no acknowledgement")

    async def _wait_for(self, event: asyncio.Event, lack: str) -> None:
        try:
            await asyncio.wait_for(event.wait(), self._patience_seconds)
        except TimeoutError:
            why = f" ({self.refusal})" if self.refusal else ""
            raise PublishError(
                f"{self._connection.name}: {lack} for {self._patience_seconds:g} s{why},"
                f" {len(self._unacknowledged)} readings wait for their acknowledgement"
            ) from None

    async def _stay_connected(self) -> None:
        failures = 0
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            while True:
                if await self._connect():
                    failures = 0
                    await self._ended.wait()
                wait_seconds, self._stay_down_seconds = self._stay_down_seconds, None
                if wait_seconds is None:
                    wait_seconds = back_off_seconds(failures, self._rng)
                failures += 1
                await asyncio.sleep(wait_seconds)
        finally:
            housekeeping.cancel()

    async def _connect(self) -> bool:
        self._ended.clear()
        self._verdict = self._loop.create_future()
        self.refusal = ""
        try:
            await asyncio.to_thread(self._client.reconnect)
            return await asyncio.wait_for(self._verdict, CONNECT_SECONDS)
        except TimeoutError:
            self.refusal = "no answer"
            self._drop()
        except OSError as error:
            self.refusal = str(error)
        return False

    async def _keep_house(self) -> None:
        """paho sends keep-alives, and notices a broker that no longer answers them, only when asked to."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            self._client.loop_misc()

    def _drop(self) -> None:
        connected = self._client.socket()
        if isinstance(connected, socket.socket):
            with contextlib.suppress(OSError):  # the other side was faster
                connected.shutdown(socket.SHUT_RDWR)

    def _say_status(self, word: str) -> None:
        if self._connection.status_topic is not None:
            self._client.publish(self._connection.status_topic, word, qos=1, retain=True)

    def _make_client(self, broker: Broker) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"sim-{uuid4().hex[:16]}", protocol=mqtt.MQTTv311)
        client.max_inflight_messages_set(self._window + 2)  # room for a status word beside the readings
        client.username_pw_set(broker.user, broker.password)
        if self._connection.status_topic is not None:
            client.will_set(self._connection.status_topic, "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_socket_register_write
        client.on_socket_unregister_write = self._on_socket_unregister_write
        client.connect_async(broker.host, broker.port, KEEP_ALIVE_SECONDS)
        return client

    def _on_connect(self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self.refusal = str(reason)
            return  # paho closes the connection, which brings the verdict
        self.counts.connected += 1
        self._say_status("online")
        self.up.set()
        self._conclude(accepted=True)

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self.refusal = self.refusal or str(reason)
        self.up.clear()
        self._ended.set()
        self._conclude(accepted=False)

    def _conclude(self, *, accepted: bool) -> None:
        if not self._verdict.done():
            self._verdict.set_result(accepted)

    def _on_publish(self, _client: mqtt.Client, _userdata: Any, mid: int, _reason: ReasonCode, _p: Any) -> None:
        if mid in self._unacknowledged:  # a status word is not counted
            self._unacknowledged.remove(mid)
            self.counts.acknowledged += 1
            self._acknowledged.set()

    def _on_socket_open(self, _client: mqtt.Client, _userdata: Any, opened: SocketLike) -> None:
        self._in_loop(self._loop.add_reader, opened.fileno(), self._client.loop_read)

    def _on_socket_close(self, _client: mqtt.Client, _userdata: Any, closing: SocketLike) -> None:
        self._in_loop(self._loop.remove_reader, closing.fileno())

    def _on_socket_register_write(self, _client: mqtt.Client, _userdata: Any, blocked: SocketLike) -> None:
        self._in_loop(self._loop.add_writer, blocked.fileno(), self._client.loop_write)

    def _on_socket_unregister_write(self, _client: mqtt.Client, _userdata: Any, drained: SocketLike) -> None:
        self._in_loop(self._loop.remove_writer, drained.fileno())

    def _in_loop(self, act: Callable[..., Any], *arguments: Any) -> None:
        """In the order of the calls: a descriptor is forgotten before another socket that got its number is watched."""
        self._loop.call_soon_threadsafe(_unless_closed, act, *arguments)


def _unless_closed(act: Callable[..., Any], *arguments: Any) -> None:
    with contextlib.suppress(OSError):  # the socket was closed before its turn came
        act(*arguments)


class Publisher:
    """The connections of one run; use as `async with Publisher(...)`.

    Entering waits until every connection was accepted, `CONNECT_SECONDS` at most, and raises `PublishError` with the
    reason otherwise. Leaving closes them all: what is unacknowledged by then is lost, so `drain` first.
    """

    def __init__(
        self,
        broker: Broker,
        connections: Iterable[Connection],
        rng: Random,
        *,
        window: int = WINDOW,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._broker = broker
        self._links = {
            connection: Link(broker, connection, rng, window=window, patience_seconds=patience_seconds)
            for connection in connections
        }

    async def __aenter__(self) -> Self:
        for link in self._links.values():
            link.open()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                for link in self._links.values():
                    await link.up.wait()
        except BaseException as error:
            await self._close()
            if isinstance(error, TimeoutError):
                raise PublishError(self._why_not_up()) from None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def counts(self) -> Counts:
        """Of all connections together."""
        each = [link.counts for link in self._links.values()]
        return Counts(
            published=sum(counts.published for counts in each),
            acknowledged=sum(counts.acknowledged for counts in each),
            connected=sum(counts.connected for counts in each),
        )

    def link(self, connection: Connection) -> Link:
        return self._links[connection]

    async def drain(self) -> None:
        """Until everything published on any connection is acknowledged; see `Link.drain`."""
        for link in self._links.values():
            await link.drain()

    async def _close(self) -> None:
        await asyncio.gather(*(link.close() for link in self._links.values()))

    def _why_not_up(self) -> str:
        down = next(link for link in self._links.values() if not link.up.is_set())
        return f"no connection to mqtt://{self._broker.host}:{self._broker.port}: {down.refusal or 'no answer'}"
