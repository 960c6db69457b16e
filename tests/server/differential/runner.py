"""Runs cases on two servers in lockstep and collects where their replies differ.

Always: a case begins with empty databases, default configuration and fresh connections; a reply
that does not come, or a connection that closes unasked, fails the case even if both servers agree.
"""

from __future__ import annotations

import dataclasses
import re
import time

from differential import compare, script
from differential.allowed import AllowedList
from harness.resp import Closed, Connection, Frame, ProtocolError, Silent, encode
from harness.servers import Server

SCAN_STEPS_MAX = 10_000


@dataclasses.dataclass
class Difference:
    case: script.Case
    step: script.Step
    protocol: int
    expected: bytes
    got: bytes
    note: str = ""


class CaseBroken(Exception):
    """The rest of the case makes no sense: no reply, or the connection is gone."""


class Side:
    """One server as seen by one case: its connections and its captured variables."""

    def __init__(self, server: Server, protocol: int, variables: dict[str, str]) -> None:
        self.server = server
        self.protocol = protocol
        self.variables = dict(variables)
        self.connections: dict[str, Connection] = {}

    def connection(self, name: str) -> Connection:
        if name not in self.connections:
            opened = self.server.connect()
            self.connections[name] = opened
            if self.protocol == 3:
                opened.command("HELLO", "3")
        return self.connections[name]

    def open_plain(self, name: str) -> None:
        self.connections[name] = self.server.connect()

    def arguments(self, step: script.Step) -> list[bytes]:
        return [word.expand(self.variables) for word in step.words]

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


class Runner:
    """Owns one administrative connection to each server; borrows the servers."""

    def __init__(self, reference: Server, subject: Server, allowed: AllowedList) -> None:
        self.servers = (reference, subject)
        self.admins = (reference.connect(), subject.connect())
        self.allowed = allowed
        self.differences: list[Difference] = []

    def run(self, case: script.Case, protocol: int) -> bool:
        """True when every reply of the case was the same, or allowed to differ."""
        before = len(self.differences)
        parameters = _parameters_set(case)
        saved = [_read_parameters(admin, parameters) for admin in self.admins]
        for admin in self.admins:
            admin.command("FLUSHALL")
        variables = script.clock()
        sides = [Side(server, protocol, variables) for server in self.servers]
        try:
            for step in case.steps:
                self._step(case, step, protocol, sides)
            self._check_nothing_left(case, protocol, sides)
        except CaseBroken:
            pass
        finally:
            for side in sides:
                side.close()
            for admin, values in zip(self.admins, saved):
                _restore_parameters(admin, values)
        return len(self.differences) == before

    def _step(
        self, case: script.Case, step: script.Step, protocol: int, sides: list[Side]
    ) -> None:
        if step.kind == "sleep":
            time.sleep(int(step.words[0].literal()) / 1000)
            return
        outcomes: list[list[Frame]] = []
        broken = ""
        for side in sides:
            try:
                outcomes.append(_perform(side, step))
            except (Closed, Silent, ProtocolError, OSError) as error:
                broken += f"{side.server.name}: {error}\n"
                outcomes.append([])
        if broken:
            raw = [b"".join(frame.raw for frame in frames) for frames in outcomes]
            self._report(Difference(case, step, protocol, raw[0], raw[1], broken.strip()))
            raise CaseBroken
        inner = [step] if len(step.steps) == 0 else [s for s in step.steps if s.kind == "command"]
        self._compare(case, step, inner, protocol, outcomes)

    def _compare(
        self,
        case: script.Case,
        step: script.Step,
        inner: list[script.Step],
        protocol: int,
        outcomes: list[list[Frame]],
    ) -> None:
        expected, got = outcomes
        if len(expected) != len(got):
            raw = [b"".join(frame.raw for frame in frames) for frames in outcomes]
            self._report(Difference(case, step, protocol, raw[0], raw[1], "count of replies"))
            return
        for index, (left, right) in enumerate(zip(expected, got)):
            one = inner[index] if len(inner) == len(expected) else step
            if compare.same(left, right, one.relaxations):
                continue
            if not self.allowed.allows(case, one, right.raw):
                self._report(Difference(case, one, protocol, left.raw, right.raw))

    def _check_nothing_left(self, case: script.Case, protocol: int, sides: list[Side]) -> None:
        for side in sides:
            for name, connection in side.connections.items():
                try:
                    rest = connection.rest()
                    note = f"unread bytes on connection {name}: {rest[:200]!r}" if rest else ""
                except Silent as error:
                    note = f"connection {name} is not closed: {error}"
                if note:
                    note = f"{side.server.name}: {note}"
                    self._report(Difference(case, case.steps[-1], protocol, b"", b"", note))

    def _report(self, difference: Difference) -> None:
        self.differences.append(difference)


