#!/usr/bin/env python3
"""How fast lists and feeds of items are with a million items, and how many item writes a second there may be.

    bench/items.py [--items 1000000] [--rounds 5] [--plans FILE] [--no-lists] [--no-writes]

Builds nothing: it takes the programs of target/dist, or of JETON_BENCH_PROFILE (cargo build --release --features bench). Prints
rows for bench/results.md. The ratios are those of the medians of the rounds, with both databases right after one another.
"""

import argparse
import json
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from servers import SERVER_CORE, TOOL, another_database, jeton, load, postgres, stop, stop_all

WHERE = {"sqlite": "SQLite", "pg": "Postgres"}
FEW = 1_000
PAGES = {"list": "/api/v1/items/assets", "feed": "/feed/assets"}
SECONDS = 2


def say(text):
    print(f"== {text}", file=sys.stderr)


def filled(folder, pg_url, name, count):
    """A database with so many items. Returns its folder, URL and keys."""
    home = folder / f"items-{name}-{count}"
    home.mkdir(mode=0o700)
    url = f"sqlite:{home / 'jeton.db'}" if name == "sqlite" else another_database(pg_url, f"items_{count}")
    say(f"{count:,} items on {WHERE[name]}")
    printed = subprocess.run([TOOL, "items", home, url, str(count)], check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
    if name == "pg":
        # What Postgres would do by itself within a minute.
        subprocess.run(["psql", "-qc", "VACUUM ANALYZE", "-c", "CHECKPOINT", url], check=True)
    return home, url, dict(line.split("\t") for line in printed.stdout.splitlines())


# ---- Lists and feeds


def lists(options, databases):
    runs, servers = {}, {}
    for (name, count), (home, url, keys) in databases.items():
        servers[name, count] = jeton(home, url, workers=1, core=SERVER_CORE, more=["--requests-per-minute", "0"])
        for who, key in keys.items():
            (home / who.replace(" ", "-")).write_text(key + "\n")
    for number in range(options.rounds):
        say(f"Lists and feeds, round {number + 1} of {options.rounds}")
        for name in WHERE:
            for who in databases[name, FEW][2]:
                for page, path in PAGES.items():
                    for count in [FEW, options.items]:
                        home = databases[name, count][0]
                        run = load(servers[name, count], path, "Authorization", home / who.replace(" ", "-"), "Bearer ", 1, SECONDS)
                        runs.setdefault((name, who, page, count), []).append(run["p50"])
    for server in servers.values():
        stop(server.process)
    print(f"| first page | database | p50 with {FEW:,} | with {options.items:,} | ratio | target ≤ 3 × |\n|---|---|---|---|---|---|")
    for (name, who, page, count), several in runs.items():
        if count == options.items:
            short, long = statistics.median(runs[name, who, page, FEW]), statistics.median(several)
            verdict = "reached" if long <= 3 * short else f"**missed by {long / short - 3:.1f}**"
            print(f"| {page}, {who} | {WHERE[name]} | {short:.2f} ms | {long:.2f} ms | **{long / short:.2f} ×** | {verdict} |")


# ---- Writes beside verifications


class Client(threading.Thread):
    """Sends requests over one connection, so many a second at most."""

    def __init__(self, port, request, a_second, until):
        super().__init__(daemon=True)
        self.port, self.request, self.every, self.until = port, request, 1 / a_second, until
        self.times, self.failed = [], 0

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            due, number = time.monotonic(), 0
            while (now := time.monotonic()) < self.until:
                if now < due:
                    time.sleep(due - now)
                # From when it should have been sent: whoever comes too late waits, too.
                begun, due, number = due, max(due + self.every, now - 1), number + 1
                connection.sendall(self.request(number))
                status = self.answer(connection)
                self.times.append(time.monotonic() - begun)
                self.failed += status not in (200, 201)

    @staticmethod
    def answer(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return 0
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        return int(head.split(b" ", 2)[1])


def together(port, key, writers, writes, verifications, seconds):
    """So many writes and verifications a second. Returns what each took."""
    head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"

    def write(number):
        body = json.dumps({"name": f"Fridge {number}", "description": "Blue, second shelf"})
        return f"POST /api/v1/items/assets HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    verify = f"GET /verify HTTP/1.1\r\n{head}\r\n".encode()
    until = time.monotonic() + seconds
    sides = {
        "writes": [Client(port, write, writes / writers, until) for _ in range(writers if writes else 0)],
        "verifications": [Client(port, lambda _: verify, verifications / 4, until) for _ in range(4 if verifications else 0)],
    }
    for client in [client for clients in sides.values() for client in clients]:
        client.start()
    figures = {}
    for what, clients in sides.items():
        for client in clients:
            client.join(seconds + 60)
        times = sorted(taken for client in clients for taken in client.times)
        if times:
            p = lambda part: times[min(len(times) - 1, int(len(times) * part))] * 1000
            figures[what] = (len(times) / seconds, p(0.5), p(0.99), sum(client.failed for client in clients))
    return figures


def writes(options, databases):
    print("\n| beside one another on one node | database | a second | p50 | p99 | failed |\n|---|---|---|---|---|---|")
    for name in WHERE:
        home, url, keys = databases[name, FEW]
        server = jeton(home, url, workers=2, more=["--requests-per-minute", "0"])
        for what, wanted in [("1,000 verifications alone", (0, 1_000)), ("500 writes and 1,000 verifications", (500, 1_000)),
                             ("as many writes as there may be, and 1,000 verifications", (100_000, 1_000))]:
            say(f"{what} on {WHERE[name]}")
            for side, (rate, p50, p99, failed) in together(server.port, keys["administrator"], 16, *wanted, options.seconds).items():
                print(f"| {what}: {side} | {WHERE[name]} | {rate:,.0f} | {p50:.2f} ms | {p99:.2f} ms | {failed} |", flush=True)
        stop(server.process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="length of a run of writes")
    parser.add_argument("--plans", type=pathlib.Path, help="where the query plans are written")
    parser.add_argument("--no-lists", action="store_true")
    parser.add_argument("--no-writes", action="store_true")
    options = parser.parse_args()
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="jeton-bench-", ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o711)
        try:
            _, pg_url, _ = postgres(folder / "cluster", 0)
            sizes = [FEW] if options.no_lists else [FEW, options.items]
            databases = {(name, count): filled(folder, pg_url, name, count) for name in WHERE for count in sizes}
            if options.plans and not options.no_lists:
                plans = [(name, subprocess.run([TOOL, "item-plans", databases[name, options.items][1]], check=True,
                                               stdout=subprocess.PIPE, text=True).stdout) for name in WHERE]
                options.plans.write_text("\n".join(f"### {WHERE[name]}\n\n```text\n{text.strip()}\n```\n" for name, text in plans))
            if not options.no_lists:
                lists(options, databases)
            if not options.no_writes:
                writes(options, databases)
        finally:
            stop_all()


main()
