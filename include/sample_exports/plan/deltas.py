"""Which versions of a thing its export tells.

In: versions with the moment of each. Out: the rows that nightly deltas hold.
"""

import pandas as pd

from include.sample_exports.plan.local_days import LocalDays

KEY_SPAN = 2**44


def keep_told(rows: pd.DataFrame, days: LocalDays, key: str) -> pd.DataFrame:
    """The rows that an export tells: per key and night the last version, in order.

    rows : `at` (time of the version) and `key` (a number from 0 to 2**44); versions of
        the same second in the order in which they count. Adds `night`. Versions after
        the last night are left out, as that export has not been made yet.
    """
    rows = rows.loc[rows["at"] < days.end].sort_values("at", kind="stable")
    rows["night"] = days.day_of(rows["at"].to_numpy())
    told = rows["night"] * KEY_SPAN + rows[key]
    return rows.loc[~told.duplicated(keep="last")].reset_index(drop=True)
