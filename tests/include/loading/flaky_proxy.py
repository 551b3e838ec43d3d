"""A TCP proxy that cuts or stalls connections: real servers fail behind it, and come
back."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

PIECE = 1 << 14


@dataclass
class FlakyProxy:
    """Passes bytes on to a server on loopback; the first `cuts` long talks are cut.

    A connection is cut once more than `after` bytes went through it in either way; with
    0 it is cut as soon as anything is said. With `stalls` it is not cut: it stays open,
    and nothing goes through any more. `seen` counts the cuts that were made.
    """

    target_port: int
    cuts: int
    after: int = 0
    seen: int = 0
    stalls: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target_port))
            passed = [0]
            for source, drain in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pass_on, args=(source, drain, passed), daemon=True
                ).start()

    def _pass_on(
        self, source: socket.socket, drain: socket.socket, passed: list[int]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                passed[0] += len(data)
                if passed[0] > self.after and self._take_cut():
                    if self.stalls:
                        self._ended.wait()
                    break
                drain.sendall(data)
        for end in (source, drain):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take_cut(self) -> bool:
        with self._lock:
            if self.seen >= self.cuts:
                return False
            self.seen += 1
            return True
