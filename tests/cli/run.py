#!/usr/bin/python3
"""run.py: drives the program `strata` as a person or a script does: imports and exports on every
backend, also interrupted ones; memory; exit statuses; what broken input gets as an answer.

Environment: STRATA_BIN the program; STRATA_TEST_DATA a folder with json/cities.ndjson.zst (made-up
lines stand in where it is not there); STRATA_TEST_SHORT few lines; STRATA_BIG_MB size of the large
file (200). The last line is `N passed, N failed`.
"""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/server"))
from harness import resp  # noqa: E402

STRATA = os.environ.get("STRATA_BIN", str(ROOT / "build/release/bin/strata"))
SHORT = bool(os.environ.get("STRATA_TEST_SHORT"))
DATA = pathlib.Path(os.environ.get("STRATA_TEST_DATA", ROOT.parent / "shared/data"))
BIG_MB = int(os.environ.get("STRATA_BIG_MB", "20" if SHORT else "200"))
BACKENDS = ("memory", "hybridlog", "file", "rocksdb", "lmdb")
RSS_BYTES_MAX = 200 << 20
TIMEOUT = 1000  # only for what never ends


class Shell:
    """Runs the program in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments, status=0, stdin=b"", environment=None):
        done = subprocess.run([STRATA, *map(str, arguments)], input=stdin, capture_output=True,
                              cwd=self.folder, timeout=TIMEOUT,
                              env={**os.environ, **(environment or {})})
        assert done.returncode == status, (
            f"strata {' '.join(map(str, arguments))}: status {done.returncode}, not {status}: "
            f"{done.stdout[-300:]!r} {done.stderr[-300:]!r}")
        return done

    def kill_while(self, arguments, number, seconds):
        """Starts it, sends a signal after a while; gives the status."""
        child = subprocess.Popen([STRATA, *map(str, arguments)], cwd=self.folder,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(number)
            return child.wait(TIMEOUT)


def cities(folder):
    """The file of lines that the tests import."""
    path = folder / "cities.ndjson"
    packed = DATA / "json/cities.ndjson.zst"
    if packed.exists() and shutil.which("zstd"):
        lines = subprocess.run(["zstd", "-dqc", packed], stdout=subprocess.PIPE,
                               check=True).stdout.splitlines(keepends=True)
    else:
        chance = random.Random(7)
        lines = [b'{"cityId":%d,"name":"M\xc3\xbcnster %d", "population" : %d}\n'
                 % (i, i, chance.randrange(10**7)) for i in range(40_000)]
    path.write_bytes(b"".join(lines[:2000] if SHORT else lines))
    return path


def sorted_sha(path):
    digest = hashlib.sha256()
    for line in sorted(path.read_bytes().splitlines(keepends=True)):
        digest.update(line)
    return digest.hexdigest()


def import_of(backend, source="cities.ndjson"):
    return ["import", source, "--key", "cityId", "--data", f"{backend}-data", "--backend", backend,
            "--durability", "none"]


def test_import_and_export(shell, backend):
    """Every backend gives back the same lines."""
    source = cities(shell.folder)
    count = source.read_bytes().count(b"\n")
    said = json.loads(shell.run(*import_of(backend), "--json").stdout.splitlines()[-1])
    assert said["records"] == count and said["skipped"] == 0, said
    shell.run("export", "out.ndjson", "--data", f"{backend}-data")
    assert sorted_sha(source) == sorted_sha(shell.folder / "out.ndjson")
    again = shell.run(*import_of(backend)).stdout
    assert again.startswith(b"imported before: "), again
    shell.run("export", "out.ndjson", "--data", f"{backend}-data", status=1)


def test_imported_data_is_served(shell, backend):
    """A Redis client reads each imported line, byte for byte, by its key."""
    lines = cities(shell.folder).read_bytes().splitlines()
    shell.run(*import_of(backend))
    server = subprocess.Popen([STRATA, "serve", "--port", "0", "--data", f"{backend}-data"],
                              cwd=shell.folder, stdout=subprocess.PIPE)
    try:
        port = next(int(line.rsplit(b":")[1]) for line in server.stdout
                    if line.startswith(b"RESP "))
        with resp.Connection("127.0.0.1", port) as connection:
            assert connection.command("DBSIZE").value == b"%d" % len(lines)
            for at in range(0, len(lines), 500):
                some = lines[at:at + 500]
                keys = [str(json.loads(line)["cityId"]) for line in some]
                values = [frame.value for frame in connection.command("MGET", *keys).value]
                assert values == some, f"lines {at} to {at + 500}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(TIMEOUT) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_interrupted_import_and_export(shell, backend):
    """Ten interruptions, each followed by the same command, lose and double nothing."""
    source = cities(shell.folder)
    started = time.monotonic()
    shell.run(*import_of(backend))
    whole = time.monotonic() - started
    shutil.rmtree(shell.folder / f"{backend}-data")
    chance = random.Random(backend)
    statuses = []
    for turn in range(10):
        number = signal.SIGKILL if turn % 2 else signal.SIGINT
        status = shell.kill_while(import_of(backend), number, whole * chance.uniform(0.05, 0.3))
        assert status in (0, 130, -signal.SIGKILL, -signal.SIGINT), status
        statuses.append(status)
        if status == 0:  # it was done before the signal: once more, and sooner
            shutil.rmtree(shell.folder / f"{backend}-data")
            whole /= 2
    assert any(statuses), "no run was interrupted"
    shell.run(*import_of(backend))
    export = ["export", "out.ndjson", "--data", f"{backend}-data"]
    started = time.monotonic()
    shell.run("export", "once.ndjson", "--data", f"{backend}-data")
    whole = time.monotonic() - started
    for turn in range(10):
        number = signal.SIGKILL if turn % 2 else signal.SIGINT
        shell.kill_while(export, number, whole * chance.uniform(0.2, 0.9))
    if not (shell.folder / "out.ndjson").exists():
        shell.run(*export)
    assert sorted_sha(source) == sorted_sha(shell.folder / "out.ndjson")
    assert not list(shell.folder.glob("*.part*")), "an export leaves nothing behind"


def test_memory_stays_bounded(shell):
    """A large file needs no more memory than a small one."""
    for backend, megabytes in (("hybridlog", BIG_MB), ("rocksdb", BIG_MB), ("lmdb", BIG_MB),
                               ("file", BIG_MB // 10)):
        path = shell.folder / f"big-{megabytes}.ndjson"
        if not path.exists():
            with path.open("wb") as file:
                for i in range(megabytes):
                    file.write(b"".join(b'{"id":"%d-%d","text":"%s"}\n' % (i, j, b"x" * 980)
                                        for j in range(1024)))
        store = ["--data", f"big-{backend}", "--backend", backend, "--memory", "128MiB"]
        for command in (["import", path, "--key", "id", "--durability", "none", *store],
                        ["export", f"{backend}.out", *store]):
            child = subprocess.Popen([STRATA, *map(str, command)], cwd=shell.folder,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = status
            assert status == 0, status
            assert used.ru_maxrss * 1024 < RSS_BYTES_MAX, (
                f"{command[0]}, {backend}: {used.ru_maxrss >> 10} MiB")
        assert (shell.folder / f"{backend}.out").stat().st_size == path.stat().st_size


def test_counter_keys_keep_the_order(shell):
    """Without a key field, an export is the file again, byte for byte."""
    source = cities(shell.folder)
    shell.run("import", source, "--data", "d")
    assert shell.run("export", "-", "--data", "d").stdout == source.read_bytes()
    shell.run("import", "-", "--data", "d", "--keyspace", "piped", stdin=source.read_bytes())
    piped = shell.run("export", "-", "--data", "d", "--keyspace", "piped").stdout
    assert piped == source.read_bytes()


def test_csv_comes_back(shell):
    """Header, quotes, line ends within quotes and the kind of line end are kept."""
    for end in (b"\n", b"\r\n"):
        text = end.join([b"id,note", b'1,"two\nlines, and ""quotes"""', b"2,plain", b""])
        (shell.folder / "in.csv").write_bytes(text)
        data = f"d{len(end)}"
        shell.run("import", "in.csv", "--key", "id", "--data", data)
        assert shell.run("export", "-", "--format", "csv", "--data", data).stdout == text
    (shell.folder / "other.csv").write_text("id,other\n3,x\n")
    said = shell.run("import", "other.csv", "--key", "id", "--data", "d1", status=1).stderr
    assert b"another header" in said, said
    assert b"no column 'x'" in shell.run("import", "in.csv", "--key", "x", "--data", "d1",
                                         status=1).stderr


