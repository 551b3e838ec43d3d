"""The kinds of incidents: what each is called, and whose business it is.

The runbook (docs/runbook.md) has one entry per kind, under its title.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.contracts import FeedContract
from include.settings import Settings


@dataclass(frozen=True)
class Kind:
    """A kind of incident.

    Parameters
    ----------
    name : how ``audit.incidents`` calls it
    title : how messages and the runbook call it
    is_of_source : whether the owner of a source is to act, not that of the pipeline
    needs_timetable : whether only a clock can tell; looked for where nights are due
    """

    name: str
    title: str
    is_of_source: bool
    needs_timetable: bool = False

    @property
    def anchor(self) -> str:
        """The runbook's heading, as links name it."""
        return self.title.lower().replace(" ", "-")


EXPORT_MISSING = Kind("export_missing", "Export late or missing", True)
EXPORT_UNREADABLE = Kind("export_unreadable", "Export unreadable", True)
LOAD_HELD = Kind("load_held", "Load held", True)
VOLUME_UNUSUAL = Kind("volume_unusual", "Volume unusual", True)
SOURCE_STALE = Kind("source_stale", "Source stale", True, needs_timetable=True)
BUILD_FAILED = Kind("build_failed", "Build failed", False)
MARTS_STOPPED = Kind("marts_stopped", "Marts stopped by gate 2", False)
PUBLISH_BLOCKED = Kind("publish_blocked", "Publish blocked", False)
NIGHT_OVERDUE = Kind("night_overdue", "Night overdue", False, needs_timetable=True)

KINDS = (
    *(EXPORT_MISSING, EXPORT_UNREADABLE, LOAD_HELD, VOLUME_UNUSUAL, SOURCE_STALE),
    *(BUILD_FAILED, MARTS_STOPPED, PUBLISH_BLOCKED, NIGHT_OVERDUE),
)


def find_owner(
    settings: Settings,
    contracts: Mapping[str, FeedContract],
    kind: Kind,
    subject: str,
) -> str:
    """Return who is to act: the owner that a source's contract names, or the
    pipeline's.

    Parameters
    ----------
    subject : a source ("hubspot"), a feed ("hubspot.orders") or a part of the pipeline
    """
    if kind.is_of_source:
        source = subject.partition(".")[0]
        for contract in contracts.values():
            if contract.source == source and contract.owner:
                return contract.owner
    return settings.pipeline_owner
