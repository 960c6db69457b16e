"""What a hostile case is given: the server, raw connections, and a watch over everybody else."""

from __future__ import annotations

import os
import pathlib
import socket
import threading
import time

from harness import resp
from harness.servers import HOST, Server

GROWTH_BYTES_MAX = 128 << 20
NEIGHBOUR_S_MAX = 2.0
SETTLE_S = 60.0
PING_EVERY_S = 0.01


class Stopwatch:
    """Time since it was made, less what a thread of the server, and one of ours, then waited for a
    processor: on a machine that has too few of them, that wait is nobody's fault."""

    def __init__(self, server: Server) -> None:
        self.processes = (server.process.pid, os.getpid())
        self.queued = [queued_s(process) for process in self.processes]
        self.started = time.monotonic()

    def seconds(self) -> float:
        passed = time.monotonic() - self.started
        for process, before in zip(self.processes, self.queued):
            now = queued_s(process)
            passed -= max((now[task] - before.get(task, 0.0) for task in now), default=0.0)
        return max(passed, 0.0)


def queued_s(process: int) -> dict[str, float]:
    """How long each thread has waited for a processor so far; nothing where Linux does not tell."""
    waits = {}
    for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
        try:
            waits[task.parent.name] = int(task.read_text().split()[1]) / 1e9
        except OSError:
            continue  # the thread has ended
    return waits


class Neighbour(threading.Thread):
    """Another client, which sets, gets and pings all the time and notes the longest wait."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.stopping = threading.Event()
        self.longest_s = 0.0
        self.answered = 0
        self.problem = ""

    def run(self) -> None:
        try:
            with self.server.connect(timeout_s=20.0) as connection:
                while not self.stopping.is_set():
                    self._ask(connection)
                    time.sleep(PING_EVERY_S)
        except (OSError, resp.Closed, resp.Silent, resp.ProtocolError) as error:
            self.problem = f"the neighbour lost its connection: {error}"

    def _ask(self, connection: resp.Connection) -> None:
        value = str(self.answered)
        watch = Stopwatch(self.server)
        replies = [
            connection.command("SET", "neighbour", value).raw,
            connection.command("GET", "neighbour").raw,
            connection.command("PING").raw,
        ]
        self.longest_s = max(self.longest_s, watch.seconds())
        wanted = [b"+OK\r\n", b"$%d\r\n%s\r\n" % (len(value), value.encode()), b"+PONG\r\n"]
        if replies != wanted:
            raise resp.ProtocolError(f"expected {wanted!r}, got {replies!r}")
        self.answered += 1

    def finish(self) -> str:
        """Ends the watch, not before the first answer; what was wrong, or nothing."""
        deadline = time.monotonic() + SETTLE_S
        while self.answered == 0 and self.is_alive() and time.monotonic() < deadline:
            time.sleep(PING_EVERY_S)
        self.stopping.set()
        self.join(30.0)
        if self.problem:
            return self.problem
        if self.answered == 0:
            return "the neighbour was never answered"
        if self.longest_s > NEIGHBOUR_S_MAX:
            return f"the neighbour waited {self.longest_s:.1f} s, more than {NEIGHBOUR_S_MAX:g} s"
        return ""


class Attack:
    """One case's connections to the server. All are closed at its end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.open: list[socket.socket] = []
        self.peak_bytes = 0

    def raw(self, receive_buffer_bytes: int = 0) -> socket.socket:
        """A plain socket; a small receive buffer makes `never reads` bite at once."""
        made = socket.socket()
        self.open.append(made)
        if receive_buffer_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        made.settimeout(30.0)
        made.connect((HOST, self.server.port))
        return made

    def send_what_is_taken(self, to: socket.socket, data: bytes, seconds: float) -> int:
        """Sends until all is sent, the peer closes, or it takes nothing more for a while."""
        to.settimeout(seconds)
        sent = 0
        view = memoryview(data)
        try:
            while sent < len(data):
                sent += to.send(view[sent : sent + 65536])
                self.measure()
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        return sent

    def measure(self) -> None:
        if self.server.alive():
            self.peak_bytes = max(self.peak_bytes, self.server.resident_bytes())

    def close(self) -> None:
        for one in self.open:
            one.close()


def answer(connection: socket.socket, seconds: float = 30.0) -> tuple[bytes, bool]:
    """What the server sends until it closes or goes silent, and whether it closed."""
    received = b""
    deadline = time.monotonic() + seconds
    try:
        while (left_s := deadline - time.monotonic()) > 0:
            connection.settimeout(left_s)
            chunk = connection.recv(65536)
            if not chunk:
                return received, True
            received += chunk
    except TimeoutError:
        return received, False
    except (ConnectionResetError, BrokenPipeError):
        return received, True
    return received, False
