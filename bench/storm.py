"""Sign-ins by the hundred: what they take of memory, and whether programs that ask `/verify` meanwhile notice."""

import statistics
import time

from servers import HERE, LOAD_CORE, SERVER_CORE, free_port, jeton, load, memory, spawn, stop

STORM = 400
CONNECTIONS = 4
SECONDS = 5


def measure(options, folder, url, keys, say):
    """p99 of `/verify` on a listener of its own before, during and after, and memory."""
    say(f"A storm of {STORM} sign-ins")
    port = free_port()
    more = ["--verify-listen", f"127.0.0.1:{port}", "--trusted-proxies", "127.0.0.1"]
    server = jeton(folder, url, more=more, core=SERVER_CORE)
    main, server.port = server.port, port
    ask = lambda: load(server, "/verify", "Authorization", keys, "Bearer ", CONNECTIONS, SECONDS)
    ask()
    quiet, before = [ask(), ask()], memory(server.process)
    script = ["-s", HERE / "storm.lua", f"http://127.0.0.1:{main}"]
    # It stands back behind the other one, whose latencies count.
    storm = spawn(["wrk", "-t1", f"-c{STORM}", f"-d{3 * SECONDS + 2}s", "--timeout", "20s", *script], core=LOAD_CORE, niceness=19)
    time.sleep(1)
    stormy = [ask(), ask()]
    peak = memory(server.process, "VmHWM")
    storm.wait(60)
    stop(server.process)
    return {"quiet": quiet, "stormy": stormy, "memory": (before, peak)}


def rows(figures):
    """The rows of the table of targets."""
    p99 = lambda runs: statistics.mean(run["p99"] for run in runs)
    quiet, stormy = p99(figures["quiet"]), p99(figures["stormy"])
    before, peak = figures["memory"]
    yield (f"a storm of {STORM} sign-ins: `/verify`'s p99 against that without", "≤ 2 ×", f"**{stormy / quiet:.2f} ×** ({stormy:.2f} of {quiet:.2f} ms)",
           "reached" if stormy <= 2 * quiet else f"**missed by {stormy / quiet - 2:.2f}**")
    yield ("… memory beyond that before it", "≤ 100 MB", f"{peak - before:.1f} MB",
           "reached" if peak - before <= 100 else f"**missed by {peak - before - 100:.1f} MB**")
