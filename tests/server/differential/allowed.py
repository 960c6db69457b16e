"""The allowed differences: named lines with a reason, each of which must still occur."""

from __future__ import annotations

import dataclasses
import fnmatch
import pathlib
import re

from differential.script import Case, ScriptError, Step


@dataclasses.dataclass
class Allowed:
    name: str
    where: str  # FILE or FILE:CASE, with * and ?
    line: str  # the script line, with * and ?
    reply: re.Pattern[str]  # what Strata answers instead
    reason: str
    place: str
    used: int = 0


class AllowedList:
    """Knows which difference is allowed, and which entries never came up."""

    def __init__(self, path: pathlib.Path | None) -> None:
        self.entries: list[Allowed] = []
        if path is None:
            return
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                self.entries.append(_parse(line, f"{path.name}:{number}"))
        names = [entry.name for entry in self.entries]
        if duplicates := {name for name in names if names.count(name) > 1}:
            raise ScriptError(f"{path.name}: names used twice: {', '.join(sorted(duplicates))}")

    def allows(self, case: Case, step: Step, reply: bytes) -> bool:
        for entry in self.entries:
            where = [case.file, f"{case.file}:{case.name}"]
            if not any(fnmatch.fnmatchcase(place, entry.where) for place in where):
                continue
            if not fnmatch.fnmatchcase(step.source, entry.line):
                continue
            if entry.reply.search(reply.decode("latin-1")):
                entry.used += 1
                return True
        return False

    def stale(self) -> list[Allowed]:
        return [entry for entry in self.entries if not entry.used]


def _parse(line: str, place: str) -> Allowed:
    fields = [field.strip() for field in line.split(" | ")]
    if len(fields) != 5 or not all(fields):
        raise ScriptError(f"{place}: expected NAME | FILE[:CASE] | LINE | REPLY | REASON")
    name, where, pattern, reply, reason = fields
    return Allowed(name, where, pattern, re.compile(reply, re.DOTALL), reason, place)
