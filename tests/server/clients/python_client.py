"""python3-redis, Debian's package, as a program would use it."""

from __future__ import annotations

import threading
import time

import redis
import redis.exceptions

from clients.context import Context
from harness.cases import Suite, expect, expect_in
from harness.servers import HOST

suite = Suite("python3-redis")


def client(context: Context, **options: object) -> redis.Redis:
    return redis.Redis(host=HOST, port=context.server.port, socket_timeout=10, **options)


def text_client(context: Context, **options: object) -> redis.Redis:
    return client(context, decode_responses=True, **options)


@suite.case("sets and gets text and bytes")
def sets_and_gets(context: Context) -> None:
    r = client(context)
    expect(r.set("k", "grün"), True)
    expect(r.get("k"), "grün".encode())
    expect(text_client(context).get("k"), "grün")
    everything = bytes(range(256)) * 64
    r.set(everything, everything)
    expect(r.get(everything), everything)
    expect(r.get("missing"), None)
    expect(r.ping(), True)
    expect(r.echo("x"), b"x")


@suite.case("knows the options of SET")
def set_options(context: Context) -> None:
    r = text_client(context)
    expect(r.set("k", "1", nx=True), True)
    expect(r.set("k", "2", nx=True), None)
    expect(r.set("k", "3", xx=True, get=True), "1")
    expect(r.set("k", "4", ex=100), True)
    expect(r.set("k", "5", keepttl=True), True)
    expect(0 < r.ttl("k") <= 100, True)
    expect(r.getex("k", persist=True), "5")
    expect(r.ttl("k"), -1)
    expect(r.getdel("k"), "5")
    expect(r.exists("k"), 0)


@suite.case("counts, with integers and floats")
def counts(context: Context) -> None:
    r = text_client(context)
    expect(r.incr("n"), 1)
    expect(r.incrby("n", 41), 42)
    expect(r.decrby("n", 2), 40)
    expect(r.incrbyfloat("n", 0.5), 40.5)
    try:
        r.incr("n")
    except redis.exceptions.ResponseError as error:
        expect_in("not an integer", str(error))
    else:
        raise AssertionError("INCR of 40.5 must fail")


@suite.case("pipelines a thousand commands without a transaction")
def pipelines(context: Context) -> None:
    with text_client(context).pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"key:{number}", number)
        for number in range(1000):
            pipe.get(f"key:{number}")
        replies = pipe.execute()
    expect(replies[:1000], [True] * 1000)
    expect(replies[1000:], [str(number) for number in range(1000)])


@suite.case("gives the error of one command of a pipeline in its place")
def pipeline_errors(context: Context) -> None:
    with text_client(context).pipeline(transaction=False) as pipe:
        pipe.set("k", "word").incr("k").get("k")
        replies = pipe.execute(raise_on_error=False)
    expect([replies[0], replies[2]], [True, "word"])
    expect(isinstance(replies[1], redis.exceptions.ResponseError), True)


@suite.case("iterates over every key once with scan_iter")
def scans(context: Context) -> None:
    r = text_client(context)
    wanted = {f"user:{number}" for number in range(500)}
    r.mset({name: "x" for name in wanted})
    r.mset({f"other:{number}": "y" for number in range(100)})
    expect(set(r.scan_iter(match="user:*", count=37)), wanted)
    expect(len(set(r.scan_iter())), 600)
    expect(set(r.scan_iter(_type="string", match="user:1*")), {k for k in wanted if k[5] == "1"})
    expect(set(r.keys("user:49?")), {f"user:49{digit}" for digit in range(10)})


@suite.case("writes and reads many keys at once")
def many_keys(context: Context) -> None:
    r = text_client(context)
    expect(r.mset({"a": 1, "b": 2}), True)
    expect(r.mget("a", "missing", "b"), ["1", None, "2"])
    expect(r.msetnx({"b": 3, "c": 4}), False)
    expect(r.exists("c"), 0)
    expect(r.delete("a", "b", "missing"), 2)


@suite.case("lets keys expire")
def expires(context: Context) -> None:
    r = text_client(context)
    r.set("k", "v", px=100_000)
    expect(r.get("k"), "v")
    expect(0 < r.pttl("k") <= 100_000, True)
    expect(r.pexpire("k", 1), True)
    time.sleep(0.01)  # longer than the millisecond that it has
    expect(r.get("k"), None)
    expect(r.ttl("k"), -2)
    r.set("k", "v")
    expect(r.expire("k", 100, nx=True), True)
    expect(r.expire("k", 50, gt=True), False)
    when = int(time.time()) + 1000
    expect(r.expireat("k", when), True)
    expect(r.execute_command("EXPIRETIME", "k"), when)
    expect(r.persist("k"), True)


