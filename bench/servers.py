"""Programs that `bench/run` starts and measures: servers, Postgres and the load. All end with it, however it ends."""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target")
PROFILE = os.environ.get("JETON_BENCH_PROFILE", "dist")
JETON, TOOL = TARGET / PROFILE / "jeton", TARGET / PROFILE / "jeton-bench"
# The server has this core to itself; the load, and Postgres, which is another machine in real life, have the other.
SERVER_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
EMAIL, PASSWORD = "ann@example.org", "a long enough sentence"


# ---- Processes

running = []


def spawn(command, core=None, niceness=0, user=None, **options):
    """Starts a program that ends with this one, however this one ends."""
    before = ["setpriv", "--pdeathsig=KILL"]
    if user:
        before += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    if niceness:
        before = ["nice", "-n", str(niceness)] + before
    if core is not None:
        before = ["taskset", "-c", str(core)] + before
    options.setdefault("stdout", subprocess.DEVNULL)
    command = before + [str(part) for part in command]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    running.append(process)
    if niceness:
        # Linux shares out a core among sessions first; niceness alone only counts within one.
        with contextlib.suppress(OSError):
            pathlib.Path(f"/proc/{process.pid}/autogroup").write_text(str(niceness))
    return process


def stop(process, how=signal.SIGTERM):
    """Ends a process by its id, and waits for it."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process in running:
        running.remove(process)


def stop_all(*_):
    for process in reversed(list(running)):
        stop(process, getattr(process, "stop_with", signal.SIGTERM))


def stat(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_seconds(process):
    """Processor time of a process and its living children."""
    ticks = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = stat(entry)
                if int(entry) == process.pid or int(fields[1]) == process.pid:
                    ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory(process, name="VmRSS"):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024 / 1e6


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# ---- HTTP, by hand: what counts is the bytes on the wire


def exchange(port, path, headers=(), method="GET", body=""):
    """One request on a connection of its own. Returns status, head and body, as they came."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *headers]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head.decode(), body


def kept_alive_size(head, body):
    """The bytes of the same answer on a connection that stays open."""
    return len(head) - len("connection: close\r\n") * ("connection: close" in head.lower()) + 4 + len(body)


def bare_body(size):
    """The size of the body with which the bare route's answer has `size` bytes: status line, length and date come first."""
    for body in range(size, 0, -1):
        if len(f"HTTP/1.1 200 OK\r\ncontent-length: {body}\r\n") + len("date: Sat, 21 Nov 2026 23:00:00 GMT\r\n\r\n") + body <= size:
            return body
    return 0


# ---- What is measured with


class Server:
    """A `jeton serve`, or the bare server."""

    def __init__(self, command, port, **options):
        self.port = port
        self.process = spawn(command, **options)
        deadline = time.monotonic() + 30
        while True:
            try:
                if exchange(port, "/sign-in")[0]:
                    return
            except (ConnectionError, IndexError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit(f"{command[0]} does not start")
                time.sleep(0.005)


def jeton(folder, url, port=None, workers=None, more=(), **options):
    port = port or free_port()
    command = [JETON, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", folder, "--database-url", url]
    command += ["--workers", workers] if workers else []
    command += more
    return Server(command, port, **options)


def sign_in(port):
    """Signs in through the page and returns the session's cookie."""
    fields = urllib.parse.urlencode({"email": EMAIL, "password": PASSWORD, "next": "/account/tokens"})
    status, head, _ = exchange(port, "/sign-in", ["Sec-Fetch-Site: same-origin"], "POST", fields)
    cookie = re.search(r"^set-cookie: (jeton_[0-9a-f]{8}=[^;\r]+)", head, re.I | re.M)
    if status != 303 or not cookie:
        sys.exit(f"signing in was answered {status}")
    return cookie[1]


def load(server, path, header, values, prefix, connections, seconds, niceness=0, authorization=None):
    """One run of wrk: GET with each of the values in a header, or POST with each in a form, if that is the header's name. Rate,
    latencies in ms, processor time of the server a request in µs."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "-s", HERE / "load.lua"]
    command += [f"http://127.0.0.1:{server.port}", "--", path, header, values, prefix]
    command += [authorization] if authorization else []
    before, own = cpu_seconds(server.process), resource.getrusage(resource.RUSAGE_CHILDREN)
    wrk = spawn(command, core=LOAD_CORE, niceness=niceness, stdout=subprocess.PIPE, text=True)
    output, _ = wrk.communicate(timeout=seconds + 30)
    running.remove(wrk)
    after, later = cpu_seconds(server.process), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\S+) (\S+)", output)
    if not found:
        sys.exit(f"wrk said: {output}")
    requests, micros, size, errors = (int(number) for number in found.groups()[:4])
    if errors or not requests:
        sys.exit(f"{path}: {errors} errors in {requests} requests")
    load_cpu = later.ru_utime + later.ru_stime - own.ru_utime - own.ru_stime
    return {
        "rate": requests / micros * 1e6,
        "p50": float(found[5]) / 1000,
        "p99": float(found[6]) / 1000,
        "cpu": (after - before) / requests * 1e6,
        "server": (after - before) / micros * 1e6,
        "load": load_cpu / micros * 1e6,
        "size": size / requests,
    }


def postgres(folder, niceness):
    """A throw-away cluster with its ordinary settings. Returns the URL of its first database."""
    versions = pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")
    programs = max(versions, key=lambda path: int(path.parts[4]), default=None)
    if not programs:
        sys.exit("Postgres is not installed (Debian: postgresql)")
    programs, user = programs.parent, "postgres" if os.geteuid() == 0 else None
    folder.mkdir()
    if user:
        shutil.chown(folder, user, user)
    with open(folder / "log", "w") as log:
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "-E", "UTF8"]
        made = spawn(initdb + ["--locale=C.UTF-8"], user=user, cwd=folder, stdout=log, stderr=log)
        made.wait(120)
        running.remove(made)
        port = free_port()
        command = [programs / "postgres", "-D", folder / "data", "-p", port, "-k", folder]
        server = spawn(command + ["-c", "listen_addresses=127.0.0.1"], LOAD_CORE, niceness, user,
                       cwd=folder, stdout=log, stderr=log)
    server.stop_with = signal.SIGQUIT
    status, deadline = folder / "data/postmaster.pid", time.monotonic() + 60
    while not (status.exists() and "ready" in status.read_text()):
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"Postgres does not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.05)
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return server, f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable", version.split()[2]


def another_database(url, name):
    """A new database beside that of the URL. Returns its URL."""
    subprocess.run(["psql", "-qc", f"CREATE DATABASE {name}", url], check=True)
    return url.replace("/postgres?", f"/{name}?")
