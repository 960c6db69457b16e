"""Is every row of the server's command table exercised by some script line?

The table is asked of the server (COMMAND, COMMAND DOCS), what is exercised is derived from the
script lines: nothing is marked by hand. A row needs a line of its own, a line with a wrong number
of arguments where that is possible, and a line for each option token of its argument tree.
"""

from __future__ import annotations

import dataclasses

from differential import script
from harness.resp import Connection, Frame


@dataclasses.dataclass
class Row:
    """One command or subcommand of the server, named as in COMMAND LIST: `config|get`."""

    name: str
    arity: int
    container: bool
    tokens: set[str] = dataclasses.field(default_factory=set)


def table(connection: Connection) -> dict[str, Row]:
    """The server's commands and subcommands with arity and option tokens."""
    rows: dict[str, Row] = {}
    for entry in connection.command("COMMAND").children():
        _add_rows(entry, rows)
    for name, docs in connection.command("COMMAND", "DOCS").pairs():
        _add_tokens(name.text().lower(), docs, rows)
    return rows


def _add_rows(entry: Frame, rows: dict[str, Row]) -> None:
    fields = entry.children()
    subcommands = fields[9].children() if len(fields) > 9 else []
    name = fields[0].text().lower()
    rows[name] = Row(name, int(fields[1].text()), bool(subcommands))
    for subcommand in subcommands:
        _add_rows(subcommand, rows)


def _add_tokens(name: str, docs: Frame, rows: dict[str, Row]) -> None:
    for field, value in docs.pairs():
        if field.text() == "arguments" and name in rows:
            rows[name].tokens |= _tokens(value)
        elif field.text() == "subcommands":
            for inner_name, inner_docs in value.pairs():
                _add_tokens(inner_name.text().lower(), inner_docs, rows)


def _tokens(arguments: Frame) -> set[str]:
    found: set[str] = set()
    for argument in arguments.children():
        for field, value in argument.pairs():
            if field.text() == "token" and value.text():
                found.add(value.text().upper())
            elif field.text() == "arguments":
                found |= _tokens(value)
    return found


def lines_by_row(cases: list[script.Case], rows: dict[str, Row]) -> dict[str, list[list[str]]]:
    """For each row, the argument lists of the script lines that call it."""
    lines: dict[str, list[list[str]]] = {name: [] for name in rows}
    for case in cases:
        for step in case.commands():
            words = [word.literal().decode("latin-1") for word in step.words]
            if step.kind == "let":
                words = words[2:] if words[1].startswith("/") else words[1:]
            name = words[0].lower()
            nested = f"{name}|{words[1].lower()}" if len(words) > 1 else name
            for row in {name, nested} & rows.keys():
                lines[row].append(words)
    return lines


def _arity_is_tested(row: Row, lines: list[list[str]]) -> bool:
    if row.container:
        return True
    own_words = row.name.count("|") + 1
    if row.arity > 0:
        return any(len(words) != row.arity for words in lines)
    return -row.arity <= own_words or any(len(words) < -row.arity for words in lines)


def gaps(cases: list[script.Case], rows: dict[str, Row]) -> list[str]:
    """What is missing, one sentence each."""
    missing = []
    lines = lines_by_row(cases, rows)
    for name in sorted(rows):
        row, found = rows[name], lines[name]
        if not found:
            missing.append(f"{name}: no script line calls it")
            continue
        if not _arity_is_tested(row, found):
            missing.append(f"{name}: no script line has a wrong number of arguments")
        used = {word.upper() for words in found for word in words[1:]}
        for token in sorted(row.tokens - used):
            missing.append(f"{name}: no script line uses {token}")
    return missing
