"""Script files of the differential runner, parsed. The format is described in run.py.

Always: a parsed step knows its file and line; a relaxation has a reason, or parsing fails.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import time

MAIN = "main"
RELAXATIONS = {
    "unordered": 0, "pairs": 0, "near": 1, "regex": 1, "mask": 1, "shape": 0,
    "names": 0, "subset": 0, "ignore": 1,
}  # fmt: skip
DIRECTIVES = ("raw", "read", "closed", "sleep", "let", "scan", "noreply", "pipeline", "end", "open")
ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b"}


class ScriptError(Exception):
    """A script line that the runner cannot read; names file and line."""


@dataclasses.dataclass
class Relaxation:
    kind: str
    parameter: str
    reason: str


@dataclasses.dataclass
class Step:
    """One line: what to do, on which connection, and how its replies compare."""

    kind: str  # "command" or one of DIRECTIVES
    connection: str
    words: list["Word"]
    source: str
    file: str
    line: int
    relaxations: list[Relaxation] = dataclasses.field(default_factory=list)
    steps: list["Step"] = dataclasses.field(default_factory=list)  # of a pipeline

    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclasses.dataclass
class Case:
    name: str
    protocols: tuple[int, ...]
    file: str
    line: int
    steps: list[Step] = dataclasses.field(default_factory=list)

    def commands(self) -> list[Step]:
        """Every step that sends a command, those inside pipelines too."""
        found = []
        for step in self.steps:
            for inner in [step, *step.steps]:
                if inner.kind in ("command", "let", "scan", "noreply") and inner.words:
                    found.append(inner)
        return found


class Word:
    """One argument: literal bytes and substitutions, the latter filled in when it is sent."""

    def __init__(self) -> None:
        self.parts: list[bytes | str] = []

    def add(self, part: bytes | str) -> None:
        if isinstance(part, bytes) and self.parts and isinstance(self.parts[-1], bytes):
            self.parts[-1] += part
        else:
            self.parts.append(part)

    def expand(self, variables: dict[str, str]) -> bytes:
        expanded = b""
        for part in self.parts:
            expanded += part if isinstance(part, bytes) else _substitute(part, variables)
        return expanded

    def literal(self) -> bytes:
        """The word without its substitutions: what coverage looks at."""
        return b"".join(part for part in self.parts if isinstance(part, bytes))


def _substitute(expression: str, variables: dict[str, str]) -> bytes:
    if match := re.fullmatch(r"rep (\d+) (.*)", expression):
        return int(match[1]) * split_words(f'"{match[2]}"')[0].literal()
    match = re.fullmatch(r"(\w+)([+-]\d+)?", expression)
    if not match or match[1] not in variables:
        raise ScriptError(f"unknown substitution ${{{expression}}}")
    value = variables[match[1]]
    return str(int(value) + int(match[2])).encode() if match[2] else value.encode()


def clock() -> dict[str, str]:
    """The substitutions that tell the time, fixed for one case so that both servers see one."""
    now_ms = time.time_ns() // 1_000_000
    return {"now": str(now_ms // 1000), "now_ms": str(now_ms)}


def split_words(text: str) -> list[Word]:
    """Splits as redis-cli does: "..." with escapes, '...' with \\' only, blanks between."""
    words = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t":
            at += 1
        if at == len(text):
            return words
        word = Word()
        at = _read_word(text, at, word)
        words.append(word)


def _read_word(text: str, at: int, word: Word) -> int:
    if text[at] == '"':
        return _read_quoted(text, at + 1, '"', word)
    if text[at] == "'":
        return _read_quoted(text, at + 1, "'", word)
    while at < len(text) and text[at] not in " \t":
        at = _read_character(text, at, word)
    return at


def _read_character(text: str, at: int, word: Word) -> int:
    if text.startswith("${", at):
        end = text.index("}", at)
        word.add(text[at + 2 : end])
        return end + 1
    word.add(text[at].encode())
    return at + 1


