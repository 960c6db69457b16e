"""RESP2 and RESP3 as a test sees them: every reply keeps the exact bytes it came in.

Always: `Frame.raw` is what the server sent, from the type byte to the last CRLF, and nothing else.
The decoder trusts nobody: lengths and nesting are bounded, and a wrong byte raises ProtocolError.
"""

from __future__ import annotations

import dataclasses
import socket
import time

LINE_BYTES_MAX = 1 << 20
BULK_BYTES_MAX = 1 << 30
DEPTH_MAX = 32

SCALARS = b"+-:,#(_"
BULKS = b"$=!"
AGGREGATES = b"*~>%|"


class ProtocolError(Exception):
    """The peer sent bytes that are not RESP."""


class Closed(Exception):
    """The peer closed the connection before a whole reply had come."""


class Silent(Exception):
    """No whole reply came in time."""


@dataclasses.dataclass
class Frame:
    """One reply: its type byte, its value (bytes, None or children) and its raw bytes."""

    kind: bytes
    value: bytes | list["Frame"] | None
    raw: bytes

    def is_error(self) -> bool:
        return self.kind in (b"-", b"!")

    def text(self) -> str:
        """The value of a scalar or bulk as text; a verbatim string without its format."""
        if not isinstance(self.value, bytes):
            raise ProtocolError(f"a scalar was expected, got {self.raw[:80]!r}")
        value = self.value[4:] if self.kind == b"=" else self.value
        return value.decode("utf-8", "surrogateescape")

    def children(self) -> list["Frame"]:
        return self.value if isinstance(self.value, list) else []

    def pairs(self) -> list[tuple["Frame", "Frame"]]:
        """A RESP3 map, or the flat array that stands for one in RESP2."""
        items = self.children()
        return list(zip(items[0::2], items[1::2]))


def encode(arguments: list[bytes]) -> bytes:
    """A command as clients send it: an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Connection:
    """A blocking client connection. Not for use from two threads."""

    def __init__(self, host: str, port: int, timeout_s: float = 30.0) -> None:
        self.timeout_s = timeout_s
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.deadline = 0.0

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends all bytes; a peer that has closed shows itself at the next read."""
        self.socket.settimeout(self.timeout_s)
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def command(self, *arguments: str | bytes | int) -> Frame:
        self.send(encode([_to_bytes(argument) for argument in arguments]))
        return self.read()

    def read(self) -> Frame:
        """The next whole reply."""
        self.deadline = time.monotonic() + self.timeout_s
        raw = bytearray()
        kind, value = self._read_frame(raw, 0)
        return Frame(kind, value, bytes(raw))

    def read_to_end(self) -> bytes:
        """All bytes until the peer closes; Silent when it does not."""
        self.deadline = time.monotonic() + self.timeout_s
        try:
            while True:
                self._fill()
        except Closed:
            rest = bytes(self.buffer)
            self.buffer.clear()
            return rest

    def rest(self) -> bytes:
        """Hangs up, and gives all that nobody has read: the peer answers what it got, then closes.

        Silent when it does not close.
        """
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has closed already; what it sent is still to be read
        return self.read_to_end()

    def _fill(self) -> None:
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise Silent(f"no whole reply within {self.timeout_s:g} s")
        self.socket.settimeout(left_s)
        try:
            chunk = self.socket.recv(1 << 18)
        except TimeoutError as error:
            raise Silent(f"no whole reply within {self.timeout_s:g} s") from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed("connection reset") from error
        if not chunk:
            raise Closed("connection closed")
        self.buffer += chunk

    def _take(self, count: int, raw: bytearray) -> bytes:
        while len(self.buffer) < count:
            self._fill()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        raw += taken
        return taken

    def _take_line(self, raw: bytearray) -> bytes:
        searched = 0
        while (end := self.buffer.find(b"\r\n", searched)) < 0:
            if len(self.buffer) > LINE_BYTES_MAX:
                raise ProtocolError("a line without end")
            searched = max(0, len(self.buffer) - 1)
            self._fill()
        return self._take(end + 2, raw)[:-2]

    def _read_frame(self, raw: bytearray, depth: int) -> tuple[bytes, bytes | list[Frame] | None]:
        if depth > DEPTH_MAX:
            raise ProtocolError("nested too deep")
        line = self._take_line(raw)
        kind, rest = line[:1], line[1:]
        if not kind or kind not in SCALARS + BULKS + AGGREGATES:
            raise ProtocolError(f"not a RESP type: {line[:80]!r}")
        if kind in SCALARS:
            return kind, rest
        count = _length(rest)
        if count < 0:
            return kind, None
        if kind in BULKS:
            body = self._take(count + 2, raw)
            if body[-2:] != b"\r\n":
                raise ProtocolError(f"a bulk of {count} bytes does not end in CRLF")
            return kind, body[:-2]
        children = []
        for _ in range(count * 2 if kind in b"%|" else count):
            inner = bytearray()
            child_kind, child_value = self._read_frame(inner, depth + 1)
            raw += inner
            children.append(Frame(child_kind, child_value, bytes(inner)))
        return kind, children


def _length(digits: bytes) -> int:
    try:
        count = int(digits)
    except ValueError as error:
        raise ProtocolError(f"not a length: {digits[:40]!r}") from error
    if count < -1 or count > BULK_BYTES_MAX:
        raise ProtocolError(f"length out of range: {count}")
    return count


def _to_bytes(argument: str | bytes | int) -> bytes:
    if isinstance(argument, bytes):
        return argument
    return str(argument).encode("utf-8", "surrogateescape")
