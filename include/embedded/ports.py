"""Loopback ports that are free, and stay the same for one clone."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections.
CANDIDATES = range(20_000, 30_000)


def choose_port(remembered: Path) -> int:
    """Return the port written in `remembered`; a new one when there is none or taken.

    The choice is written back to `remembered`.
    """
    if remembered.exists():
        port = int(remembered.read_text())
        if is_free(port):
            return port
    port = next(
        candidate
        for candidate in random.sample(CANDIDATES, len(CANDIDATES))
        if is_free(candidate)
    )
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(f"{port}\n")
    return port


def is_free(port: int) -> bool:
    """Tell whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
