"""The hostile clients. Each case attacks and returns; run.py judges what became of the server."""

from __future__ import annotations

import random
import socket
import struct
import time

from harness import resp
from harness.cases import Suite, expect, expect_in
from hostile.attack import Attack, Stopwatch, answer

suite = Suite("hostile")

# Cases that redis-server with its defaults does not pass: it has no bound on what a client that
# never reads may cost, and a MONITOR of that kind is one more of them.
REDIS_FAILS = {
    "clients that never read cost a bounded amount",
    "a MONITOR that never reads costs a bounded amount",
    "LCS of two long strings ends soon and in bounded memory",
}

MALFORMED = (
    b"*abc\r\n",
    b"*\r\n",
    b"*99999999999999999999999\r\n",
    b"*2147483648\r\n",
    b"*-99999999999999999999999\r\n",
    b"*1\r\n$abc\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$-2147483649\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$9223372036854775807\r\n",
    b"*1\r\n$99999999999999999999999\r\n",
    b"*1\r\n:5\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nPING\r\nPING\r\n",
    b"*1\r\nPING\r\n",
    b'"unbalanced\r\n',
    b"'unbalanced\r\n",
    b'SET k "a"b\r\n',
)


@suite.case("each malformed frame gets an error reply and a closed connection")
def malformed_frames(attack: Attack) -> None:
    for frame in MALFORMED:
        connection = attack.raw()
        connection.sendall(frame)
        received, closed = answer(connection)
        expect((frame, closed), (frame, True))
        expect((frame, received[:5]), (frame, b"-ERR "))
        expect((frame, received[-2:]), (frame, b"\r\n"))
        connection.close()


@suite.case("bytes at random, with seed 20070, are answered or end the connection")
def random_bytes(attack: Attack) -> None:
    source = random.Random(20070)
    words = [b"*", b"$", b"\r\n", b"\n", b"-1", b"3", b"1000000", b"GET", b"SET", b"k", b"\x00",
             b'"', b"'", b" ", b"*3\r\n$3\r\nSET\r\n", b"+OK\r\n", b"HELLO 3\r\n"]  # fmt: skip
    for _ in range(300):
        connection = attack.raw()
        data = b"".join(
            source.choice(words) if source.random() < 0.8 else source.randbytes(8)
            for _ in range(source.randrange(1, 200))
        )
        attack.send_what_is_taken(connection, data, 2.0)
        connection.close()


@suite.case("a request cut off at each byte, and the client gone, harms nobody")
def half_frames(attack: Attack) -> None:
    request = resp.encode([b"SET", b"half", b"x" * 20])
    for end in range(1, len(request)):
        connection = attack.raw()
        connection.sendall(request[:end])
        connection.close()
    with attack.server.connect() as checker:
        expect(checker.command("EXISTS", "half").raw, b":0\r\n")


@suite.case("a request that ends with the client's half of the connection is answered")
def half_closed(attack: Attack) -> None:
    connection = attack.raw()
    connection.sendall(b"PING\r\n*1\r\n$4\r\nPING\r\n")
    connection.shutdown(socket.SHUT_WR)
    received, closed = answer(connection)
    expect((received, closed), (b"+PONG\r\n+PONG\r\n", True))


@suite.case("500 connections that are reset at once harm nobody")
def resets(attack: Attack) -> None:
    for number in range(500):
        connection = attack.raw()
        if number % 2:
            connection.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@suite.case("inline lines of 1 MB get an error reply and a closed connection")
def long_inline(attack: Attack) -> None:
    for _ in range(20):
        connection = attack.raw()
        attack.send_what_is_taken(connection, b"x" * (1 << 20), 2.0)
        received, closed = answer(connection)
        expect(closed, True)
        # The reply may be lost to the reset that follows bytes nobody read.
        expect(received in (b"", b"-ERR Protocol error: too big inline request\r\n"), True)
        connection.close()


