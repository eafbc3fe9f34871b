"""The same question put to other programs that answer it: is this key good, and whose is it? They come by npm and pip into the
target folder, at these versions, and are set up as their documentation does it, with one process and a store on this machine."""

import base64
import json
import os
import random
import re
import secrets
import shutil
import statistics
import subprocess
import urllib.parse

from servers import HERE, SERVER_CORE, TARGET, Server, exchange, free_port, load, sign_in, stop

FOLDER = TARGET / "peers"
NODE_PACKAGES = ["oidc-provider@9.13.3", "better-auth@1.7.5", "@better-auth/api-key@1.7.5", "@better-auth/core@1.7.5", "better-sqlite3@12.4.1"]
PYTHON_PACKAGES = ["django-rest-knox==5.1.0", "Django==5.2.19", "djangorestframework==3.18.3", "gunicorn==27.0.1"]
NAMES = {
    "oidc": "oidc-provider 9.13.3, introspection, store in memory",
    "better-auth": "Better Auth 1.7.5, API keys, SQLite",
    "knox": "django-rest-knox 5.1.0, a view behind gunicorn, SQLite",
}
OURS = {"jeton": "Jeton, `/verify`, SQLite", "jeton-oauth": "Jeton, introspection, SQLite"}
# oidc-provider's store in memory holds a thousand entries.
KEYS = 500
TARGET_TIMES = 15


def install():
    """Installs them where they are not there already. Returns what is in the way, if anything is. Where there is no prebuilt
    better-sqlite3, it is compiled, which takes a minute or two."""
    for program in ["node", "npm", "python3"]:
        if not shutil.which(program):
            return f"{program} is not installed"
    wanted, note = json.dumps(NODE_PACKAGES + PYTHON_PACKAGES), FOLDER / "installed"
    if note.exists() and note.read_text() == wanted:
        return None
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "package.json").write_text('{ "private": true }')
    for command in [
        ["npm", "install", "--save-exact", "--no-audit", "--no-fund", *NODE_PACKAGES],
        ["python3", "-m", "venv", "python"],
        ["python/bin/pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES],
    ]:
        try:
            done = subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:2])} is not done after 400 s"
        if done.returncode:
            return f"{' '.join(command[:2])} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    note.write_text(wanted)
    return None


class Case:
    """A server, and how it is asked."""

    def __init__(self, server, path, values, prefix="Bearer ", authorization=None):
        self.server, self.path, self.values, self.prefix, self.authorization = server, path, values, prefix, authorization

    def accepts(self, key):
        if self.authorization:
            form = self.prefix + urllib.parse.quote(key)
            status, _, body = exchange(self.server.port, self.path, [f"Authorization: {self.authorization}"], "POST", form)
            return status == 200 and json.loads(body)["active"]
        return exchange(self.server.port, self.path, [f"Authorization: {self.prefix}{key}"])[0] == 200

    def check(self, name):
        """It must look: else its figure means nothing."""
        keys = self.values.read_text().split()
        for key in random.Random(1).sample(keys, 20):
            if not self.accepts(key):
                raise SystemExit(f"{name} does not accept a good key")
            if self.accepts(key[:-1] + ("a" if key[-1] != "a" else "b")):
                raise SystemExit(f"{name} accepts a wrong key")

    def load(self, options, seconds):
        header = "form" if self.authorization else "Authorization"
        return load(self.server, self.path, header, self.values, self.prefix, 32, seconds, options.nice, self.authorization)


def start(options, folder):
    """The three, each with its keys."""
    for name in ["peer_oidc.mjs", "peer_better_auth.mjs", "peer_knox.py"]:
        shutil.copy(HERE / name, FOLDER)
    pinned = {"core": SERVER_CORE, "niceness": options.nice, "cwd": FOLDER, "stderr": open(folder / "peers.log", "w")}
    secret, cases = secrets.token_urlsafe(32), {}
    for name, script, path in [("oidc", "peer_oidc.mjs", "/token/introspection"), ("better-auth", "peer_better_auth.mjs", "/verify")]:
        port, keys = free_port(), folder / f"{name}.keys"
        command = ["node", script, port, keys, KEYS, secret]
        cases[name] = Case(Server(command, port, env={**os.environ, "NODE_ENV": "production"}, **pinned), path, keys)
    cases["oidc"].prefix, cases["oidc"].authorization = "token=", basic("api", secret)

    port, keys = free_port(), folder / "knox.keys"
    environment = {**os.environ, "PEER_DATABASE": str(folder / "knox.db"), "PEER_SECRET": secret}
    subprocess.run(["python/bin/python", "peer_knox.py", keys, str(KEYS)], cwd=FOLDER, env=environment, check=True, timeout=120)
    command = ["python/bin/gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", "--log-level", "error", "peer_knox:application"]
    cases["knox"] = Case(Server(command, port, env=environment, **pinned), "/verify", keys, "Token ")
    return cases


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def verifier(port):
    """The key of a new service user that may ask about tokens."""
    cookie, page = f"Cookie: {sign_in(port)}", "/orgs/croix-bleue-sahel/integrations/tokens"
    _, _, form = exchange(port, f"{page}/new", [cookie])
    hidden = dict(re.findall(r'name="(csrf|nonce)" value="([^"]+)"', form.decode()))
    fields = {"name": "Bench", "inactivity": "45", "permission": "platform.verify_tokens", **hidden}
    _, _, made = exchange(port, page, [cookie, "Sec-Fetch-Site: same-origin"], "POST", urllib.parse.urlencode(fields))
    return re.search(rb"jtn_s_[0-9A-Za-z]{38}", made)[0].decode()


