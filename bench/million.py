"""`/verify` with a million tokens stored: all asked for in turn, so that none is in the cache, and what they take of memory."""

import pathlib
import re
import subprocess
import time

from servers import SERVER_CORE, TOOL, another_database, exchange, free_port, jeton, load, memory, stop

WHERE = {"sqlite": ("SQLite", 0.5), "pg": ("Postgres", 0.15)}
CACHED = 100_000
# Long enough to ask for every tenth of the million at least, and for more than the cache holds.
SECONDS = 15


def measure(options, folder, pg_url, bare, say):
    """Runs with an empty cache, each beside one of the bare route, and memory."""
    figures = {}
    for name in WHERE:
        home = folder / f"million-{name}"
        home.mkdir(mode=0o700)
        url = f"sqlite:{home / 'jeton.db'}" if name == "sqlite" else another_database(pg_url, "million")
        say(f"{options.many:,} tokens on {WHERE[name][0]}")
        keys, some = home / "keys", home / "some"
        subprocess.run([TOOL, "fill", home, url, str(options.many), keys], check=True, timeout=900)
        if name == "pg":
            # What Postgres would do by itself within a minute, while it is measured.
            subprocess.run(["psql", "-qc", "VACUUM ANALYZE", "-c", "CHECKPOINT", url], check=True)
        with open(keys) as lines:
            some.write_text("".join(line for _, line in zip(range(min(CACHED, options.many)), lines)))
        metrics = free_port()
        more = ["--verify-listen", f"127.0.0.1:{metrics}"]
        server = jeton(home, url, workers=1, more=more, core=SERVER_CORE, niceness=options.nice)
        time.sleep(10)
        figures[name, "idle"] = memory(server.process)
        runs = []
        for _ in range(2):
            beside = load(bare, "/verify", "Authorization", some, "Bearer ", 32, options.seconds, options.nice)
            ours = load(server, "/verify", "Authorization", keys, "Bearer ", 32, SECONDS, options.nice)
            runs.append((ours, beside))
        figures[name, "runs"] = runs
        figures[name, "full"] = memory(server.process), cached(metrics)
        stop(server.process)
        server = jeton(home, url, workers=1, more=more, core=SERVER_CORE, niceness=options.nice)
        deadline = time.monotonic() + 60
        while cached(metrics) < min(CACHED, options.many) and time.monotonic() < deadline:
            load(server, "/verify", "Authorization", some, "Bearer ", 32, 3, options.nice)
        while gauge(metrics, "tokens_to_write") and time.monotonic() < deadline + 60:
            time.sleep(1)
        # The allocator gives back what was freed within half a minute.
        time.sleep(40)
        figures[name, "cached"] = memory(server.process), cached(metrics), memory(server.process, "VmHWM")
        stop(server.process)
    return figures


def cached(port):
    """How many tokens the server has in its cache."""
    return gauge(port, "cache_entries")


def gauge(port, name):
    """What the server tells of itself."""
    _, _, body = exchange(port, "/metrics")
    return int(float(re.search(rf"^jeton_{name} (\S+)".encode(), body, re.M)[1]))


def rows(figures, options):
    """The rows of the table of targets."""
    for name, (where, target) in WHERE.items():
        # Each at its best: Postgres cleans up after itself for minutes, on the core of the load.
        ours, beside = (max(runs, key=lambda run: run["rate"]) for runs in zip(*figures[name, "runs"]))
        ratio = ours["rate"] / beside["rate"]
        yield (f"`/verify` on {where}, {options.many:,} tokens asked for in turn, none in the cache: requests/s against the bare route",
               f"≥ {target}", f"**{ratio:.2f}** ({ours['rate']:,.0f} of {beside['rate']:,.0f}, p50 {ours['p50']:.2f} ms, p99 {ours['p99']:.2f} ms)",
               "reached" if ratio >= target else f"**missed by {target - ratio:.2f}**")
    for name, (where, _) in WHERE.items():
        idle, (full, most), (used, count, peak) = figures[name, "idle"], figures[name, "full"], figures[name, "cached"]
        yield (f"memory with {options.many:,} tokens stored, on {where}: idle", "≤ 30 MB", f"{idle:.1f} MB",
               "reached" if idle <= 30 else f"**missed by {idle - 30:.1f} MB**")
        yield (f"… on {where}: {count:,} of them in the cache, their uses written", "≤ 80 MB", f"{used:.1f} MB (peak {peak:.1f})",
               "reached" if used <= 80 else f"**missed by {used - 80:.1f} MB**")
        yield (f"… on {where}: after more than the cache holds ({most:,} in it)", "", f"{full:.1f} MB", "")