@suite.case("takes a lock with SET NX PX and gives it back")
def locks(context: Context) -> None:
    held = []

    def take(name: str) -> None:
        if text_client(context).set("lock", name, nx=True, px=30000):
            held.append(name)

    threads = [threading.Thread(target=take, args=(f"t{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    expect(len(held), 1)
    r = text_client(context)
    expect(r.get("lock"), held[0])
    expect(r.delete("lock"), 1)
    expect(r.set("lock", "again", nx=True), True)


@suite.case("loses no increment of eight threads")
def concurrent_counts(context: Context) -> None:
    def add() -> None:
        r = client(context)
        for _ in range(250):
            r.incr("n")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expect(client(context).get("n"), b"2000")


@suite.case("reads and writes bits and bit fields")
def bits(context: Context) -> None:
    r = client(context)
    expect(r.setbit("b", 7, 1), 0)
    expect(r.getbit("b", 7), 1)
    expect(r.bitcount("b"), 1)
    expect(r.bitpos("b", 1), 7)
    r.set("c", b"\xf0")
    expect(r.bitop("OR", "d", "b", "c"), 1)
    expect(r.get("d"), b"\xf1")
    field = r.bitfield("f", default_overflow="SAT")
    expect(field.set("u8", 0, 250).incrby("u8", 0, 10).get("u8", "#0").execute(), [0, 255, 255])


@suite.case("cuts, appends and compares strings")
def strings(context: Context) -> None:
    r = text_client(context)
    expect(r.append("k", "Hello"), 5)
    expect(r.setrange("k", 5, " World"), 11)
    expect(r.getrange("k", -5, -1), "World")
    expect(r.strlen("k"), 11)
    r.mset({"x": "ohmytext", "y": "mynewtext"})
    expect(r.execute_command("LCS", "x", "y"), "mytext")


@suite.case("renames, copies, moves and tells the type")
def keys(context: Context) -> None:
    r = text_client(context)
    r.set("a", "1")
    expect(r.rename("a", "b"), True)
    expect(r.renamenx("b", "c"), True)
    expect(r.copy("c", "d"), True)
    expect(r.type("d"), "string")
    expect(r.move("d", 3), True)
    expect(text_client(context, db=3).get("d"), "1")
    expect(r.object("encoding", "c"), "int")
    expect(r.touch("c", "gone"), 1)
    expect(r.unlink("c"), 1)
    expect(r.randomkey(), None)


@suite.case("keeps sixteen databases apart")
def databases(context: Context) -> None:
    for number in range(16):
        text_client(context, db=number).set("k", number)
    expect([text_client(context, db=n).get("k") for n in range(16)], [str(n) for n in range(16)])
    text_client(context, db=5).flushdb()
    expect(text_client(context, db=5).dbsize(), 0)
    expect(text_client(context, db=6).dbsize(), 1)
    text_client(context).swapdb(6, 5)
    expect(text_client(context, db=5).get("k"), "6")


@suite.case("reads INFO, CONFIG, CLIENT, SLOWLOG and TIME as python objects")
def server_side(context: Context) -> None:
    r = text_client(context, client_name="tester")
    info = r.info()
    expect(info["redis_version"].count("."), 2)
    expect(isinstance(info["connected_clients"], int), True)
    r.set("k", "v")
    expect(r.info("keyspace")["db0"]["keys"], 1)
    expect(r.config_get("maxmemory-policy"), {"maxmemory-policy": "noeviction"})
    expect(r.config_set("maxmemory-policy", "allkeys-lru"), True)
    expect(r.config_set("maxmemory-policy", "noeviction"), True)
    expect(r.client_getname(), "tester")
    expect_in("tester", [row["name"] for row in r.client_list()])
    expect(r.client_info()["db"], 0)
    expect(abs(r.time()[0] - time.time()) < 60, True)
    expect(isinstance(r.slowlog_get(), list), True)
    expect(r.command_getkeys("MSET", "a", "1", "b", "2"), ["a", "b"])
    expect(r.command_count() > 60, True)


@suite.case("logs in with a password and is told when it is wrong")
def password(context: Context) -> None:
    admin = text_client(context)
    admin.config_set("requirepass", "s3cret")
    try:
        try:
            text_client(context).get("k")
            raise AssertionError("a client without the password must be refused")
        except redis.exceptions.AuthenticationError as error:
            expect_in("Authentication required", str(error))
        try:
            text_client(context, password="wrong").get("k")
            raise AssertionError("a wrong password must be refused")
        except redis.exceptions.ResponseError as error:
            expect_in("WRONGPASS", str(error))
        expect(text_client(context, password="s3cret").get("k"), None)
        expect(text_client(context, username="default", password="s3cret").ping(), True)
    finally:
        admin.config_set("requirepass", "")


@suite.case("watches other clients with MONITOR")
def monitors(context: Context) -> None:
    r = client(context)
    with r.monitor() as monitor:
        client(context).set("seen", "by monitor")
        for _ in range(10):
            command = monitor.next_command()
            if "SET" in command["command"]:
                expect_in("seen", command["command"])
                return
    raise AssertionError("MONITOR did not show the SET")


@suite.case("carries a value of 20 MB")
def large_value(context: Context) -> None:
    r = client(context)
    value = bytes(range(256)) * (20 * 4096)
    r.set("big", value)
    expect(r.strlen("big"), len(value))
    expect(r.get("big") == value, True)
    expect(r.getrange("big", 10_000_000, 10_000_003), value[10_000_000:10_000_004])
