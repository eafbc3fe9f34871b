#!/usr/bin/env python3
"""Measures what answering from memory does for /verify, on SQLite and on Postgres, beside the old way in the same run.

    cargo build --profile dist --features bench,jemalloc --bin jeton --bin jeton-bench && bench/freshness.py

Each server has one worker on a core of its own and is asked in turn: the bare route, the default freshness bound (20 ms) and
0, with which each request reads the epoch. Then: reads of the epoch a second under that load, the time of a revocation, and
Postgres behind a link of 15 ms each way with a bound of 100 ms, which is more than the 30 ms that a read takes there.
"""

import asyncio
import contextlib
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

from servers import (JETON, SERVER_CORE, TOOL, Server, another_database, bare_body, exchange, free_port, jeton,
                     kept_alive_size, load, postgres, stop_all)

ROUNDS, SECONDS, TOKENS = 5, 3, 10_000
DELAY = 0.015


def set_bound(folder, url, milliseconds):
    subprocess.run([JETON, "freshness", str(milliseconds), "--data-dir", folder, "--database-url", url], check=True,
                   stdout=subprocess.DEVNULL)


def reads(server):
    """How often the server has read the epoch from the database."""
    metrics = exchange(server.metrics, "/metrics")[2].decode()
    return int(re.search(r"jeton_epoch_read_duration_seconds_count (\d+)", metrics)[1])


def slow_link(to):
    """A port whose connections reach the port `to` with a delay in each direction."""

    async def pump(reader, writer):
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                loop.call_later(DELAY, writer.write, data)
        loop.call_later(DELAY, writer.close)

    async def join(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def serve():
        server = await asyncio.start_server(join, "127.0.0.1", port)
        ready.set()
        await server.serve_forever()

    port, ready = free_port(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait()
    return port


def ratio(runs, name, figure):
    pairs = zip(runs[name], runs["bare"])
    return statistics.median(ours[figure] / bare[figure] for ours, bare in pairs)


def over(runs, name):
    return statistics.median(ours["cpu"] - bare["cpu"] for ours, bare in zip(runs[name], runs["bare"]))


def measure(folder):
    _, pg_url, version = postgres(folder / "postgres", 0)
    urls = {"SQLite": f"sqlite:{folder / 'sqlite/jeton.db'}", "SQLite, bound 0": f"sqlite:{folder / 'sqlite0/jeton.db'}",
            "Postgres": pg_url, "Postgres, bound 0": another_database(pg_url, "zero"),
            "Postgres, 15 ms away": another_database(pg_url, "away")}
    servers, keys = {}, {}
    for number, (name, url) in enumerate(urls.items()):
        data = folder / ("sqlite" if name == "SQLite" else "sqlite0" if name.startswith("SQLite") else f"data{number}")
        keys[name] = folder / f"{number}.keys"
        subprocess.run([TOOL, "fill", data, url, str(TOKENS), keys[name]], check=True)
        if "bound 0" in name or "away" in name:
            set_bound(data, url, 0 if "bound 0" in name else 100)
        if "away" in name:
            port = urllib.parse.urlsplit(url).port
            url = url.replace(f":{port}/", f":{slow_link(port)}/")
        metrics = free_port()
        servers[name] = jeton(data, url, workers=1, core=SERVER_CORE, more=["--verify-listen", f"127.0.0.1:{metrics}"])
        servers[name].metrics = metrics
    key = keys["SQLite"].read_text().split()[0]
    _, head, body = exchange(servers["SQLite"].port, "/verify", [f"Authorization: Bearer {key}"])
    size, port = kept_alive_size(head, body), free_port()
    servers["bare"] = Server([TOOL, "bare", f"127.0.0.1:{port}", f"/verify={bare_body(size)}"], port, core=SERVER_CORE)
    keys["bare"] = keys["SQLite"]
    ask = lambda name, connections, seconds: load(servers[name], "/verify", "Authorization", keys[name], "Bearer ",
                                                  connections, seconds)
    for name in servers:
        # Every key at least once, also where a look-up takes 60 ms.
        ask(name, 32, 25 if "away" in name else 5)
    runs, singles, rates = {}, {}, {}
    for number in range(ROUNDS):
        for name in list(servers) if number % 2 == 0 else reversed(list(servers)):
            before, begun = (reads(servers[name]), time.monotonic()) if name != "bare" else (0, 0)
            runs.setdefault(name, []).append(ask(name, 32, SECONDS))
            if name != "bare":
                rates.setdefault(name, []).append((reads(servers[name]) - before) / (time.monotonic() - begun))
            singles.setdefault(name, []).append(ask(name, 1, SECONDS))
    print(f"Postgres {version}, {TOKENS:,} tokens, {ROUNDS} rounds of {SECONDS} s, one worker; load average "
          f"{pathlib.Path('/proc/loadavg').read_text().split()[0]}\n")
    print("| server | requests/s against the bare route | CPU over it, µs | p99 against it | p50 of 1 connection, ms | "
          "reads of the epoch a second |\n|---|---|---|---|---|---|")
    for name in servers:
        single = statistics.median(run["p50"] for run in singles[name])
        if name == "bare":
            rate = statistics.median(run["rate"] for run in runs[name])
            cpu = statistics.median(run["cpu"] for run in runs[name])
            print(f"| bare route | {rate:,.0f}/s | {cpu:.2f} in all | | {single:.3f} | |")
        else:
            print(f"| {name} | {ratio(runs, name, 'rate'):.2f} | {over(runs, name):.2f} | {ratio(runs, name, 'p99'):.2f} | "
                  f"{single:.3f} | {statistics.median(rates[name]):.0f} |")
    print("\n| revocation, request to answer | median ms | slowest of 50 |\n|---|---|---|")
    for name in urls:
        took = []
        for key in keys[name].read_text().split()[-50:]:
            begun = time.perf_counter()
            if exchange(servers[name].port, "/api/v1/me/token", [f"Authorization: Bearer {key}"], "DELETE")[0] != 204:
                sys.exit(f"{name}: a key was not revoked")
            took.append((time.perf_counter() - begun) * 1000)
        print(f"| {name} | {statistics.median(took):.1f} | {max(took):.1f} |")


with tempfile.TemporaryDirectory(prefix="jeton-bench-", ignore_cleanup_errors=True) as folder:
    pathlib.Path(folder).chmod(0o711)
    try:
        measure(pathlib.Path(folder))
    finally:
        stop_all()
