#!/usr/bin/env python3
"""Cuts the power under a working server and looks whether everything acknowledged is on the disk.

usage: tests/powercut/run.py [--binary target/debug/liusheng] [--cuts 4] [--deaf -wal]

record.c writes down every write and every sync of the server. After kill -9 the data directory is put together anew from
what was synced, once with nothing of the rest and once with a random half of it (disks write in any order), and the
database and files of that directory are compared with what was acknowledged. `--deaf -wal` forgets the syncs of files
that end so: that is what `synchronous=NORMAL` does to the log of SQLite between two checkpoints; it must lose something,
which shows that this script can see a loss. Limits: blocks are whole writes, not sectors; mapped memory is not seen.
"""
import argparse, collections, hashlib, json, os, pathlib, random, shutil, signal, socket, sqlite3, struct, subprocess
import sys, tempfile, threading, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MADE, OPENED, WRITE, CUT, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MKDIR = range(1, 10)
CLIP = (ROOT / "tests/data/media/lamp.amr").read_bytes()
PEOPLE = 12


class Disk:
    """What a disk holds when only what was synced is on it."""

    def __init__(self, base, data_dir, deaf):
        self.data_dir, self.deaf = str(data_dir), deaf
        self.names, self.folders, self.content = {}, {self.data_dir}, {}
        self.of_ino, self.path_of, self.pending, self.begun = {}, {}, collections.defaultdict(list), {}
        for path in pathlib.Path(base).rglob("*"):
            name = str(pathlib.Path(data_dir) / path.relative_to(base))
            if path.is_dir():
                self.folders.add(name)
            else:
                self.names[name] = ("base", name)
                self.content[("base", name)] = bytearray(path.read_bytes())
        self.count = 0

    def play(self, log):
        raw, at = pathlib.Path(log).read_bytes(), 0
        while at + 24 <= len(raw):
            op, length, ino, where = struct.unpack_from("<IIQQ", raw, at)
            data = raw[at + 24 : at + 24 + length]
            if len(data) < length:
                break
            at += 24 + length
            self.count += 1
            self.step(op, ino, where, data)

    def step(self, op, ino, where, data):
        text = data.decode() if op in (MADE, OPENED, UNLINK, MKDIR) else ""
        if op == MADE:
            self.of_ino[ino], self.path_of[ino] = ("new", self.count), text
            self.content[self.of_ino[ino]] = bytearray()
            self.later(os.path.dirname(text), ("name", text, self.of_ino[ino]))
        elif op == OPENED:
            self.path_of[ino] = text
            if ino not in self.of_ino and text in self.names:
                self.of_ino[ino] = self.names[text]
        elif op in (WRITE, CUT) and ino in self.of_ino:
            self.later(self.of_ino[ino], ("bytes" if op == WRITE else "cut", where, data))
        elif op == SYNC_BEGIN:
            self.begun[where] = self.count
        elif op == SYNC_END and not (self.deaf and self.path_of.get(ino, "").endswith(self.deaf)):
            for key in (self.of_ino.get(ino), self.path_of.get(ino)):
                waiting = self.pending.pop(key, [])
                for number, what in waiting:
                    if number < self.begun[where]:
                        self.apply(key, what)
                    else:
                        self.pending[key].append((number, what))
        elif op == RENAME:
            old, new = data.decode().split("\0")
            self.later(os.path.dirname(new), ("name", new, self.of_ino.get(ino)))
            self.later(os.path.dirname(old), ("gone", old, None))
            self.path_of[ino] = new
        elif op == UNLINK:
            self.later(os.path.dirname(text), ("gone", text, None))
            self.of_ino.pop(ino, None)
        elif op == MKDIR:
            self.path_of[ino] = text
            self.later(os.path.dirname(text), ("folder", text, None))

    def later(self, key, what):
        self.pending[key].append((self.count, what))

    def apply(self, key, what):
        kind, first, second = what
        if kind == "bytes":
            content = self.content[key]
            content.extend(b"\0" * (first - len(content)))
            content[first : first + len(second)] = second
        elif kind == "cut":
            content = self.content[key]
            del content[first:]
            content.extend(b"\0" * (first - len(content)))
        elif kind == "name" and second is not None:
            self.names[first] = second
        elif kind == "gone":
            self.names.pop(first, None)
        elif kind == "folder":
            self.folders.add(first)

    def survivors(self, folder, luck):
        """Writes the directory; each unsynced step is there with the probability `luck`."""
        for key, waiting in list(self.pending.items()) if luck else []:
            for _, what in waiting:
                if random.random() < luck:
                    self.apply(key, what)
        for name, key in self.names.items():
            above = [str(folder) for folder in pathlib.Path(name).parents if str(folder).startswith(self.data_dir)]
            if all(folder in self.folders for folder in above) and not name.endswith("-shm"):
                to = pathlib.Path(folder) / os.path.relpath(name, self.data_dir)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(self.content[key])
                to.chmod(0o600)