def test_folder_comes_back(shell):
    """Files by their paths, whatever is in them; keys that leave the folder are refused."""
    tree = shell.folder / "tree"
    (tree / "sub/deep").mkdir(parents=True)
    files = {"a": b"", "sub/b.bin": bytes(range(256)) * 100, "sub/deep/c": b"c", "sub.txt": b"d"}
    for name, content in files.items():
        (tree / name).write_bytes(content)
    shell.run("import", tree, "--data", "d")
    shell.run("export", "out/", "--data", "d")
    found = {str(path.relative_to(shell.folder / "out")): path.read_bytes()
             for path in (shell.folder / "out").rglob("*") if path.is_file()}
    assert found == files, found.keys()
    shell.run("put", "../escape", "x", "--data", "d")
    assert b"'../escape'" in shell.run("export", "out2/", "--data", "d", status=1).stderr
    shell.run("export", "out2/", "--data", "d", "--skip-bad", status=3)
    assert not (shell.folder / "escape").exists()


def test_broken_lines(shell):
    """One sentence names file and line, and nothing changed."""
    bad = shell.folder / "bad.ndjson"
    cases = ((b'{"id":1}\n{"id":2\n', b"bad.ndjson:2: no valid JSON"),
             (b'{"id":1}\n{"other":2}\n', b"bad.ndjson:2: there is no key field 'id'"),
             (b'{"id":1}\n[1]\n', b"bad.ndjson:2: no JSON object"),
             (b'{"id":1}\n"' + b"x" * (17 << 20) + b'"\n', b"bad.ndjson:2: a line of more than"),
             (b'{"id":"' + b"k" * 70_000 + b'"}\n', b"bad.ndjson:1: its key has 70000 bytes"))
    for text, sentence in cases:
        bad.write_bytes(text)
        said = shell.run("import", bad.name, "--key", "id", "--data", "d", status=1).stderr
        assert sentence in said and said.count(b"\n") == 1, said
        assert not (shell.folder / "d").exists(), "a broken file makes no store"
    shell.run("put", "k", "v", "--data", "d")
    bad.write_bytes(cases[0][0])
    shell.run("import", bad.name, "--key", "id", "--data", "d", status=1)
    shell.run("exists", "1", "--data", "d", status=10)
    shell.run("import", bad.name, "--key", "id", "--data", "d", "--skip-bad", status=3)
    assert shell.run("get", "1", "--data", "d").stdout == b'{"id":1}\n'
    shell.run("import", "absent.ndjson", "--data", "d", status=1)


