#!/usr/bin/python3
"""floors.py: fails when a file of src/ or include/ includes a floor above its own, or a neighbour.

The floors stand in the table of src/README.md: a number, then the folders and files on that floor.
A file belongs to the longest path of the table that it lies under. The paths of one row are one
room; but a folder that ends in `<name>/` stands for each folder in it as a room of its own. Also: a public header includes
nothing but the standard library and public headers, and the heaviest headers stand in .cc files only.
"""
import pathlib
import re
import sys

ROW = re.compile(r"^\|\s*(\d+)\s*\|([^|]*)\|")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
HEAVY = re.compile(r"^(toml\+\+|CLI|nlohmann|spdlog|rocksdb)/|^(toml|lmdb)\.h(pp)?$")


def read_floors(root):
    floors = {}
    for line in (root / "src/README.md").read_text().splitlines():
        row = ROW.match(line)
        for path in re.findall(r"`([^`]+)`", row.group(2)) if row else []:
            floors[path] = (int(row.group(1)), row.group(2).strip())
    return floors


class House:
    def __init__(self, root):
        self.root = root
        self.floors = read_floors(root)

    def room(self, path):
        """(floor, room) of a path relative to the root, or None."""
        best, longest = None, ""
        for place, (floor, name) in self.floors.items():
            room = place
            if place.endswith("<name>/"):
                parent = place[: -len("<name>/")]
                match = re.match(re.escape(parent) + r"[^/]+/", path)
                room = name = match.group(0) if match else None
            if room and path.startswith(room) and len(room) > len(longest):
                best, longest = (floor, name), room
        return best

    def target(self, name, file):
        """The path, relative to the root, of the file of ours that an #include names, or None."""
        for folder in (file.parent, self.root / "src", self.root / "include"):
            path = folder / name
            if path.is_file():
                return str(path.resolve().relative_to(self.root))
        return None

    def faults(self, file):
        path = str(file.relative_to(self.root))
        here = self.room(path)
        if here is None:
            yield f"{path}: stands on no floor of src/README.md"
            return
        public = path.startswith("include/")
        for number, line in enumerate(file.read_text().splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            name = include.group(2)
            target = self.target(name, file)
            at = f"{path}:{number}"
            if target is None:
                if public and (include.group(1) == '"' or "/" in name or name.endswith(".h")):
                    yield f"{at}: a public header includes {name}"
                elif path.endswith(".h") and HEAVY.match(name):
                    yield f"{at}: {name} is heavy: it belongs into one .cc"
                continue
            there = self.room(target)
            if there is None:
                yield f"{at}: {target} stands on no floor of src/README.md"
            elif there[0] > here[0]:
                yield f"{at}: floor {here[0]} includes {target} of floor {there[0]}"
            elif there[0] == here[0] and there[1] != here[1]:
                yield f"{at}: {path} includes {target}, its neighbour on floor {there[0]}"


def main():
    house = House(pathlib.Path(__file__).resolve().parent.parent)
    files = sorted(path for top in ("include", "src") for path in (house.root / top).rglob("*")
                   if path.suffix in (".h", ".cc"))
    faults = [fault for file in files for fault in house.faults(file)]
    print("\n".join(faults) or f"{len(files)} files keep to their floors")
    return 1 if faults else 0


sys.exit(main())
