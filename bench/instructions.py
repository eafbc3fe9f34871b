#!/usr/bin/env python3
"""Counts what a request to /verify costs, in a way that neighbours of the machine do not change.

    bench/instructions.py BINARY...

For each binary it prints the instructions of a request outside of the kernel (valgrind's cachegrind, the difference between
5,000 and 45,000 requests on one connection) and its system calls (strace). The binaries must be built without jemalloc
and with the C library's system calls, since valgrind runs neither jemalloc nor rustix's own ones:
`CARGO_PROFILE_RELEASE_LTO=off RUSTFLAGS='--cfg rustix_use_libc' cargo build --release`.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FEW, MANY = 5_000, 45_000


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def key_in(answer):
    """The read-only personal key in the demonstration's first line, wherever this version has put it."""
    for name, value in answer.items():
        if name == "personal_read_only":
            return value if isinstance(value, str) else value["key"]
        if isinstance(value, dict) and (found := key_in(value)):
            return found
    return None


@contextlib.contextmanager
def demonstration(command):
    """A server with the demonstration, and what sends it some requests over one connection."""
    port = free_port()
    environment = dict(os.environ, JETON_WORKERS="1", JETON_LISTEN=f"127.0.0.1:{port}", JETON_LOG="warn")
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder)
        try:
            headers = {"Authorization": "Bearer " + key_in(json.loads(server.stdout.readline()))}
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

            def send(count):
                for _ in range(count):
                    connection.request("GET", "/verify", headers=headers)
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200, answer.status

            yield server.pid, send
            connection.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)


def instructions(binary, requests):
    with tempfile.NamedTemporaryFile("r") as log:
        options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", f"--log-file={log.name}"]
        with demonstration(["valgrind", *options, binary, "demo", "--json"]) as (_, send):
            send(requests)
        return int(re.search(r"I\s+refs:\s+([\d,]+)", log.read())[1].replace(",", ""))


def system_calls(binary):
    with tempfile.NamedTemporaryFile("r") as log, demonstration([binary, "demo", "--json"]) as (pid, send):
        tracer = subprocess.Popen(["strace", "-fcqo", log.name, "-p", str(pid)])
        time.sleep(1)
        send(FEW)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        # % time, seconds, µs a call, calls, perhaps errors, name.
        rows = [line.split() for line in log if re.match(r"\s*\d", line)]
    calls = [f"{row[-1]} {int(row[3]) / FEW:.2f}" for row in rows if row[-1] != "total" and int(row[3]) > FEW / 100]
    return ", ".join(calls)


for binary in sys.argv[1:]:
    binary = str(Path(binary).resolve())
    counted = (instructions(binary, MANY) - instructions(binary, FEW)) / (MANY - FEW)
    print(f"{binary}: {counted:,.0f} instructions a request; {system_calls(binary)}", flush=True)