def test_changed_source(shell):
    """A file that changed under an interrupted import is not gone on with."""
    source = cities(shell.folder)
    shell.run(*import_of("rocksdb"))
    with source.open("ab") as file:
        file.write(b'{"cityId":"new"}\n')
    shell.run(*import_of("rocksdb"))
    shell.run("get", "new", "--data", "rocksdb-data")


def test_exit_statuses(shell):
    """One of each row of docs/guide/exit-codes.md that a command gives."""
    shell.run("get", "k", "--data", "d", status=10)
    shell.run("put", "k", "v", "--data", "d")
    assert shell.run("get", "k", "--data", "d").stdout == b"v\n"
    assert shell.run("get", "k", "--raw", "--data", "d").stdout == b"v"
    shell.run("get", "absent", "--data", "d", status=10)
    shell.run("del", "absent", "--data", "d", status=10)
    shell.run("bogus", status=2)
    shell.run("get", status=2)
    shell.run("put", "k", "v", "--data", "d", "--backend", "memory", status=1)
    store = shell.folder / "d/STORE"
    good = store.read_bytes()
    store.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert b"STORE" in shell.run("get", "k", "--data", "d", status=4).stderr
    store.write_bytes(good[:8] + b"\x09" + good[9:])
    shell.run("get", "k", "--data", "d", status=13)
    store.write_bytes(good)
    shell.run("get", "k", "--data", "d")
    with pathlib.Path("/dev/full").open("wb") as full:
        done = subprocess.run([STRATA, "get", "k", "--data", "d"], cwd=shell.folder, stdout=full,
                              stderr=subprocess.DEVNULL, timeout=TIMEOUT)
    assert done.returncode == 1, done.returncode


def test_statistics(shell):
    """Whole numbers are shown whole, in JSON as in text."""
    store = ("--data", "s", "--backend", "hybridlog")
    (shell.folder / "strata.toml").write_text('[storage]\nmemory = "64MiB"\n')
    shell.run("put", "k", "v", *store, "--config", "strata.toml")
    text = shell.run("stats", *store, "--config", "strata.toml").stdout.decode()
    assert re.search(r"^memory_budget_bytes +67108864$", text, re.M), text
    said = json.loads(shell.run("stats", *store, "--config", "strata.toml", "--json").stdout)
    assert said["memory_budget_bytes"] == 64 << 20 and said["keys"] == 1, said


