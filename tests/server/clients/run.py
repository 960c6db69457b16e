#!/usr/bin/python3
"""Real clients against a running Strata: python3-redis, ioredis, node-redis, redis-cli and
redis-benchmark.

    run.py [--backend NAME] [--against-redis] [SUITE ...]

Suites: python, cli, ioredis, node-redis; all when none is named. The npm packages come from
STRATA_NODE_MODULES, else from a cache folder that `npm ci` fills by the lock file beside this
program. --against-redis proves the tests with redis-server. The last line is
`N passed, N failed`; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from clients.context import Context  # noqa: E402
from harness import servers  # noqa: E402
from harness.cases import Suite, Tally  # noqa: E402

NODE_S = 300.0
SUITES = ("python", "cli", "ioredis", "node-redis")


def run_suite(suite: Suite, context: Context, tally: Tally) -> None:
    for name, case in suite.cases:
        with context.server.connect() as admin:
            admin.command("FLUSHALL")
        problem = ""
        try:
            case(context)
        except Exception as error:  # a client library may raise anything: that is a failure
            problem = f"{type(error).__name__}: {error}" or "failed"
        tally.add(suite.title, name, problem)


def run_node(script: str, context: Context, tally: Tally) -> None:
    environment = dict(
        os.environ,
        NODE_PATH=str(context.node_modules),
        STRATA_TEST_PORT=str(context.server.port),
    )
    ended = subprocess.run(
        ["node", str(HERE / script)], env=environment, capture_output=True, text=True,
        timeout=NODE_S, check=False,
    )  # fmt: skip
    title = script.removesuffix("_test.js")
    lines = ended.stdout.splitlines()
    for line in lines:
        if line.startswith("ok "):
            tally.add(title, line[3:])
        elif line.startswith("not ok "):
            name, _, problem = line[7:].partition(": ")
            tally.add(title, name, problem or "failed")
    if "done" not in lines or ended.returncode != 0:
        tally.add(title, "runs to its end", f"exit {ended.returncode}: {ended.stderr[-2000:]}")


def node_modules() -> pathlib.Path:
    """The installed npm packages, as the lock file pins them."""
    given = os.environ.get("STRATA_NODE_MODULES")
    if given:
        return pathlib.Path(given)
    names = ("package.json", "package-lock.json")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()
    folder = servers.REPOSITORY / ".cache" / f"npm-{digest[:16]}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(HERE / name, folder / name)
        arguments = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(arguments, cwd=folder, check=True, stdout=sys.stderr, timeout=NODE_S)
        (folder / "complete").touch()
    return folder / "node_modules"


def run_all(options: argparse.Namespace, context: Context, tally: Tally) -> None:
    from clients import cli_client, python_client

    wanted = options.suites or SUITES
    if "python" in wanted:
        run_suite(python_client.suite, context, tally)
    if "cli" in wanted:
        run_suite(cli_client.suite, context, tally)
    for script in ("ioredis_test.js", "node_redis_test.js"):
        if script.removesuffix("_test.js").replace("_", "-") in wanted:
            run_node(script, context, tally)


def main() -> int:
    parser = argparse.ArgumentParser(description="Real Redis clients against Strata.")
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES], help="default: all")
    parser.add_argument("--backend", default="memory", help="Strata's backend (default: memory)")
    parser.add_argument("--against-redis", action="store_true", help="prove the tests with redis")
    options = parser.parse_args()
    tally = Tally()
    try:
        modules = node_modules()
        against = options.against_redis
        server = servers.start_redis() if against else servers.start_strata(options.backend)
        with server:
            run_all(options, Context(server, modules), tally)
            if not server.alive():
                tally.add("server", "is alive at the end", f"it ended:\n{server.log_tail()}")
    except (servers.StartError, OSError, subprocess.SubprocessError) as error:
        tally.add("server", "starts and stays", str(error))
    return tally.summary()


if __name__ == "__main__":
    sys.exit(main())
