"""Lists of a hundred rows against the same lists of a hundred thousand, and how the databases read them."""

import statistics
import subprocess

from servers import (SERVER_CORE, TOOL, Server, another_database, bare_body, exchange, free_port, jeton, kept_alive_size, load,
                     sign_in, stop)

SHORT = 100
WHERE = {"sqlite": "SQLite", "pg": "Postgres"}
# The page that is compared with the bare route, too: it has twenty rows in both.
TWENTY = "tokens of service users, 20"
SECONDS = 1


def measure(options, folder, pg_url, say):
    """Runs of every page on both databases, short and long: figures["runs"][page, database, rows]."""
    pages, servers, figures = {}, {}, {"runs": {}, "plans": {}, "sizes": {}}
    for name in WHERE:
        for rows in [SHORT, options.rows]:
            home = folder / f"lists-{name}-{rows}"
            url = f"sqlite:{home / 'jeton.db'}" if name == "sqlite" else another_database(pg_url, f"rows_{rows}")
            home.mkdir(mode=0o700)
            filled = subprocess.run([TOOL, "lists", home, url, str(rows)], check=True, stdout=subprocess.PIPE, text=True, timeout=300)
            if name == "pg":
                # What Postgres would do by itself within a minute, while it is measured.
                subprocess.run(["psql", "-qc", "VACUUM ANALYZE", url], check=True)
            pages[name, rows] = dict(line.split("\t") for line in filled.stdout.splitlines())
            if rows == options.rows:
                plans = subprocess.run([TOOL, "plans", url, str(rows)], check=True, stdout=subprocess.PIPE, text=True, timeout=300)
                figures["plans"][name] = plans.stdout.strip()
            server = jeton(home, url, workers=1, core=SERVER_CORE, niceness=options.nice)
            (home / "cookie").write_text(sign_in(server.port) + "\n")
            servers[name, rows] = server, home / "cookie"

    cases = []
    for (name, rows), (server, cookie) in servers.items():
        for page, path in pages[name, rows].items():
            status, head, body = exchange(server.port, path, [f"Cookie: {cookie.read_text().strip()}"])
            if status != 200:
                raise SystemExit(f"{path} was answered {status}")
            figures["sizes"][page, name, rows] = kept_alive_size(head, body)
            cases.append((page, name, rows, server, path, cookie))
    port, path = free_port(), pages["sqlite", SHORT][TWENTY]
    size = bare_body(figures["sizes"][TWENTY, "sqlite", SHORT])
    bare = Server([TOOL, "bare", f"127.0.0.1:{port}", f"{path}={size}"], port, core=SERVER_CORE, niceness=options.nice)
    cases.append((TWENTY, "bare", SHORT, bare, path, servers["sqlite", SHORT][1]))
    # Both lengths of a page right after one another.
    cases.sort(key=lambda case: (case[0], case[1]))

    for number in range(options.rounds):
        say(f"Lists, round {number + 1} of {options.rounds}")
        for page, name, rows, server, path, cookie in cases if number % 2 == 0 else reversed(cases):
            run = load(server, path, "Cookie", cookie, "", 1, SECONDS, options.nice)
            figures["runs"].setdefault((page, name, rows), []).append(run)
    for server, _ in [*servers.values(), (bare, None)]:
        stop(server.process)
    return figures


def median(runs, figure):
    return statistics.median(run[figure] for run in runs)


def ratio(figures, options, page, name, figure):
    """The median of the rounds' ratios."""
    pairs = zip(figures["runs"][page, name, options.rows], figures["runs"][page, name, SHORT])
    return statistics.median(long[figure] / short[figure] for long, short in pairs)


def pages(figures):
    return [page for page, name, rows in figures["sizes"] if (name, rows) == ("sqlite", SHORT)]


def rows(figures, options):
    """The rows of the table of targets."""
    runs = figures["runs"]
    for name, where in WHERE.items():
        bare, ours = median(runs[TWENTY, "bare", SHORT], "p50"), median(runs[TWENTY, name, SHORT], "p50")
        limit = 3 * bare + 1
        yield (f"{TWENTY}, on {where}: server time p50", f"≤ 3 × {bare:.3f} + 1 = {limit:.2f} ms", f"{ours:.2f} ms",
               "reached" if ours <= limit else f"**missed by {ours - limit:.2f} ms**")
    for page in pages(figures):
        for name, where in WHERE.items():
            times, ours = ratio(figures, options, page, name, "p50"), median(runs[page, name, options.rows], "p50")
            yield (f"{page}, on {where}: server time p50 of {options.rows:,} rows against {SHORT}", "≤ 2 ×",
                   f"**{times:.2f} ×** ({ours:.2f} of {median(runs[page, name, SHORT], 'p50'):.2f} ms)",
                   "reached" if times <= 2 else f"**missed by {times - 2:.2f}**")


def section(figures, options):
    """The measured pages one by one, and the plans."""
    table = []
    for page in pages(figures):
        for name, where in WHERE.items():
            for count in [SHORT, options.rows]:
                several = figures["runs"][page, name, count]
                table.append(f"| {page} | {where} | {count:,} | {figures['sizes'][page, name, count]:,} | {median(several, 'p50'):.3f} "
                             f"| {median(several, 'p99'):.3f} | {median(several, 'cpu'):.0f} |")
    plans = [line for name, where in WHERE.items() for line in ["", f"### {where}", "", "```text", figures["plans"][name], "```"]]
    return [
        f"## Long lists, medians of {options.rounds} rounds of {SECONDS} s at 1 connection",
        "",
        "| page | database | rows | bytes | p50 ms | p99 ms | server CPU µs/request |",
        "|---|---|---|---|---|---|---|",
        *table,
        "",
        f"Of two databases of each kind one has {SHORT} people, personal tokens and entries of the log, the other {options.rows:,}; both have 20",
        "tokens of service users. The page in the middle begins at the same distance from it in both.",
        "",
        "## How the databases read long lists",
        "",
        "What the pages send for a page in the middle, and the answer of `EXPLAIN QUERY PLAN` on SQLite and `EXPLAIN` on Postgres. A page",
        "may ask several questions, and puts the answers together. Sorted are only few rows: the tokens of one owner, the twenty of service",
        "users, and those that have just expired and are not written down yet. A search by words reads what the other filters leave.",
        *plans,
        "",
    ]