def test_verify(shell):
    """Every backend is read whole; damage is status 4, with the file's name."""
    source = cities(shell.folder)
    lines = source.read_bytes().count(b"\n")
    for backend in ("hybridlog", "rocksdb", "lmdb", "file"):
        store = ("--data", f"v-{backend}", "--backend", backend)
        shell.run("verify", *store, status=10)
        shell.run("import", source, "--key", "cityId", *store)
        said = shell.run("verify", *store).stdout.decode()
        assert "all of it is whole" in said, said
        found = json.loads(shell.run("verify", *store, "--json").stdout)
        assert found["damaged"] == 0 and found["damage"] == [], found
        assert found["records"] >= lines, found
    segment = max((shell.folder / "v-hybridlog").rglob("*.segment"), key=lambda p: p.stat().st_size)
    good = segment.read_bytes()
    at = len(good) // 2
    segment.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
    said = shell.run("verify", "--data", "v-hybridlog", status=4)
    assert segment.name.encode() in said.stderr and b"1 places are damaged" in said.stdout, said
    found = json.loads(shell.run("verify", "--data", "v-hybridlog", "--json", status=4).stdout)
    assert found["damaged"] == 1 and segment.name in found["damage"][0], found
    segment.write_bytes(good)
    shell.run("verify", "--data", "v-hybridlog")


def test_doctor(shell):
    """Every backend is judged; what must be seen to is status 1, with advice."""
    for backend in ("hybridlog", "rocksdb", "lmdb", "file"):
        store = ("--data", f"doc-{backend}", "--backend", backend)
        shell.run("doctor", *store, status=10)
        shell.run("put", "k", "v", *store)
        text = shell.run("doctor", *store).stdout.decode()
        assert re.search(rf"^store +ok +{backend}, 1 keys", text, re.M), text
        assert re.search(r"^disk +ok ", text, re.M), text
    told = {row["about"]: row for row in map(json.loads, shell.run(
        "doctor", "--data", "doc-hybridlog", "--json").stdout.splitlines())}
    assert set(told) == {"store", "memory", "log", "index", "versions", "space", "disk",
                         "machine"}, told
    said = shell.run("doctor", "--data", "doc-hybridlog", "--memory", "1000TiB", status=1)
    assert b"more than the machine has to spare" in said.stdout, said


