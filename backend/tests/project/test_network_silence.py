"""No outgoing connections: the server contacts no other machine, in any of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from benchmarks.local_server import BACKEND, running_server

# Python imports a module of this name first in each process. Its audit hook cannot be removed or bypassed from Python.
WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        place = arguments[1]
        host = place[0] if isinstance(place, tuple) else ""  # other sockets stay on the machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and host not in ("localhost", "::1", "0.0.0.0") and not host.startswith("127."):
        with open(os.environ["WATCHED"], "a") as file:
            file.write(f"{event} {host}\\n")

sys.addaudithook(watch)
with open(os.environ["WATCHED"] + ".started", "a") as file:
    file.write("x")
"""


@pytest.fixture
def watched(tmp_path) -> dict[str, str]:
    """Environment of a process that records which hosts it and its children contact."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path / "watch"), str(BACKEND)])
    return {"PYTHONPATH": path, "WATCHED": str(tmp_path / "asked")}


@pytest.mark.slow
def test_a_server_contacts_no_other_machine(watched, samples):
    with running_server(**watched) as server:
        for name, clip in samples.items():
            answer = requests.post(f"{server.address}/api/v1/analyse", files={"file": clip.read_bytes()}, timeout=60)
            assert answer.status_code == 200, name
        for path in ("/", "/docs", "/metrics", "/api/v1/models"):
            assert requests.get(server.address + path, timeout=60).status_code == 200
    assert len(Path(watched["WATCHED"] + ".started").read_text(encoding="utf-8")) >= 2  # the server and a helper
    assert not Path(watched["WATCHED"]).exists()


def test_connections_would_be_recorded(watched):
    program = "import socket\ntry: socket.create_connection(('192.0.2.1', 9), 0.01)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-P", "-c", program], env=os.environ | watched, check=True)
    assert "192.0.2.1" in Path(watched["WATCHED"]).read_text(encoding="utf-8")