def measure(options, folder, servers, keys, say):
    """Runs of each in turn with those of Jeton and the bare route, which are running already."""
    say("Other programs that answer the same question")
    reason = install()
    if reason:
        say(f"They are left out: {reason}")
        return {"missing": reason}
    peers = start(options, folder)
    some = folder / "some.keys"
    some.write_text("".join(f"{key}\n" for key in keys.read_text().split()[:KEYS]))
    cases = {
        "bare": Case(servers["bare"], "/verify", some),
        "jeton": Case(servers["sqlite"], "/verify", some),
        "jeton-oauth": Case(servers["sqlite"], "/oauth2/introspect", some, "token=", f"Bearer {verifier(servers['sqlite'].port)}"),
        **peers,
    }
    runs = {}
    for name, case in cases.items():
        if name != "bare":
            case.check(name)
        case.load(options, 3)
    for number in range(options.rounds):
        say(f"Round {number + 1} of {options.rounds}")
        for name in cases if number % 2 == 0 else reversed(cases):
            runs.setdefault(name, []).append(cases[name].load(options, options.seconds))
    for name, case in cases.items():
        if name != "bare":
            case.check(name)
    for case in peers.values():
        stop(case.server.process)
    return {"runs": runs}


def ratio(figures, name, other="bare"):
    """The median of the rounds' ratios."""
    pairs = zip(figures["runs"][name], figures["runs"][other])
    return statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in pairs)


def rows(figures):
    """The rows of the table of targets."""
    what, target = "`/verify` warm on SQLite against the best of three other programs", f"≥ {TARGET_TIMES} ×"
    if "missing" in figures:
        yield what, target, "", f"not measured: {figures['missing']}"
        return
    best = max(NAMES, key=lambda name: ratio(figures, name))
    times = ratio(figures, "jeton", best)
    yield (what, target, f"**{times:.0f} ×** {NAMES[best].split(',')[0]}",
           "reached" if times >= TARGET_TIMES else f"**missed by {TARGET_TIMES - times:.1f}**")
    times = ratio(figures, "jeton-oauth", "oidc")
    yield "introspection on SQLite against oidc-provider's", "", f"**{times:.0f} ×**", ""


def section(figures, options):
    """What each reached."""
    if "missing" in figures:
        return []
    table = []
    for name, title in [("bare", "the bare route"), *OURS.items(), *NAMES.items()]:
        several = figures["runs"][name]
        middle = {figure: statistics.median(run[figure] for run in several) for figure in ["rate", "p50", "p99", "cpu", "server"]}
        table.append(f"| {title} | {middle['rate']:,.0f} | **{ratio(figures, name):.3f}** | {middle['p50']:.2f} | {middle['p99']:.2f} "
                     f"| {middle['cpu']:.0f} | {middle['server'] * 100:.0f} % |")
    return [
        f"## Other programs that answer the same question, medians of {options.rounds} rounds of {options.seconds} s at 32 connections",
        "",
        "| program | requests/s | against the bare route | p50 ms | p99 ms | server CPU µs/request | server core |",
        "|---|---|---|---|---|---|---|",
        *table,
        "",
        f"Each has one process on the servers' core and {KEYS} keys, which are asked for in turn; before and after, 20 of them are accepted",
        "and refused once a character is changed. Their limits of requests a key are off. Introspection is POST, the others are GET.",
        "Better Auth writes down each use of a key at once; gunicorn's ordinary worker closes the connection after each answer.",
        "",
    ]
