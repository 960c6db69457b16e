#!/usr/bin/python3
"""Strata's server beside Debian's redis-server, in one run.

    server_bench.py [--strata PATH] [--backend NAME] [--rounds N] [--seconds S] [--markdown]

Each server is bound to one core (with one I/O thread, as Redis has one) and redis-benchmark to another.
The servers take turns, round by round, so that what happens to the machine happens to both; the
table has medians over the rounds: operations per second, and the server's processor time (user and
system, from /proc/PID/stat) per operation. Before it measures, it checks a reply of each.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
COMMANDS = ("ping", "set", "get", "incr", "mset")
PIPELINES = (1, 16)
CLIENTS = 50
KEYS = 100_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = 0, 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name: str, arguments: list[str], port: int) -> None:
        self.name, self.port = name, port
        self.process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while self.ask("PING") != "PONG":
            if time.monotonic() > until or self.process.poll() is not None:
                raise SystemExit(f"{name} does not answer on port {port}")
            time.sleep(0.05)
        assert self.ask("SET", "check", "1") == "OK" and self.ask("GET", "check") == "1"

    def ask(self, *words: str) -> str:
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words],
                              capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def cpu_s(self) -> float:
        # taskset becomes the server itself. The name may hold blanks: fields count from its end.
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def measure(server: Server, command: str, pipeline: int, requests: int) -> tuple[float, float]:
    """Operations per second, and microseconds of the server's processor per operation."""
    before = server.cpu_s()
    began = time.monotonic()
    done = subprocess.run(
        ["taskset", "-c", str(CLIENT_CORE), "redis-benchmark", "-p", str(server.port), "-q",
         "-c", str(CLIENTS), "-n", str(requests), "-P", str(pipeline), "-r", str(KEYS),
         "-t", "ping_mbulk" if command == "ping" else command],
        capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    assert "requests per second" in done.stdout, done.stdout + done.stderr
    cpu = server.cpu_s() - before
    return requests / took, cpu * 1e6 / requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strata", default=REPOSITORY / "build" / "release" / "bin" / "strata")
    parser.add_argument("--backend", default="memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="about, for each measurement")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="strata-server-bench-")
    servers = []
    try:
        port = free_port()
        servers.append(Server("redis-server", [
            "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", folder], port))
        port = free_port()
        servers.append(Server(f"strata/{options.backend}", [
            str(options.strata), "serve", "--port", str(port), "--threads", "1", "--backend",
            options.backend, "--data", folder + "/data"], port))
        show(options, servers)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def show(options: argparse.Namespace, servers: list[Server]) -> None:
    columns = ["command", "-P"]
    for server in servers:
        columns += [f"{server.name} op/s", "us CPU/op"]
    columns += ["op/s ratio", "CPU ratio"]
    rows = []
    for command in COMMANDS:
        for pipeline in PIPELINES:
            rates: dict[str, list[float]] = {server.name: [] for server in servers}
            costs: dict[str, list[float]] = {server.name: [] for server in servers}
            requests = {server.name: warmed_up(server, command, pipeline, options.seconds)
                        for server in servers}
            for _ in range(options.rounds):
                for server in servers:
                    rate, cost = measure(server, command, pipeline, requests[server.name])
                    rates[server.name].append(rate)
                    costs[server.name].append(cost)
            row = [command, str(pipeline)]
            for server in servers:
                row += [f"{statistics.median(rates[server.name]):,.0f}",
                        f"{statistics.median(costs[server.name]):.2f}"]
            theirs, ours = (server.name for server in servers)
            row.append(f"{statistics.median(rates[ours]) / statistics.median(rates[theirs]):.2f}")
            row.append(f"{statistics.median(costs[ours]) / statistics.median(costs[theirs]):.2f}")
            rows.append(row)
            print_row(row, options.markdown, header=columns if len(rows) == 1 else None)


def warmed_up(server: Server, command: str, pipeline: int, seconds: float) -> int:
    """How many requests take about so long."""
    few = 5_000 * pipeline
    rate, _ = measure(server, command, pipeline, few)
    return max(few, int(rate * seconds))


def print_row(row: list[str], markdown: bool, header: list[str] | None) -> None:
    widths = [8, 4, 18, 10, 18, 10, 10, 10]
    if header:
        print("| " + " | ".join(header) + " |" if markdown
              else " ".join(text.rjust(width) for text, width in zip(header, widths)))
        if markdown:
            print("|" + "---|" * len(header))
    print("| " + " | ".join(row) + " |" if markdown
          else " ".join(text.rjust(width) for text, width in zip(row, widths)), flush=True)


if __name__ == "__main__":
    main()
