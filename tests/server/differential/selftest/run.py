#!/usr/bin/python3
"""Does the differential runner see what it must see? Lies are planted and must all be caught.

The liar is a redis-server whose replies are changed on their way to the runner. The last line is
`N passed, N failed`.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from differential import compare, coverage, script  # noqa: E402
from differential.allowed import AllowedList  # noqa: E402
from differential.runner import Runner  # noqa: E402
from harness import resp, servers  # noqa: E402
from harness.cases import Suite, Tally, expect, expect_in  # noqa: E402

suite = Suite("runner")
Lie = Callable[[bytes], bytes]

LIES: dict[str, Lie] = {
    "another case of letters in +OK": lambda raw: raw.replace(b"+OK", b"+Ok"),
    "an integer off by one": lambda raw: b":2\r\n" if raw == b":1\r\n" else raw,
    "an empty string for nil": lambda raw: b"$0\r\n\r\n" if raw == b"$-1\r\n" else raw,
    "RESP2's nil in RESP3": lambda raw: b"$-1\r\n" if raw == b"_\r\n" else raw,
    "an error in other words": lambda raw: raw.replace(b"not an integer", b"no integer"),
    "an error cut short": lambda raw: raw.replace(b" command\r\n", b"\r\n"),
    "an element too few": lambda raw: raw.replace(b"*2\r\n$1\r\n1", b"*1\r\n$1\r\n1"),
    "a simple string for a bulk": lambda raw: raw.replace(b"$5\r\nhello\r\n", b"+hello\r\n"),
}

SCRIPT = """
== all kinds of replies
SET k hello
GET k
GET missing
INCR n
INCR k
GET
MSET a 1 b 2
MGET a b
%unordered -- planted: order alone is forgiven
MGET a b
%near 5 -- planted: five off is forgiven
STRLEN k
%mask \\d+ -- planted: digits are forgiven
CLIENT GETNAME
"""


class Liar:
    """A server whose connections tell one lie."""

    def __init__(self, server: servers.Server, lie: Lie) -> None:
        self.server, self.lie = server, lie
        self.name = "liar"

    def connect(self) -> resp.Connection:
        lie = self.lie

        class Lying(resp.Connection):
            def read(self) -> resp.Frame:
                frame = super().read()
                raw = lie(frame.raw)
                return frame if raw == frame.raw else resp.Frame(frame.kind, raw, raw)

        return Lying(servers.HOST, self.server.port)


def cases_of(text: str) -> list[script.Case]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        return script.parse_file(pathlib.Path(file.name))


def frame(kind: bytes, value: bytes | list[resp.Frame] | None) -> resp.Frame:
    raw = kind + repr(value).encode()
    return resp.Frame(kind, value, raw)


def relaxed(kind: str, parameter: str = "") -> list[script.Relaxation]:
    return [script.Relaxation(kind, parameter, "a test")]


@suite.case("catches each planted lie, and nothing without one")
def lies(_: object) -> None:
    with servers.start_redis() as redis, servers.start_redis("second") as second:
        honest = Runner(redis, second, AllowedList(None))
        for case in cases_of(SCRIPT):
            expect([honest.run(case, 2), honest.run(case, 3)], [True, True])
        for name, lie in LIES.items():
            runner = Runner(redis, Liar(second, lie), AllowedList(None))  # type: ignore[arg-type]
            agreed = [runner.run(case, proto) for case in cases_of(SCRIPT) for proto in (2, 3)]
            expect((name, all(agreed)), (name, False))


@suite.case("catches an extra reply, a missing one, and a closed connection")
def miscounts(_: object) -> None:
    with servers.start_redis() as redis, servers.start_redis("second") as second:
        runner = Runner(redis, second, AllowedList(None))
        for text in ('!raw "PING\\r\\n"', "QUIT\nPING"):
            expect(runner.run(cases_of(f"== one\n{text}\n")[0], 2), False)
        expect(runner.run(cases_of("== two\n!noreply PING\n")[0], 2), False)


@suite.case("allows a named difference, and only with the reply that it names")
def allowed(_: object) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("one | *.txt | GET missing | ^\\$0 | a test\n")
        file.write("two | *.txt | GET other | ^\\$0 | a test\n")
        file.flush()
        list_ = AllowedList(pathlib.Path(file.name))
    case = cases_of("== c\nGET missing\n")[0]
    expect(list_.allows(case, case.steps[0], b"$1\r\nx\r\n"), False)
    expect(list_.allows(case, case.steps[0], b"$0\r\n\r\n"), True)
    expect([entry.name for entry in list_.stale()], ["two"])


@suite.case("relaxes only what a relaxation names")
def relaxations(_: object) -> None:
    a, b = frame(b"$", b"a"), frame(b"$", b"b")
    one, nine = frame(b":", b"1"), frame(b":", b"9")
    expect(compare.same(frame(b"*", [a, b]), frame(b"*", [b, a]), []), False)
    expect(compare.same(frame(b"*", [a, b]), frame(b"*", [b, a]), relaxed("unordered")), True)
    expect(compare.same(frame(b"*", [a, b]), frame(b"*", [a, a]), relaxed("unordered")), False)
    expect(compare.same(frame(b"*", [a]), frame(b"~", [a]), relaxed("unordered")), False)
    pairs = [frame(b"*", [a, one, b, nine]), frame(b"*", [b, nine, a, one])]
    expect(compare.same(*pairs, relaxed("pairs")), True)
    swapped = [frame(b"*", [a, one, b, nine]), frame(b"*", [b, one, a, nine])]
    expect(compare.same(*swapped, relaxed("pairs")), False)
    expect(compare.same(*swapped, relaxed("ignore", "a,b")), True)
    expect(compare.same(one, nine, relaxed("near", "8")), True)
    expect(compare.same(one, nine, relaxed("near", "7")), False)
    expect(compare.same(one, frame(b"$", b"1"), relaxed("near", "8")), False)
    expect(compare.same(one, nine, relaxed("shape")), True)
    expect(compare.same(one, a, relaxed("shape")), False)
    expect(compare.same(a, frame(b"$", None), relaxed("shape")), False)
    expect(compare.same(one, nine, relaxed("mask", r"\d")), True)
    expect(compare.same(a, b, relaxed("mask", r"\d")), False)
    expect(compare.same(frame(b"*", [a]), frame(b"*", [a, b]), relaxed("names")), True)
    expect(compare.same(frame(b"*", [a, b]), frame(b"*", [a]), relaxed("names")), False)
    expect(compare.same(frame(b"*", [a, b]), frame(b"*", [a]), relaxed("subset")), True)
    expect(compare.same(frame(b"*", [a]), frame(b"*", [a, b]), relaxed("subset")), False)


@suite.case("reads words as redis-cli does, and refuses a relaxation without a reason")
def parsing(_: object) -> None:
    words = script.split_words('SET "a\\x00\\n\\"" \'b\\x00\\\'\' "" ${rep 3 ab} c\\d')
    got = [word.expand({}) for word in words]
    expect(got, [b"SET", b'a\x00\n"', b"b\\x00'", b"", b"ababab", b"c\\d"])
    for broken in ("%unordered\nGET k", "%bogus -- x\nGET k", "%near -- x\nGET k", 'GET "k',
                   'GET "k"x', "!bogus", "!end", "%shape -- x", "!pipeline\nGET k"):  # fmt: skip
        try:
            cases_of(f"== c\n{broken}\n")
        except script.ScriptError:
            continue
        raise AssertionError(f"{broken!r} must be refused")


@suite.case("finds rows, arities and option tokens that no script has")
def gaps(_: object) -> None:
    with servers.start_redis() as redis, redis.connect() as connection:
        rows = coverage.table(connection)
    names = ("get", "set", "lpush", "config", "config|get", "config|set")
    text = "== c\nGET k\nSET k v EX 1 NX\nSET k\nCONFIG GET x\nCONFIG GET\n"
    missing = coverage.gaps(cases_of(text), {name: rows[name] for name in names})
    expect_in("lpush: no script line calls it", missing)
    expect_in("config|set: no script line calls it", missing)
    expect_in("get: no script line has a wrong number of arguments", missing)
    expect_in("set: no script line uses KEEPTTL", missing)
    expect("set: no script line uses EX" in missing, False)
    expect("config|get: no script line calls it" in missing, False)


def main() -> int:
    tally = Tally()
    for name, case in suite.cases:
        try:
            case(None)
            tally.add(suite.title, name)
        except Exception as error:  # whatever goes wrong is the failure to report
            tally.add(suite.title, name, f"{type(error).__name__}: {error}")
    return tally.summary()


if __name__ == "__main__":
    sys.exit(main())