@suite.case("an inline line of 1 MB with an end is executed whole or refused")
def long_inline_with_end(attack: Attack) -> None:
    connection = attack.raw()
    attack.send_what_is_taken(connection, b"SET inline " + b"x" * (1 << 20) + b"\r\n", 2.0)
    answer(connection, 5.0)
    with attack.server.connect() as checker:
        length = int(checker.command("STRLEN", "inline").text())
    expect(length in (0, 1 << 20), True)


@suite.case("300 clients that only declare huge requests cost next to nothing")
def declared(attack: Attack) -> None:
    for _ in range(300):
        attack.raw().sendall(b"*1048576\r\n$536870912\r\n")
    for _ in range(20):
        time.sleep(0.05)
        attack.measure()


@suite.case("300 clients that declare huge requests and send 100 KB of them cost what they send")
def declared_and_begun(attack: Attack) -> None:
    for _ in range(300):
        connection = attack.raw()
        attack.send_what_is_taken(connection, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n", 2.0)
        attack.send_what_is_taken(connection, b"v" * 100_000, 2.0)


@suite.case("requests of very many empty arguments cost a bounded amount")
def many_empty_arguments(attack: Attack) -> None:
    for _ in range(10):
        connection = attack.raw()
        request = b"*1048576\r\n$4\r\nMGET\r\n" + b"$0\r\n\r\n" * 100_000
        attack.send_what_is_taken(connection, request, 2.0)


@suite.case("200 clients that send a byte now and then are borne, and answered in the end")
def slow_senders(attack: Attack) -> None:
    request = resp.encode([b"ECHO", b"slow"])
    connections = [attack.raw() for _ in range(200)]
    for at in range(len(request)):
        for connection in connections:
            connection.sendall(request[at : at + 1])
        time.sleep(0.02)
    for connection in connections:
        connection.settimeout(30.0)
        expect(connection.recv(100), b"$4\r\nslow\r\n")


@suite.case("clients that never read cost a bounded amount")
def never_read(attack: Attack) -> None:
    with attack.server.connect() as owner:
        owner.command("SET", "big", b"v" * (1 << 20))
        for _ in range(10):
            connection = attack.raw(receive_buffer_bytes=4096)
            requests = resp.encode([b"GET", b"big"]) * 4000
            attack.send_what_is_taken(connection, requests, 0.5)
        for _ in range(20):
            time.sleep(0.05)
            attack.measure()
        owner.command("DEL", "big")


@suite.case("a client that never reads its many small replies costs a bounded amount")
def never_read_small(attack: Attack) -> None:
    for _ in range(5):
        connection = attack.raw(receive_buffer_bytes=4096)
        attack.send_what_is_taken(connection, b"PING 0123456789012345678\r\n" * 50_000, 0.5)


@suite.case("a MONITOR that never reads costs a bounded amount")
def monitor_never_reads(attack: Attack) -> None:
    for _ in range(3):
        attack.raw(receive_buffer_bytes=4096).sendall(b"MONITOR\r\n")
    with attack.server.connect() as writer:
        request = resp.encode([b"ECHO", b"m" * 100_000])
        for _ in range(1000):
            writer.send(request)
            writer.read()
            attack.measure()


@suite.case("a pipeline of 200,000 commands in one write is answered whole")
def long_pipeline(attack: Attack) -> None:
    connection = attack.server.connect(timeout_s=30.0)
    attack.open.append(connection.socket)
    half = b"PING\r\n" * 1000
    for _ in range(200):
        connection.send(half)
        for _ in range(1000):
            connection.read()
    attack.measure()


@suite.case("as many clients as are allowed are served, and the next is told so")
def too_many_clients(attack: Attack) -> None:
    with attack.server.connect() as admin:
        admin.command("PING")
        before = admin.command("CONFIG", "GET", "maxclients").pairs()[0][1].text()
        expect(admin.command("CONFIG", "SET", "maxclients", "100").raw, b"+OK\r\n")
        try:
            refused = 0
            for _ in range(150):
                connection = attack.raw()
                connection.settimeout(30.0)
                try:
                    connection.sendall(b"PING\r\n")
                    refused += connection.recv(100) != b"+PONG\r\n"
                except (ConnectionResetError, BrokenPipeError):
                    refused += 1
            expect(50 <= refused <= 55, True)
            last = attack.raw()
            expect_in(b"max number of clients reached", answer(last)[0])
        finally:
            admin.command("CONFIG", "SET", "maxclients", before)


@suite.case("1,000 idle connections cost a bounded amount")
def idle_connections(attack: Attack) -> None:
    for _ in range(1000):
        attack.raw()
    for connection in attack.open[::50]:
        connection.sendall(b"PING\r\n")
        expect(connection.recv(100), b"+PONG\r\n")


@suite.case("a key of 4 MB is stored whole or refused")
def long_key(attack: Attack) -> None:
    key = b"k" * (4 << 20)
    with attack.server.connect() as connection:
        reply = connection.command("SET", key, "v")
        expect(reply.raw == b"+OK\r\n" or reply.is_error(), True)
        wanted = b"$1\r\nv\r\n" if reply.raw == b"+OK\r\n" else None
        got = connection.command("GET", key)
        expect(got.raw == wanted if wanted else got.is_error() or got.value is None, True)
        connection.command("DEL", key)
        expect(connection.command("PING").raw, b"+PONG\r\n")


@suite.case("a pattern made to explode is matched in time")
def exploding_pattern(attack: Attack) -> None:
    with attack.server.connect(timeout_s=20.0) as connection:
        connection.command("SET", "a" * 60, "v")
        pattern = "a*" * 30 + "b"
        watch = Stopwatch(attack.server)
        expect(connection.command("KEYS", pattern).raw, b"*0\r\n")
        expect(connection.command("SCAN", "0", "MATCH", pattern).is_error(), False)
        expect(connection.command("CONFIG", "GET", pattern).is_error(), False)
        expect(watch.seconds() < 2.0, True)


@suite.case("LCS of two long strings ends soon and in bounded memory")
def long_lcs(attack: Attack) -> None:
    with attack.server.connect(timeout_s=30.0) as connection:
        connection.command("MSET", "x", "ab" * 30_000, "y", "ba" * 30_000)
        connection.send(resp.encode([b"LCS", b"x", b"y", b"LEN"]))
        for _ in range(50):
            time.sleep(0.02)
            attack.measure()
        reply = connection.read()
        expect(reply.is_error() or reply.kind == b":", True)


@suite.case("offsets and lengths beyond the limit are refused, and nothing is allocated for them")
def beyond_the_limit(attack: Attack) -> None:
    with attack.server.connect() as connection:
        for command in (
            ("SETRANGE", "k", "536870912", "x"),
            ("SETRANGE", "k", "9223372036854775807", "x"),
            ("SETBIT", "k", "4294967296", "1"),
            ("BITFIELD", "k", "SET", "u8", "4294967296", "1"),
            ("BITFIELD", "k", "SET", "u8", "#536870912", "1"),
        ):
            expect((command, connection.command(*command).is_error()), (command, True))
        expect(connection.command("EXISTS", "k").raw, b":0\r\n")


@suite.case("error replies never carry a line break into the protocol")
def injected_lines(attack: Attack) -> None:
    with attack.server.connect() as connection:
        for name in (b"x\r\n+INJECTED\r\n", b"CONFIG\r\n", b"\r\n", b"a\nb", b"\x00\r\n:1\r\n"):
            reply = connection.command(name, name)
            expect((name, reply.is_error(), reply.raw.count(b"\r\n")), (name, True, 1))
            reply = connection.command("CONFIG", name)
            expect((name, reply.is_error(), reply.raw.count(b"\r\n")), (name, True, 1))
        expect(connection.command("PING").raw, b"+PONG\r\n")
