"""Servers as child processes: Strata under test, and Debian's redis-server as the reference.

Always: a server listens on 127.0.0.1 only, at a port of its own, with its data in a fresh folder
that goes away with it; it is stopped by its process handle, never by its name.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import resp

HOST = "127.0.0.1"
START_S = 60.0
STOP_S = 30.0
SERVER_PORTS = (10_000, 32_000)  # below those that a connecting socket is given
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


class StartError(Exception):
    """A server did not start, with what it printed."""


class Server:
    """A running server process. `stop()` ends it; so does leaving a `with` block."""

    def __init__(self, name: str, port: int, arguments: list[str], folder: pathlib.Path) -> None:
        self.name = name
        self.port = port
        self.folder = folder
        self.log_path = folder / "server.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connect(self, timeout_s: float = 30.0) -> resp.Connection:
        return resp.Connection(HOST, self.port, timeout_s)

    def alive(self) -> bool:
        return self.process.poll() is None

    def resident_bytes(self) -> int:
        """Resident set size, from /proc/PID/statm."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def log_tail(self, lines: int = 20) -> str:
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def wait_until_ready(self) -> None:
        """Returns once PING is answered; StartError when the process ends or time is up."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if not self.alive():
                break
            try:
                with self.connect(timeout_s=5.0) as connection:
                    if connection.command("PING").raw == b"+PONG\r\n":
                        return
            except (OSError, resp.Closed, resp.Silent):
                time.sleep(0.02)
        log = self.log_tail()
        self.stop()
        raise StartError(f"{self.name} did not answer on port {self.port}; it printed:\n{log}")

    def stop(self) -> int | None:
        """Asks for a clean stop, insists after a while; returns the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode


def free_port() -> int:
    """A port that nobody has now, and that the system gives to no client in the meantime."""
    while True:
        port = random.randrange(*SERVER_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue


def strata_binary() -> str:
    default = REPOSITORY / "build" / "release" / "bin" / "strata"
    return str(pathlib.Path(os.environ.get("STRATA_BIN", default)).resolve())


def start_redis(name: str = "redis", *extra: str) -> Server:
    """Debian's redis-server without persistence, in a fresh folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="strata-test-redis-"))
    port = free_port()
    arguments = ["redis-server", "--port", str(port), "--bind", HOST, "--dir", str(folder)]
    arguments += ["--save", "", "--appendonly", "no", "--daemonize", "no", *extra]
    return _started(name, port, arguments, folder)


def start_strata(backend: str = "memory", *extra: str) -> Server:
    """The Strata under test (STRATA_BIN, else the release build) over one backend."""
    binary = strata_binary()
    if not os.access(binary, os.X_OK):
        raise StartError(f"{binary} is not there; build it or set STRATA_BIN")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="strata-test-strata-"))
    port = free_port()
    arguments = [binary, "serve", "--port", str(port), "--data", str(folder / "data")]
    arguments += ["--backend", backend, *extra]
    return _started(f"strata/{backend}", port, arguments, folder)


def _started(name: str, port: int, arguments: list[str], folder: pathlib.Path) -> Server:
    server = Server(name, port, arguments, folder)
    server.wait_until_ready()
    return server
