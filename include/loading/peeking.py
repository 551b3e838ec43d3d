"""An iterator of which the next item can be looked at before it is taken."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Peekable(Generic[T], Iterator[T]):
    """Yields what it is made of; `peek` shows the next item and leaves it there."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ahead: list[T] = []

    def __next__(self) -> T:
        return self._ahead.pop() if self._ahead else next(self._items)

    def peek(self) -> T | None:
        """Return the next item without taking it; None at the end."""
        if not self._ahead:
            try:
                self._ahead.append(next(self._items))
            except StopIteration:
                return None
        return self._ahead[0]
