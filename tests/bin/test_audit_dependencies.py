"""The audit of the locks: it tells a weakness, and says so when it could not ask."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from include.settings import PROJECT_FOLDER

WEAK = "somepackage"
LOCK = "{name}==1.0 --hash=sha256:" + "0" * 64 + "\n"
ADVISORY = {
    "id": "PYSEC-0000-1",
    "details": "It is weak.",
    "aliases": [],
    "affected": [
        {
            "package": {"name": WEAK, "ecosystem": "PyPI"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"fixed": "2.0"}],
                }
            ],
            "versions": ["1.0"],
        }
    ],
}


class _Advisories(BaseHTTPRequestHandler):
    """A service that knows one weak package."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        question = json.loads(self.rfile.read(size))
        is_weak = question["package"]["name"] == WEAK
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"vulns": [ADVISORY]} if is_weak else {}).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Advisories)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def audit(folder: Path, service: str, package: str) -> tuple[int, str]:
    lock = folder / "requirements.txt"
    lock.write_text(LOCK.format(name=package))
    result = subprocess.run(
        [
            sys.executable,
            str(PROJECT_FOLDER / "bin" / "audit_dependencies.py"),
            str(lock),
        ],
        env=os.environ
        | {
            "CX_ADVISORY_SERVICE": service,
            "no_proxy": "127.0.0.1",
            "HOME": str(folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def test_a_known_weakness_fails_the_lint(service: str, tmp_path: Path) -> None:
    code, said = audit(tmp_path, service, WEAK)
    assert code == 1, said
    assert "PYSEC-0000-1" in said


def test_a_sound_lock_passes(service: str, tmp_path: Path) -> None:
    code, said = audit(tmp_path, service, "soundpackage")
    assert (code, "No known vulnerabilities found" in said) == (0, True), said


def test_without_the_service_nothing_fails_and_that_is_said(tmp_path: Path) -> None:
    code, said = audit(tmp_path, "http://127.0.0.1:1", WEAK)
    assert code == 0
    assert said.startswith("Dependencies: NOT CHECKED")
