"""What a person decides about a warehouse, whichever command line is at hand.

In: settings and a decision. Out: what came of it, in sentences. `include.cli` says them
in a clone, `include.server` in a container.
"""

from datetime import UTC, datetime

from include import audit, night
from include.settings import Settings, connect


def accept_load(settings: Settings, load_id: int) -> list[str]:
    """Put a load in force that a gate holds."""
    with connect(settings) as connection:
        # A warehouse that has not run a night yet has no loads to look for either.
        audit.migrate(connection, settings.role_prefix)
        accepted = audit.accept_held_load(connection, load_id)
    return [
        f"{accepted} (load {load_id}) is in force: run the night again to publish it."
    ]


def accept_build(settings: Settings, build_id: int) -> list[str]:
    """Publish a build that gate 2 stops."""
    night.prepare(settings)
    result = night.publish_stopped_build(settings, build_id)
    return [
        f"Build {build_id} is published: {result.rows_deleted:,} rows out, "
        f"{result.rows_inserted:,} rows in."
    ]


def roll_back(settings: Settings) -> list[str]:
    """Bring back the version that was published before."""
    run_id = f"rollback {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    result = night.roll_back(settings, run_id)
    runs = " and ".join(f"{name} ({number})" for number, name in result.undone)
    return [
        f"marts are again as published {result.shown.published_at} (publish "
        f"{result.shown.publish_id}): {result.rows_deleted:,} rows out, "
        f"{result.rows_inserted:,} rows in. Taken back: {runs}.",
        f"{result.figures_restated:,} figures of closed periods changed with it "
        "(marts.restatements).",
        "The next publish, tonight at the latest, catches up with the loads and the "
        "code that are there then: correct or hold what was wrong before.",
    ]