class Server:
    def __init__(self, binary, data_dir, log, **more):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        env = {
            "PATH": os.environ["PATH"], "LIUSHENG_DATA_DIR": str(data_dir), "LIUSHENG_LISTEN": f"127.0.0.1:{self.port}",
            "LIUSHENG_SMS_PROVIDER": "file", "LIUSHENG_CODES_PER_ADDRESS_AND_DAY": "1000", "LIUSHENG_LOG_LEVEL": "warn",
            "LIUSHENG_REQUESTS_PER_SECOND": "100000", "LIUSHENG_REQUESTS_BURST": "100000",
            "LIUSHENG_WRITES_PER_SECOND": "10000", "LIUSHENG_WRITES_BURST": "10000", **more,
        }
        self.process = subprocess.Popen([binary, "serve"], env=env, stdout=log, stderr=log)
        for _ in range(400):
            try:
                return self.call("/readyz") and None
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server was not ready")

    def call(self, path, body=None, token=None, raw=None, kind="application/json"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", raw or (body and json.dumps(body).encode()))
        request.add_header("content-type", kind)
        if token:
            request.add_header("authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")


def log_in(server, data_dir, phone):
    asked = server.call("/v1/login/codes", {"phone": phone})
    for _ in range(100):
        codes = (data_dir / "sms.txt").read_text() if (data_dir / "sms.txt").exists() else ""
        mine = [line.split()[1] for line in codes.splitlines() if line.startswith(phone)]
        if mine:
            return server.call("/v1/login", {"login_id": asked["login_id"], "phone": phone, "code": mine[-1], "device": "powercut"})
        time.sleep(0.02)
    raise SystemExit("no code")


def work(server, me, promised, over):
    """Renews a log-in again and again, and sends a clip now and then; notes what was acknowledged."""
    count = 0
    while not over.is_set():
        try:
            me.update(server.call("/v1/login/refresh", {"refresh_token": me["refresh_token"]}))
            number = int(me["refresh_token"].rsplit(".", 1)[0].rsplit(".", 1)[1])
            promised["renewals"][me["session_id"]] = number
            promised["count"] += 1
            count += 1
            if count % 25 == 1 and count < 500:
                clip = CLIP + b"\x3c" + os.urandom(31)
                form = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n" + clip + b"\r\n--b--\r\n"
                sent = server.call("/v1/media", token=me["access_token"], raw=form, kind="multipart/form-data; boundary=b")
                promised["clips"][sent["id"]] = hashlib.sha256(clip).hexdigest()
                promised["count"] += 1
        except OSError as error:
            if getattr(error, "code", 503) not in (429, 503):
                promised["wrong"].append(f"{error.code} {error.read()[:200]}")
                return


def lost(folder, promised):
    """What was acknowledged and is not there."""
    database = sqlite3.connect(folder / "liusheng.db")
    if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        return ["the whole database"]
    missing = []
    of = lambda text: bytes.fromhex(text.replace("-", ""))
    for session, number in promised["renewals"].items():
        row = database.execute("SELECT refresh_number FROM sessions WHERE id = ?", (of(session),)).fetchone()
        missing += [session] * (number - row[0] if row else number)
    for clip, digest in promised["clips"].items():
        row = database.execute("SELECT sha256 FROM media WHERE id = ?", (of(clip),)).fetchone()
        name = clip.replace("-", "")
        file = folder / "media" / name[30:] / name[28:30] / name
        # the file is sealed; whether it opens and holds these bytes is for `backup` to say
        if row != (digest,) or not file.exists() or file.stat().st_size <= len(CLIP):
            missing.append(clip)
    database.close()
    return missing


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--binary", default=str(ROOT / "target/debug/liusheng"))
    ask.add_argument("--cuts", type=int, default=4)
    ask.add_argument("--deaf", default="")
    asked = ask.parse_args()
    house = pathlib.Path(tempfile.mkdtemp())
    shim, data_dir = house / "record.so", house / "data"
    build = ["cc", "-shared", "-fPIC", "-O2", "-D_LARGEFILE64_SOURCE", "-o", shim, HERE / "record.c", "-ldl", "-lpthread"]
    subprocess.run(build, check=True)
    data_dir.mkdir()
    env = {"PATH": os.environ["PATH"], "LIUSHENG_DATA_DIR": str(data_dir), "LIUSHENG_LOG_LEVEL": "warn"}
    roster = [asked.binary, "import", "roster", ROOT / "tests/data/roster_small.csv"]
    subprocess.run(roster, env=env, check=True, stdout=subprocess.DEVNULL)
    log = open(house / "server.log", "ab")
    server = Server(asked.binary, data_dir, log)
    people = [log_in(server, data_dir, f"1950000{number:04}") for number in range(1, PEOPLE + 1)]
    server.process.send_signal(signal.SIGTERM)
    server.process.wait()
    bad = 0
    for cut in range(asked.cuts):
        base, record = house / f"base{cut}", house / f"record{cut}"
        shutil.copytree(data_dir, base)
        more = {"LD_PRELOAD": str(shim), "POWERCUT_DIR": str(data_dir), "POWERCUT_LOG": str(record)}
        server = Server(asked.binary, data_dir, log, **more)
        promised = {"renewals": {}, "clips": {}, "wrong": [], "count": 0}
        over = threading.Event()
        phones = [threading.Thread(target=work, args=(server, dict(me), promised, over)) for me in people]
        for phone in phones:
            phone.start()
        time.sleep(1.5 + random.random())
        server.process.kill()
        over.set()
        server.process.wait()
        for phone in phones:
            phone.join()
        for luck in (0, 0.5):
            disk, left = Disk(base, data_dir, asked.deaf), house / f"left{cut}-{luck}"
            disk.play(record)
            disk.survivors(left, luck)
            missing = lost(left, promised)
            verdict = subprocess.run([asked.binary, "verify", "--log"], env={**env, "LIUSHENG_DATA_DIR": str(left)}, capture_output=True)
            copied = subprocess.run([asked.binary, "backup", left / "copy"], env={**env, "LIUSHENG_DATA_DIR": str(left)}, capture_output=True)
            bad += len(missing) + len(promised["wrong"]) + (0 if asked.deaf else verdict.returncode + copied.returncode)
            print(f"cut {cut + 1}, {'none' if not luck else 'half'} of the unsynced kept: {promised['count']} acknowledged "
                  f"({len(promised['clips'])} clips), {len(missing)} lost, "
                  f"chain {'ok' if not verdict.returncode else 'broken'}, files {'whole' if not copied.returncode else 'damaged'}")
            for wrong in promised["wrong"][:3]:
                print("   ", wrong)
        # the next cut starts where this one began: the phones' renewals of this round are void
        shutil.rmtree(data_dir)
        shutil.copytree(base, data_dir)
        (data_dir / "keys.json").chmod(0o600)
        record.unlink()
    shutil.rmtree(house)
    if asked.deaf:
        print("a loss was seen, as it must be" if bad else "NOT SEEN: a disk that forgets must lose something")
        sys.exit(0 if bad else 1)
    sys.exit(1 if bad else 0)


main()
