"""The first nights as one export.

In: a plan with its faults. Out: the same plan, in which everything that was told in the
first nights is told in the last one of them, as after moving in with a past.
"""

from dataclasses import fields, replace

import numpy as np
import pandas as pd

from include.sample_exports.plan.plan import Plan


def deliver_first_nights_together(plan: Plan) -> None:
    """Move the rows of the first nights into the first export, in place.

    Snapshots show only how things stand then: who left before is never shown.
    """
    first = plan.export_nights.start
    if first == 0:
        return
    for part in (plan.journeys, plan.support, plan.listening):
        for field in fields(part):
            rows = getattr(part, field.name)
            # What happened is no row of a feed and keeps its time.
            if field.name.endswith("_rows"):
                setattr(part, field.name, _hold_back(rows, first))
    world = plan.world
    contacts = world.contacts.assign(
        first_night=np.maximum(world.contacts["first_night"], first)
    )
    plan.world = replace(
        world,
        contacts=contacts,
        changes=_hold_back(world.changes, first),
        company_changes=_hold_back(world.company_changes, first),
    )


def _hold_back(rows: pd.DataFrame, first: int) -> pd.DataFrame:
    return rows.assign(night=np.maximum(rows["night"], first))
