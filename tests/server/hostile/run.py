#!/usr/bin/python3
"""Hostile clients against a running Strata, over raw sockets.

    run.py [--backend NAME] [--against-redis] [--case PART-OF-NAME]

While each case attacks, another client sets, gets and pings: it must be answered within 2 s (what
threads wait for a processor does not count), with the right replies. The process may grow by
128 MiB at most (resident set, at its peak), and must still be there. --against-redis proves the
tests with redis-server, without the cases that it does not pass. The last line is
`N passed, N failed`; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import resp, servers  # noqa: E402
from harness.cases import Case, Tally  # noqa: E402
from hostile.attack import GROWTH_BYTES_MAX, SETTLE_S, Attack, Neighbour  # noqa: E402
from hostile.cases import REDIS_FAILS, suite  # noqa: E402


def warm_up(server: servers.Server) -> None:
    """Lets the process make what it makes once, so that growth is the attack's own."""
    with server.connect() as connection:
        for number in range(1000):
            connection.command("SET", f"warm:{number}", "x" * 100)
        connection.command("FLUSHALL")


def problem_of(case: Case, attack: Attack) -> str:
    try:
        case(attack)
    except (AssertionError, OSError, resp.Closed, resp.Silent, resp.ProtocolError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def judge(name: str, case: Case, server: servers.Server, tally: Tally) -> None:
    """Runs one case under watch and reports the first thing that is wrong."""
    before = server.resident_bytes()
    neighbour = Neighbour(server)
    neighbour.start()
    attack = Attack(server)
    problem = problem_of(case, attack)
    attack.measure()
    attack.close()
    problem = problem or neighbour.finish()
    neighbour.finish()
    growth = attack.peak_bytes - before
    if not server.alive():
        problem = f"the server ended: {server.log_tail()}"
    elif not problem and growth > GROWTH_BYTES_MAX:
        problem = f"the process grew by {growth >> 20} MiB"
    tally.add("hostile", f"{name} ({growth / (1 << 20):.1f} MiB)", problem)


def settle(server: servers.Server) -> None:
    """Waits until the attack's connections are gone and the data of the case is deleted."""
    deadline = time.monotonic() + SETTLE_S
    with server.connect() as connection:
        connection.command("FLUSHALL")
        while time.monotonic() < deadline:
            clients = connection.command("CLIENT", "LIST").text().count("\n")
            if clients <= 1:
                return
            time.sleep(0.02)


def main() -> int:
    parser = argparse.ArgumentParser(description="Hostile clients against Strata.")
    parser.add_argument("--backend", default="memory", help="Strata's backend (default: memory)")
    parser.add_argument("--against-redis", action="store_true", help="prove the tests with redis")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    tally = Tally()
    try:
        against = options.against_redis
        server = servers.start_redis() if against else servers.start_strata(options.backend)
        with server:
            warm_up(server)
            for name, case in suite.cases:
                if options.case not in name or (against and name in REDIS_FAILS):
                    continue
                judge(name, case, server, tally)
                if not server.alive():
                    break
                settle(server)
    except (servers.StartError, OSError, resp.Closed, resp.Silent) as error:
        tally.add("hostile", "the server starts and stays", str(error))
    return tally.summary()


if __name__ == "__main__":
    sys.exit(main())