def _perform(side: Side, step: script.Step) -> list[Frame]:
    """Does one step on one server; returns the replies that are to be compared."""
    if step.kind == "open":
        side.open_plain(step.connection)
        return []
    connection = side.connection(step.connection)
    if step.kind == "raw":
        connection.send(b"".join(side.arguments(step)))
        return []
    if step.kind == "read":
        count = int(step.words[0].literal()) if step.words else 1
        return [connection.read() for _ in range(count)]
    if step.kind == "closed":
        rest = connection.read_to_end()
        return [Frame(b"", rest, rest)]
    if step.kind == "pipeline":
        return _perform_pipeline(side, connection, step)
    if step.kind == "let":
        return _perform_let(side, connection, step)
    if step.kind == "scan":
        return [_scan_to_end(connection, side.arguments(step))]
    connection.send(encode(side.arguments(step)))
    return [] if step.kind == "noreply" else [connection.read()]


def _perform_pipeline(side: Side, connection: Connection, step: script.Step) -> list[Frame]:
    connection.send(b"".join(encode(side.arguments(inner)) for inner in step.steps))
    return [connection.read() for inner in step.steps if inner.kind == "command"]


def _perform_let(side: Side, connection: Connection, step: script.Step) -> list[Frame]:
    """!let NAME [/REGEX/] COMMAND: keeps the reply, or the first group of the regex in it."""
    name, *arguments = side.arguments(step)
    pattern = None
    if arguments and re.fullmatch(rb"/.*/", arguments[0]):
        pattern = re.compile(arguments.pop(0)[1:-1].decode())
    connection.send(encode(arguments))
    reply = connection.read()
    if reply.is_error():
        raise ProtocolError(f"!let got an error: {reply.text()}")
    text = reply.text()
    if pattern is not None:
        match = pattern.search(text)
        if not match:
            raise ProtocolError(f"{pattern.pattern} does not occur in {text[:200]!r}")
        text = match[1]
    side.variables[name.decode()] = text
    return []


def _scan_to_end(connection: Connection, arguments: list[bytes]) -> Frame:
    """Follows a SCAN to its end; the keys come back sorted, each once, as one frame."""
    keys: set[bytes] = set()
    cursor = arguments[1]
    for _ in range(SCAN_STEPS_MAX):
        connection.send(encode([arguments[0], cursor, *arguments[2:]]))
        reply = connection.read()
        if reply.is_error():
            return reply
        next_cursor, found = reply.children()
        if next_cursor.kind != b"$" or found.kind != b"*" or not next_cursor.text().isdigit():
            raise ProtocolError(f"not a SCAN reply: {reply.raw[:200]!r}")
        keys.update(key.raw for key in found.children())
        cursor = next_cursor.text().encode()
        if cursor == b"0":
            joined = b"".join(sorted(keys))
            return Frame(b"*", joined, joined)
    raise ProtocolError(f"SCAN did not end within {SCAN_STEPS_MAX} steps")


def _parameters_set(case: script.Case) -> list[str]:
    """The configuration parameters that a case sets, from its CONFIG SET lines."""
    names = set()
    for step in case.commands():
        words = [word.literal().decode("latin-1").lower() for word in step.words]
        if words[:2] == ["config", "set"]:
            names.update(words[2::2])
    return sorted(name for name in names if re.fullmatch(r"[a-z-]+", name))


def _read_parameters(admin: Connection, names: list[str]) -> dict[str, bytes]:
    if not names:
        return {}
    reply = admin.command("CONFIG", "GET", *names)
    return {name.text(): value.value for name, value in reply.pairs() if value.value is not None}


def _restore_parameters(admin: Connection, saved: dict[str, bytes]) -> None:
    now = _read_parameters(admin, list(saved))
    for name, value in saved.items():
        if now.get(name) != value:
            admin.command("CONFIG", "SET", name, value)
