#!/usr/bin/python3
"""Differential runner: the same scripts to redis-server and to Strata, replies compared byte
for byte, in RESP2 and in RESP3.

    run.py [--backend NAMES] [FILE ...]    Strata (STRATA_BIN) against redis-server, over memory,
                                           hybridlog and rocksdb or over the backends named (a,b)
    run.py --against-redis                 redis-server against redis-server: must be all equal
    run.py --coverage                      is every row of Strata's command table in a script?

A run of all files against Strata ends with the coverage check too. The last line is
`N passed, N failed`: script cases, times protocols, times backends; and a row of the table that is
not covered counts as failed. Exit code 1 on any failure.

A script (scripts/*.txt) is made of lines:

    # comment                 to the end of the line, at the start of a line only
    == NAME                   begins a case: empty databases, default configuration, new connections
    == NAME @resp2            the case runs in this protocol only (or @resp3)
    SET key "a\\x00b" EX 10   sent as a command; its one reply is compared. Words are quoted as in
                              redis-cli: "..." knows \\n \\r \\t \\a \\b \\xNN \\" \\\\, '...' only \\'
    b> GET key                the same on a second connection named b (any lower-case name)
    !pipeline ... !end        the commands between are sent in one write; then all replies are read
    !noreply COMMAND          sent; no reply is expected (the order of later replies proves it)
    !raw "BYTES" ...          bytes as they are (words are joined); replies are read by:
    !read [N]                 reads and compares N replies (1)
    !closed                   reads until the server closes; the bytes before that are compared
    !open                     opens the connection anew, without HELLO 3 even in RESP3
    !sleep MS                 waits
    !let NAME [/REGEX/] CMD   keeps the reply (or the regex's first group in it) as ${NAME}; each
                              server has its own value; not compared
    !scan SCAN 0 ...          follows the cursor to its end and compares the set of keys

Substitutions, outside '...': ${now}, ${now_ms} (also ${now+10}), ${rep 100 x}, ${NAME}. Replies
that remain unread at the end of a case fail it.

A relaxation stands on a line before the line it relaxes, and says why:

    %unordered -- WHY         elements of arrays, maps and sets in any order, at every depth
    %pairs -- WHY             as before, for a flat array of name, value, name, value
    %near N -- WHY            numbers may differ by N
    %regex REGEX -- WHY       both replies (their raw bytes) match
    %mask REGEX -- WHY        what matches is not compared, inside each string
    %shape -- WHY             types and counts only
    %names -- WHY             redis's names (map keys, INFO fields, array elements) are all there
    %subset -- WHY            no name is there that redis does not have
    %ignore A,B -- WHY        map entries of these names are not compared

allowed.txt holds the differences that are meant, one a line:

    NAME | FILE[:CASE] | LINE | REPLY | REASON

FILE, CASE and LINE may hold * and ?; REPLY is a regex that Strata's raw reply matches. An entry
that no longer occurs fails the run.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from differential import coverage, script  # noqa: E402
from differential.allowed import AllowedList  # noqa: E402
from differential.runner import Difference, Runner  # noqa: E402
from harness import servers  # noqa: E402

SHOWN_BYTES = 400
SHOWN_DIFFERENCES = 200


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare Strata's replies with redis-server's.")
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="script files; default: all")
    parser.add_argument("--backend", default="memory,hybridlog,rocksdb", help="Strata's backends, a,b")
    parser.add_argument("--against-redis", action="store_true", help="redis against redis")
    parser.add_argument("--coverage", action="store_true", help="check that every row has a script")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    return parser.parse_args()


def load_cases(files: list[pathlib.Path]) -> list[script.Case]:
    paths = files or sorted((HERE / "scripts").glob("*.txt"))
    return [case for path in paths for case in script.parse_file(path)]


def shown(raw: bytes, other: bytes) -> str:
    """The bytes as text; of a long reply the part around the first difference."""
    start = next((i for i, (a, b) in enumerate(zip(raw, other)) if a != b), 0)
    start = max(0, start - SHOWN_BYTES // 2) if len(raw) > SHOWN_BYTES else 0
    part = raw[start : start + SHOWN_BYTES]
    prefix = f"(from byte {start} of {len(raw)}) " if start else ""
    return prefix + repr(part)[1:] + ("..." if start + SHOWN_BYTES < len(raw) else "")


def print_difference(difference: Difference, names: tuple[str, str]) -> None:
    step = difference.step
    print(f'FAIL {step.place()} resp{difference.protocol} case "{difference.case.name}"')
    print(f"  {step.source}")
    print(f"  {names[0]:>16}: {shown(difference.expected, difference.got)}")
    print(f"  {names[1]:>16}: {shown(difference.got, difference.expected)}")
    if difference.note:
        print("  " + difference.note.replace("\n", "\n  "))


def start_subject(options: argparse.Namespace, backend: str) -> servers.Server:
    if options.against_redis:
        return servers.start_redis("redis (second)")
    return servers.start_strata(backend)


def run_cases(
    cases: list[script.Case], reference: servers.Server, subject: servers.Server, known: AllowedList
) -> tuple[int, int]:
    """Runs all cases on a pair of servers; how many passed and failed."""
    runner = Runner(reference, subject, known)
    passed = failed = 0
    for case in cases:
        for protocol in case.protocols:
            before = len(runner.differences)
            if runner.run(case, protocol):
                passed += 1
            else:
                failed += 1
            for difference in runner.differences[before:SHOWN_DIFFERENCES]:
                print_difference(difference, (reference.name, subject.name))
            if not reference.alive() or not subject.alive():
                dead = subject if reference.alive() else reference
                print(f"FAIL {dead.name} ended in {case.file}:{case.line}\n{dead.log_tail()}")
                return passed, failed + 1
    return passed, failed


def run_scripts(options: argparse.Namespace, cases: list[script.Case]) -> tuple[int, int]:
    known = AllowedList(None if options.against_redis else HERE / "allowed.txt")
    backends = ["redis"] if options.against_redis else options.backend.split(",")
    chosen = [case for case in cases if options.case in case.name]
    passed = failed = 0
    for backend in backends:
        with servers.start_redis() as reference, start_subject(options, backend) as subject:
            ran = run_cases(chosen, reference, subject, known)
        print(f"{subject.name}: {ran[0]} of {ran[0] + ran[1]} cases agree")
        passed, failed = passed + ran[0], failed + ran[1]
    if not options.files and not options.case:
        for entry in known.stale():
            print(f"FAIL {entry.place}: the difference {entry.name} no longer occurs: remove it")
            failed += 1
    return passed, failed


def check_coverage(options: argparse.Namespace, cases: list[script.Case]) -> tuple[int, int]:
    """Rows of the command table that the scripts cover, and that they do not."""
    backend = options.backend.split(",")[0]
    with start_subject(options, backend) as server, server.connect() as connection:
        rows = coverage.table(connection)
    missing = coverage.gaps(cases, rows)
    for sentence in missing:
        print(f"FAIL {sentence}")
    uncovered = {sentence.partition(":")[0] for sentence in missing}
    print(f"coverage: {len(rows) - len(uncovered)} of {len(rows)} rows of the command table")
    return len(rows) - len(uncovered), len(uncovered)


def summary(passed: int, failed: int) -> int:
    """Prints the last line; a run in which nothing passed is a failure too."""
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def main() -> int:
    options = parse_arguments()
    try:
        cases = load_cases(options.files)
        passed = failed = 0
        if not options.coverage:
            passed, failed = run_scripts(options, cases)
        if options.coverage or not (options.files or options.case or options.against_redis):
            covered, uncovered = check_coverage(options, cases)
            passed, failed = passed + covered, failed + uncovered
        return summary(passed, failed)
    except (script.ScriptError, servers.StartError, OSError) as error:
        print(f"error: {error}")
        return summary(0, 1)


if __name__ == "__main__":
    sys.exit(main())
