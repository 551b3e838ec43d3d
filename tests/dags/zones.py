"""Where it is night now: tests of waiting need a real clock within a night."""

from datetime import UTC, datetime


def find_zone_where_it_is_four() -> str:
    """A time zone in which it is between four and five in the morning now: within the
    time in which a night waits."""
    hours = (4 - datetime.now(UTC).hour) % 24
    hours = hours - 24 if hours > 12 else hours
    # Names of such zones count from the other side.
    return f"Etc/GMT{-hours:+d}"
