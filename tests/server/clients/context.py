"""What a client test is given: the server under test, and the programs that talk to it."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

from harness.servers import HOST, Server

COMMAND_S = 60.0


@dataclasses.dataclass
class Context:
    """The server under test, and where the npm packages are."""

    server: Server
    node_modules: pathlib.Path

    def run(
        self, *arguments: str, stdin: bytes = b"", seconds: float = COMMAND_S
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a program to its end; a program that does not end is killed and raises."""
        return subprocess.run(
            arguments, input=stdin, capture_output=True, timeout=seconds, check=False
        )

    def cli(
        self, *arguments: str, stdin: bytes = b"", protocol: str = "-2"
    ) -> subprocess.CompletedProcess[bytes]:
        where = ["-h", HOST, "-p", str(self.server.port)]
        return self.run("redis-cli", protocol, *where, *arguments, stdin=stdin)