def _read_quoted(text: str, at: int, quote: str, word: Word) -> int:
    word.add(b"")
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and at + 1 < len(text):
            at = _read_escape(text, at + 1, quote, word)
        elif quote == '"':
            at = _read_character(text, at, word)
        else:
            word.add(text[at].encode())
            at += 1
    if at == len(text):
        raise ScriptError("a quote is not closed")
    if at + 1 < len(text) and text[at + 1] not in " \t":
        raise ScriptError("a closing quote must be followed by a blank")
    return at + 1


def _read_escape(text: str, at: int, quote: str, word: Word) -> int:
    if quote == "'":
        word.add(b"'" if text[at] == "'" else b"\\" + text[at].encode())
        return at + 1
    if match := re.compile(r"x([0-9a-fA-F]{2})").match(text, at):
        word.add(bytes([int(match[1], 16)]))
        return at + 3
    word.add(ESCAPES.get(text[at], text[at].encode()))
    return at + 1


class _Parser:
    """Reads one file line by line into cases."""

    def __init__(self, path: pathlib.Path) -> None:
        self.file = path.name
        self.cases: list[Case] = []
        self.relaxations: list[Relaxation] = []
        self.pipeline: Step | None = None

    def feed(self, number: int, line: str) -> None:
        text = line.strip()
        if not text or text.startswith("#"):
            return
        try:
            if text.startswith("== "):
                self._begin_case(number, text[3:])
            elif text.startswith("%"):
                self.relaxations.append(_parse_relaxation(text[1:]))
            else:
                self._add_step(number, text)
        except (ScriptError, ValueError) as error:
            raise ScriptError(f"{self.file}:{number}: {error}") from error

    def finish(self) -> list[Case]:
        if self.pipeline or self.relaxations:
            raise ScriptError(f"{self.file}: ends inside a pipeline or after a relaxation")
        return self.cases

    def _begin_case(self, number: int, title: str) -> None:
        if self.pipeline or self.relaxations:
            raise ScriptError("a case begins inside a pipeline or after a relaxation")
        protocols: tuple[int, ...] = (2, 3)
        if match := re.fullmatch(r"(.*) @resp([23])", title):
            title, protocols = match[1], (int(match[2]),)
        if any(case.name == title for case in self.cases):
            raise ScriptError(f'the case "{title}" is there twice')
        self.cases.append(Case(title, protocols, self.file, number))

    def _add_step(self, number: int, text: str) -> None:
        if not self.cases:
            raise ScriptError("a case must begin first: == NAME")
        step = self._parse_step(number, text)
        step.relaxations, self.relaxations = self.relaxations, []
        if step.kind == "end":
            if not self.pipeline:
                raise ScriptError("!end without !pipeline")
            step, self.pipeline = self.pipeline, None
            self.cases[-1].steps.append(step)
        elif step.kind == "pipeline":
            self.pipeline = step
        elif self.pipeline:
            if step.kind not in ("command", "noreply") or step.connection != MAIN:
                raise ScriptError("a pipeline holds plain commands only")
            self.pipeline.steps.append(step)
        else:
            self.cases[-1].steps.append(step)

    def _parse_step(self, number: int, text: str) -> Step:
        connection, body = MAIN, text
        if match := re.match(r"([a-z]\w*)> *(.*)$", text):
            connection, body = match[1], match[2]
        kind = "command"
        if body.startswith("!"):
            kind, _, body = body[1:].partition(" ")
            if kind not in DIRECTIVES:
                raise ScriptError(f"unknown directive !{kind}")
        return Step(kind, connection, split_words(body), text, self.file, number)


def _parse_relaxation(text: str) -> Relaxation:
    body, separator, reason = text.rpartition(" -- ")
    kind, _, parameter = body.strip().partition(" ")
    if not separator or not reason.strip():
        raise ScriptError("a relaxation needs a reason: %KIND [PARAMETER] -- REASON")
    if kind not in RELAXATIONS:
        raise ScriptError(f"unknown relaxation %{kind}")
    if bool(parameter) != bool(RELAXATIONS[kind]):
        raise ScriptError(f"%{kind} takes {RELAXATIONS[kind]} parameters")
    return Relaxation(kind, parameter, reason.strip())


def parse_file(path: pathlib.Path) -> list[Case]:
    parser = _Parser(path)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parser.feed(number, line)
    return parser.finish()
