"""Compare a list with the list before it, row by row.

In: a snapshot feed's contract and two loads of it. Out: how many rows of the earlier
list are not in the later one as they were, how many keys are gone, and how many keys
are another person's now: told by the address that the contract requires. Only rows that
differ are read.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.contracts import FeedContract
from include.loading.raw_tables import RawTable


@dataclass(frozen=True)
class ListChanges:
    """What became of the rows of the list before; None: there is none."""

    reference_rows: int | None = None
    rows_replaced: int | None = None
    keys_gone: int | None = None
    people_replaced: int | None = None


def count_list_changes(
    connection: psycopg.Connection,
    contract: FeedContract,
    load_id: int,
    reference_id: int,
) -> ListChanges:
    """Count what became of the rows of the load `reference_id`."""
    raw = RawTable(contract)
    person = next(
        (
            column.name
            for column in contract.columns
            if column.required and column.personal_data == "contact"
        ),
        None,
    )
    is_other = (
        sql.SQL("lower(later.{0}) is distinct from lower(earlier.{0})").format(
            sql.Identifier(person)
        )
        if person
        else sql.SQL("false")
    )
    row = connection.execute(
        sql.SQL(
            "with earlier as ("
            "  select _row_id from {members} where _load_id = %(reference)s"
            "), later as ("
            "  select _row_id from {members} where _load_id = %(load)s"
            "), replaced as ("
            "  select content.* from {content} as content where _row_id in ("
            "    select _row_id from earlier except select _row_id from later)"
            "), replacing as ("
            "  select content.* from {content} as content where _row_id in ("
            "    select _row_id from later except select _row_id from earlier)"
            ") select (select count(*) from earlier), count(distinct earlier._row_id),"
            " count(distinct earlier._row_id) filter (where later._row_id is null),"
            " count(distinct earlier._row_id) filter ("
            "   where later._row_id is not null and {is_other})"
            " from replaced as earlier left join replacing as later on {same_key}"
        ).format(
            members=raw.snapshots,
            content=raw.table,
            is_other=is_other,
            same_key=sql.SQL(" and ").join(
                sql.SQL("later.{0} = earlier.{0}").format(sql.Identifier(name))
                for name in contract.natural_key
            ),
        ),
        {"reference": reference_id, "load": load_id},
    ).fetchone()
    assert row is not None
    return ListChanges(*row)