def test_second_process_is_refused(shell):
    """Status 11, and the sentence says who has it."""
    shell.run("put", "k", "v", "--data", "d")
    holder = subprocess.Popen([STRATA, "import", "-", "--data", "d"], cwd=shell.folder,
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        # Asking the store itself would take the lock that the holder is about to take.
        deadline = time.monotonic() + 30
        lock = shell.folder / "d/LOCK"
        while lock.read_text().strip() != str(holder.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        second = subprocess.run([STRATA, "get", "k", "--data", "d"], cwd=shell.folder,
                                capture_output=True, timeout=TIMEOUT)
        assert second.returncode == 11, second
        assert str(holder.pid).encode() in second.stderr and b"LOCK" in second.stderr, second
        holder.send_signal(signal.SIGTERM)
        assert holder.wait(TIMEOUT) == 143
    finally:
        holder.stdin.close()
        holder.kill()
        holder.wait()
    shell.run("get", "k", "--data", "d")


def test_a_server_killed_at_once(shell):
    """A memory store that was killed before its first checkpoint opens again, empty."""
    server = subprocess.Popen([STRATA, "serve", "--port", "0", "--data", "m", "--backend",
                               "memory"], cwd=shell.folder, stdout=subprocess.PIPE)
    try:
        assert any(line.startswith(b"ready") for line in server.stdout)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    shell.run("get", "k", "--data", "m", status=10)
    shell.run("put", "k", "v", "--data", "m")
    assert shell.run("get", "k", "--data", "m", "--raw").stdout == b"v"


def test_a_server_on_a_damaged_store(shell):
    """Ends with the status of damaged data, as every other command does."""
    shell.run("put", "k", "v", "--data", "d")
    (shell.folder / "d/STORE").write_bytes(b"garbage")
    shell.run("get", "k", "--data", "d", status=4)
    said = shell.run("serve", "--port", "0", "--data", "d", status=4).stderr
    assert b"d/STORE" in said, said


def test_configuration(shell):
    """Errors name line, column and nearest name; origins are said; the order of sources holds."""
    file = shell.folder / "s.toml"
    file.write_text("[storage]\nbakend = \"memory\"\n")
    said = shell.run("config", "check", file.name, status=1).stderr
    assert b"s.toml:2:1: unknown key 'bakend' in [storage] (did you mean 'backend'?)" in said, said
    file.write_text("[server]\nport = 7000\nthreads = 2\n")
    shell.run("config", "check", file.name)
    rows = [json.loads(line) for line in shell.run(
        "config", "show", "--origin", "--json", "--config", file.name, "--backend", "memory",
        environment={"STRATA__SERVER__PORT": "7001"}).stdout.splitlines()]
    found = {(row["section"], row["name"]): (row["value"], row["origin"]) for row in rows}
    assert found["server", "port"] == ("7001", "STRATA__SERVER__PORT"), found
    assert found["server", "threads"] == ("2", "s.toml:3:1"), found
    assert found["storage", "backend"] == ("memory", "--backend"), found
    assert found["storage", "interval"][1] == "default", found
    said = shell.run("get", "k", environment={"STRATA__SERVER__PROT": "1"}, status=1).stderr
    assert b"STRATA__SERVER__PROT" in said and b"'port'" in said, said


def test_bytes(shell):
    """Any bytes go in and come out."""
    shell.run("put", "--hex", "00ff0a", "--data", "d", "80")
    assert shell.run("get", "--hex", "00ff0a", "--data", "d").stdout == b"80\n"
    assert shell.run("scan", "--data", "d").stdout == b"\\x00\\xff\\n\t\\x80\n"
    row = json.loads(shell.run("scan", "--json", "--data", "d").stdout)
    assert row["key_hex"] == "00ff0a" and row["value_hex"] == "80", row
    shell.run("put", "piped", "-", "--data", "d", stdin=b"line\n\0")
    assert shell.run("get", "piped", "--raw", "--data", "d").stdout == b"line\n\0"
    assert shell.run("exists", "piped", "--data", "d").stdout == b"1\n"
    assert shell.run("scan", "--prefix", "pip", "--keys-only", "--data", "d").stdout == b"piped\n"
    figures = json.loads(shell.run("stats", "--json", "--data", "d").stdout)
    assert figures["keyspaces"]["db0"] == 2, figures
    assert shell.run("version").stdout.startswith(b"strata ")


def test_examples_of_the_guide(shell):
    """Every block of the guide that is marked as runnable runs."""
    places = os.pathsep.join([str(pathlib.Path(STRATA).resolve().parent), os.environ["PATH"]])
    blocks = 0
    for page in sorted((ROOT / "docs/guide").glob("*.md")):
        for block in re.findall(r"^```sh runnable\n(.*?)^```", page.read_text(), re.M | re.S):
            folder = shell.folder / f"block-{blocks}"
            folder.mkdir()
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder,
                                  capture_output=True, timeout=TIMEOUT,
                                  env={**os.environ, "PATH": places})
            assert done.returncode == 0, f"{page.name}: {block}: {done.stderr[-500:]!r}"
            blocks += 1
    assert blocks >= 4, blocks


def cases():
    for backend in BACKENDS:
        yield f"import and export: {backend}", lambda s, b=backend: test_import_and_export(s, b)
        yield f"served: {backend}", lambda s, b=backend: test_imported_data_is_served(s, b)
        yield (f"ten interruptions: {backend}",
               lambda s, b=backend: test_interrupted_import_and_export(s, b))
    for name, function in sorted(globals().items()):
        if name.startswith("test_") and function.__code__.co_argcount == 1:
            yield name[5:].replace("_", " "), function


def main():
    # Where there is a file system in memory, tests do not wait for a disk.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    wanted = sys.argv[1:]
    passed = failed = 0
    for title, function in cases():
        if wanted and not any(word in title for word in wanted):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="strata-cli-", dir=place) as folder:
            try:
                function(Shell(pathlib.Path(folder)))
                passed += 1
                print(f"ok      {title} ({time.monotonic() - started:.1f} s)", flush=True)
            except Exception:  # one failure must not hide the other cases
                failed += 1
                print(f"FAILED  {title}", flush=True)
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
