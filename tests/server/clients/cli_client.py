"""redis-cli and redis-benchmark, Debian's packages, as a person or a shell script uses them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from clients.context import Context
from harness import resp
from harness.cases import Suite, expect, expect_in
from harness.servers import HOST

suite = Suite("redis-cli and redis-benchmark")

PROTOCOLS = ("-2", "-3")


@suite.case("sets and gets, in RESP2 and in RESP3")
def sets_and_gets(context: Context) -> None:
    for protocol in PROTOCOLS:
        expect(context.cli("set", "hello", "world", protocol=protocol).stdout, b"OK\n")
        got = context.cli("get", "hello", protocol=protocol)
        expect((got.returncode, got.stdout, got.stderr), (0, b"world\n", b""))
        expect(context.cli("--no-raw", "get", "none", protocol=protocol).stdout, b"(nil)\n")
        counted = context.cli("--no-raw", "strlen", "hello", protocol=protocol)
        expect(counted.stdout, b"(integer) 5\n")


@suite.case("ends with 0 for an error reply, with 1 under -e")
def exit_codes(context: Context) -> None:
    for protocol in PROTOCOLS:
        plain = context.cli("bogus", protocol=protocol)
        expect(plain.returncode, 0)
        expect_in(b"ERR unknown command 'bogus'", plain.stdout)
        strict = context.cli("-e", "bogus", protocol=protocol)
        expect(strict.returncode, 1)
        expect_in(b"ERR unknown command 'bogus'", strict.stdout + strict.stderr)


@suite.case("ends with 1 when nobody listens")
def refused(context: Context) -> None:
    with socket.socket() as silent:  # has the port, so that nobody else does, and does not listen
        silent.bind((HOST, 0))
        port = str(silent.getsockname()[1])
        ended = context.run("redis-cli", "-h", HOST, "-p", port, "ping")
    expect(ended.returncode, 1)
    expect_in(b"Connection refused", ended.stdout + ended.stderr)


@suite.case("reads the last argument from standard input with -x")
def standard_input(context: Context) -> None:
    value = bytes(range(256)) * 100
    expect(context.cli("-x", "set", "k", stdin=value).stdout, b"OK\n")
    expect(context.cli("--raw", "get", "k").stdout, value + b"\n")
    expect(context.cli("-X", "tag", "set", "tag", "v", stdin=b"named").stdout, b"OK\n")
    expect(context.cli("get", "named").stdout, b"v\n")


@suite.case("runs the lines of standard input one by one")
def lines(context: Context) -> None:
    script = b'set a 1\nincr a\nget a\nmget a b\nset b "two words"\nget b\n'
    for protocol in PROTOCOLS:
        context.cli("del", "a", "b")
        got = context.cli(stdin=script, protocol=protocol)
        expect(got.stdout, b"OK\n2\n2\n2\n\nOK\ntwo words\n")


@suite.case("prints JSON and CSV")
def formats(context: Context) -> None:
    context.cli("mset", "a", "1", "b", "x")
    expect(context.cli("--csv", "mget", "a", "b", "c").stdout, b'"1","x",NULL\n')
    got = context.cli("--json", "mget", "a", "b", "c", protocol="-3").stdout
    expect(got, b'["1","x",null]\n')
    got = context.cli("--json", "config", "get", "appendonly", protocol="-3").stdout
    expect(got, b'{"appendonly":"no"}\n')


@suite.case("selects a database with -n and repeats with -r")
def options(context: Context) -> None:
    for protocol in PROTOCOLS:
        context.cli("-n", "5", "del", "n", protocol=protocol)
        got = context.cli("-n", "5", "-r", "3", "-i", "0.01", "incr", "n", protocol=protocol)
        expect(got.stdout, b"1\n2\n3\n")
        expect(context.cli("-n", "4", "exists", "n", protocol=protocol).stdout, b"0\n")


@suite.case("logs in with -a and --user")
def password(context: Context) -> None:
    with context.server.connect() as admin:
        admin.command("CONFIG", "SET", "requirepass", "s3cret")
        try:
            for protocol in PROTOCOLS:
                expect_in(b"NOAUTH", context.cli("get", "k", protocol=protocol).stdout)
                login = ["-a", "s3cret", "--no-auth-warning"]
                expect(context.cli(*login, "ping", protocol=protocol).stdout, b"PONG\n")
                user = ["--user", "default", "--pass", "s3cret", "--no-auth-warning"]
                expect(context.cli(*user, "ping", protocol=protocol).stdout, b"PONG\n")
        finally:
            admin.command("CONFIG", "SET", "requirepass", "")


@suite.case("loads with --pipe and counts replies and errors")
def mass_insertion(context: Context) -> None:
    count = 5000
    requests = b"".join(
        resp.encode([b"SET", b"key:%d" % number, b"value:%d" % number]) for number in range(count)
    )
    got = context.cli("--pipe", stdin=requests)
    expect(got.returncode, 0)
    expect_in(b"errors: 0, replies: %d" % count, got.stdout)
    expect(context.cli("dbsize").stdout, b"%d\n" % count)
    expect(context.cli("get", "key:4999").stdout, b"value:4999\n")
    broken = resp.encode([b"BOGUS"]) + resp.encode([b"SET", b"a", b"b"])
    expect_in(b"errors: 1, replies: 2", context.cli("--pipe", stdin=broken).stdout)


@suite.case("lists keys with --scan")
def scans(context: Context) -> None:
    names = sorted(b"user:%d" % number for number in range(300))
    context.cli("mset", *[word for name in names for word in (name.decode(), "x")])
    context.cli("set", "other", "x")
    for protocol in PROTOCOLS:
        got = context.cli("--scan", "--pattern", "user:*", protocol=protocol)
        expect(sorted(got.stdout.split()), names)
        got = context.cli("--scan", "--pattern", "user:1*", protocol=protocol)
        expect(sorted(got.stdout.split()), [n for n in names if n.startswith(b"user:1")])


@suite.case("finds the biggest key with --bigkeys")
def big_keys(context: Context) -> None:
    context.cli("mset", "small", "x", "giant", "y" * 5000, "middle", "z" * 50)
    for protocol in PROTOCOLS:
        got = context.cli("--bigkeys", protocol=protocol)
        expect(got.returncode, 0)
        expect_in(b"Sampled 3 keys in the keyspace", got.stdout)
        expect_in(b'Biggest string found \'"giant"\' has 5000 bytes', got.stdout)


@suite.case("shows one line after another with --stat")
def statistics(context: Context) -> None:
    context.cli("mset", "a", "1", "b", "2")
    where = ["redis-cli", "-h", HOST, "-p", str(context.server.port), "--stat", "-i", "0.05"]
    with subprocess.Popen(["stdbuf", "-oL", *where], stdout=subprocess.PIPE) as process:
        try:
            got = b"".join(process.stdout.readline() for _ in range(5))
        finally:
            process.terminate()
    expect_in(b"keys       mem      clients", got)
    rows = re.findall(rb"^(\d+) +([0-9.]+[BKMG]) +(\d+) +", got, re.MULTILINE)
    expect([row[0] for row in rows], [b"2"] * 3)


@suite.case("measures with --latency")
def latency(context: Context) -> None:
    got = context.cli("--latency", "-i", "0.3", "--raw")
    expect(got.returncode, 0)
    expect(len(got.stdout.split()) >= 4, True)


@suite.case("watches commands with monitor")
def monitors(context: Context) -> None:
    where = ["redis-cli", "-h", HOST, "-p", str(context.server.port), "monitor"]
    with subprocess.Popen(["stdbuf", "-oL", *where], stdout=subprocess.PIPE) as process:
        try:
            expect(process.stdout.readline(), b"OK\n")
            context.cli("set", "seen", "value")
            seen = b""
            for _ in range(10):
                seen = process.stdout.readline()
                if b'"set" "seen" "value"' in seen:
                    break
            expect_in(b'"set" "seen" "value"', seen)
        finally:
            process.terminate()


def read_until(terminal: int, parts: list[bytes], deadline: float) -> bytes:
    """What the terminal shows until all parts have come in this order, or it is gone."""
    output = b""
    while time.monotonic() < deadline:
        at = 0
        for part in parts:
            at = output.find(part, at) + len(part) if output.find(part, at) >= 0 else -1
            if at < 0:
                break
        if parts and at >= 0:
            return output
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                return output
    return output


def talk(context: Context, typed: list[tuple[list[bytes], bytes]]) -> bytes:
    """Types lines at redis-cli's prompt on a terminal, each after what must have come before.

    redis-cli drops what is typed before it shows its prompt, so the prompt is waited for too.
    """
    where = ["redis-cli", "-h", HOST, "-p", str(context.server.port)]
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        environment = dict(os.environ, TERM="xterm", REDISCLI_HISTFILE="/dev/null")
        os.execvpe("redis-cli", where, environment)
    output = b""
    deadline = time.monotonic() + 60
    try:
        for wanted, line in typed:
            output += read_until(terminal, wanted, deadline)
            os.write(terminal, line)
        output += read_until(terminal, [], deadline)
    finally:
        os.kill(pid, signal.SIGKILL)  # it has ended by itself, unless time was up
        os.close(terminal)
        os.waitpid(pid, 0)
    expect(time.monotonic() < deadline, True)
    return output


@suite.case("talks at its prompt and knows help from COMMAND DOCS")
def prompt(context: Context) -> None:
    prompt_text = b"%s:%d> " % (HOST.encode(), context.server.port)
    output = talk(
        context,
        [
            ([prompt_text], b"set greeting hi\r"),
            ([b"OK", b"> "], b"select 3\r"),
            ([b"OK", b"[3]> "], b"help getex\r"),
            ([b"summary", b"[3]> "], b"exit\r"),
        ],
    )
    expect_in(b"GETEX", output)
    expect_in(b"PERSIST", output)


BENCHMARKS = (
    (),
    ("-P", "16"),
    ("-3",),
    ("-c", "10", "-r", "1000", "-d", "1000"),
    ("--threads", "2"),
)


@suite.case("redis-benchmark runs ping, set, get, incr and mset")
def benchmark(context: Context) -> None:
    for options_ in BENCHMARKS:
        where = ["-h", HOST, "-p", str(context.server.port)]
        tests = ["-q", "-n", "1000", "-t", "ping,set,get,incr,mset"]
        got = context.run("redis-benchmark", *where, *tests, *options_)
        expect(got.returncode, 0)
        expect(got.stderr, b"")
        # A thousand requests within a millisecond are "inf" a second.
        figures = re.findall(rb"([A-Z_]+(?: \([^)]*\))?): (?:[0-9.]+|inf) requests", got.stdout)
        named = [figure.split(b" ")[0] for figure in figures]
        expect(named, [b"PING_INLINE", b"PING_MBULK", b"SET", b"GET", b"INCR", b"MSET"])
    expect_in(b"key:", context.cli("--scan", "--pattern", "key:*").stdout)
