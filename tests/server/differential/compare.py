"""Compares two replies: byte for byte, unless the script line relaxes that with a reason."""

from __future__ import annotations

import re

from differential.script import Relaxation
from harness.resp import Frame


def same(expected: Frame, got: Frame, relaxations: list[Relaxation]) -> bool:
    if not relaxations:
        return expected.raw == got.raw
    chosen = {relaxation.kind: relaxation.parameter for relaxation in relaxations}
    masks = [re.compile(item.parameter) for item in relaxations if item.kind == "mask"]
    if "shape" in chosen:
        return _shape(expected) == _shape(got)
    if "regex" in chosen:
        pattern = re.compile(chosen["regex"], re.DOTALL)
        return all(pattern.search(frame.raw.decode("latin-1")) for frame in (expected, got))
    if "near" in chosen:
        return _near(expected, got, float(chosen["near"]))
    if "names" in chosen:
        return expected.kind == got.kind and _names(expected) <= _names(got)
    if "subset" in chosen:
        return expected.kind == got.kind and _names(got) <= _names(expected)
    ignored = set(chosen.get("ignore", "").split(",")) - {""}
    order = "pairs" if "pairs" in chosen else "items" if "unordered" in chosen else ""
    return _canonical(expected, masks, ignored, order) == _canonical(got, masks, ignored, order)


def _shape(frame: Frame) -> str:
    if isinstance(frame.value, list):
        return frame.kind.decode() + "(" + " ".join(map(_shape, frame.value)) + ")"
    return frame.kind.decode() + ("nil" if frame.value is None else "")


def _near(expected: Frame, got: Frame, distance: float) -> bool:
    """Same structure; numbers differ by at most `distance`, all else is equal."""
    if expected.kind != got.kind:
        return False
    if isinstance(expected.value, list) and isinstance(got.value, list):
        pairs = list(zip(expected.value, got.value))
        return len(expected.value) == len(got.value) and all(
            _near(left, right, distance) for left, right in pairs
        )
    if expected.raw == got.raw:
        return True
    try:
        return abs(float(expected.text()) - float(got.text())) <= distance
    except ValueError:
        return False


def _names(frame: Frame) -> set[str]:
    """Keys of a map, elements of an array, names of the `name:value` lines of a text."""
    if frame.kind == b"%":
        return {key.text() for key, _ in frame.pairs()}
    if isinstance(frame.value, list):
        return {child.text() for child in frame.value[:: _stride(frame)]}
    lines = [line for line in frame.text().splitlines() if line]
    return {line if line.startswith("#") else line.partition(":")[0] for line in lines}


def _stride(frame: Frame) -> int:
    """2 for the flat CONFIG GET array of RESP2, where values stand between the names."""
    names = {child.text() for child in frame.children()[0::2]}
    return 2 if "maxmemory" in names and "port" in names else 1


def _canonical(frame: Frame, masks: list[re.Pattern[str]], ignored: set[str], order: str) -> str:
    """A text that is equal for two replies that are the same but for what is relaxed."""
    kind = frame.kind.decode()
    if frame.value is None:
        return kind + "nil"
    if isinstance(frame.value, bytes):
        text = frame.value.decode("latin-1")
        for mask in masks:
            text = mask.sub("?", text)
        return kind + repr(text)
    children = [_canonical(child, masks, ignored, order) for child in frame.value]
    if ignored or order == "pairs" or kind == "%":
        pairs = list(zip(frame.value[0::2], children[0::2], children[1::2]))
        pairs = [item for item in pairs if not _is_ignored(item[0], ignored)]
        children = [key + "=" + value for _, key, value in pairs] + children[len(children) & ~1 :]
    if order:
        children.sort()
    return kind + "(" + " ".join(children) + ")"


def _is_ignored(key: Frame, ignored: set[str]) -> bool:
    return isinstance(key.value, bytes) and key.text() in ignored
