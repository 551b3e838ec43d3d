"""The draft of a staging view: each column renamed and typed, unsound rows kept aside.

In: a `SourceDraft`. Out: SQL in the form of the views that are there. Personal data
stays in raw, but for numbers that link records and whether there is a text at all.
"""

import json
from dataclasses import dataclass

from include.new_source.contract_draft import (
    can_be_declared,
    list_declared,
    name_in_contract,
)
from include.new_source.source_draft import (
    ColumnDraft,
    SourceDraft,
    is_number_of_record,
)

LARGEST_INTEGER_DIGITS = 9

LINEAGE = ("_batch_date", "_load_id", "_file_no", "_row_number", "_source_name")


@dataclass(frozen=True)
class StagedColumn:
    """One column of the view: what it is called and the SQL that makes it.

    `sent` is the text that it is read from, where that may fail.
    """

    name: str
    expression: str
    draft: ColumnDraft
    sent: str | None = None
    remark: str = ""


def write_view(draft: SourceDraft) -> str:
    """Write the staging view of a feed."""
    staged = list_staged(draft)
    required = list_required(draft)
    feed = draft.feed
    inner = [f"{write_natural_key(draft)} as natural_key"]
    for column in staged:
        if column in required and column.sent:
            inner.append(f"{column.sent} as sent_{column.name}")
        name = (
            ""
            if column.expression.endswith(f".{column.name}")
            else f" as {column.name}"
        )
        inner.append(f"{column.remark}{column.expression}{name}")
    inner.append(f"{{{{ lineage('{feed}') | indent(4) }}}}")
    checks = [
        f"            ['{f'sent_{column.name}' if column.sent else column.name}',"
        f" '{column.name}'],"
        for column in required
    ]
    if draft.identity:
        checks.insert(0, "            ['natural_key', 'natural_key'],")
    return "\n".join(
        [
            *_write_remarks(draft),
            "select",
            *(f"    {name}," for name in ("natural_key", *(c.name for c in staged))),
            "    {{ quarantine_columns([",
            *checks,
            "    ]) }},",
            *(f"    {name}," for name in LINEAGE[:-1]),
            f"    {LINEAGE[-1]}",
            "from (",
            "    select",
            ",\n".join(f"        {line}" for line in inner),
            f"    from {{{{ source('{draft.system}', '{feed}') }}}} as {feed}",
            f"    {{{{ join_frozen_loads('{feed}') | indent(4) }}}}",
            ") as source",
            "",
        ]
    )


def list_staged(draft: SourceDraft) -> list[StagedColumn]:
    """Return the columns of the view, in the order of the export."""
    declared = set(map(id, list_declared(draft)))
    names = {column.name for column in draft.columns}
    staged = []
    for column in draft.columns:
        is_wanted = id(column) in declared or (
            draft.is_json and column.texts.is_inner and can_be_declared(column)
        )
        # What is empty in the sample may turn out to be anybody's name.
        is_empty = column.kind.kind == "empty" and not column.is_key
        if not is_wanted or column.texts.nested or is_empty:
            continue
        if column.personal_data == "free_text":
            raw = _write_raw(draft, column)
            has_text = f"coalesce(trim({raw}) <> '', false)"
            name = f"has_{column.name}"
            name = f"{name}_text" if name in names else name
            staged.append(StagedColumn(name, has_text, column))
        elif column.personal_data == "none" or column.is_key or _is_link(column):
            staged.append(_stage(draft, column))
    return staged


def list_required(draft: SourceDraft) -> list[StagedColumn]:
    """Return the columns without which a row is kept aside: its key, and its time."""
    return [
        column
        for column in list_staged(draft)
        if column.draft.is_key or column.draft is draft.event_time
    ]


def list_kept_in_raw(draft: SourceDraft) -> list[str]:
    """Return the declared columns that the view does not hand on."""
    staged = {id(column.draft) for column in list_staged(draft)}
    return [column.name for column in list_declared(draft) if id(column) not in staged]


def write_natural_key(draft: SourceDraft) -> str:
    """Write the natural key as its index spells it."""
    if draft.identity:
        return f"{draft.feed}._identity"
    texts = [_write_raw(draft, column) for column in draft.key]
    if len(texts) == 1:
        return texts[0]
    return f"{{{{ natural_key([{', '.join(json.dumps(text) for text in texts)}]) }}}}"


def _is_link(column: ColumnDraft) -> bool:
    return column.personal_data == "identifier" and is_number_of_record(column)


def _stage(draft: SourceDraft, column: ColumnDraft) -> StagedColumn:
    raw = _write_raw(draft, column)
    text = f"trim({raw})" if column.is_trimmed else raw
    kind = column.kind
    argument = json.dumps(f"({text})" if " " in text else text, ensure_ascii=False)
    if '"' not in argument[1:-1] and "'" not in argument:
        argument = f"'{argument[1:-1]}'"
    in_order = f"{argument}, '{kind.order}'"
    parsed = {
        "number": f"{{{{ parse_number({argument}) }}}}",
        "comma_number": f"{{{{ parse_comma_number({argument}) }}}}",
        "boolean": f"{{{{ parse_boolean({argument}) }}}}",
        "date": f"{{{{ parse_date({argument}) }}}}",
        "timestamp": f"{{{{ parse_timestamp({argument}) }}}}",
        "year_first": f"{{{{ parse_year_first_timestamp({argument}) }}}}",
        "local_date": f"{{{{ parse_local_date({in_order}) }}}}",
        "local_timestamp": f"{{{{ parse_local_timestamp({in_order}) }}}}",
    }.get(kind.kind)
    if kind.kind == "integer" and not is_number_of_record(column) and not column.is_key:
        is_small = max(map(len, column.texts.texts)) <= LARGEST_INTEGER_DIGITS
        integer = "integer" if is_small else "bigint"
        parsed = f"{{{{ parse_number({argument}, '{integer}') }}}}"
    if kind.kind == "yes_or_no" and kind.words:
        yes, no = (word.replace("'", "''") for word in kind.words)
        parsed = f"case lower({text}) when '{yes}' then true when '{no}' then false end"
    if kind.kind in ("local_date", "local_timestamp") and kind.order is None:
        macro = f"parse_{kind.kind}"
        return StagedColumn(
            *(column.name, text, column),
            remark=f"-- FILL IN: day or month first? {macro}(…, 'DMY') or (…, 'MDY')\n"
            "        ",
        )
    if parsed is not None:
        return StagedColumn(column.name, parsed, column, sent=raw)
    if column.values:
        return StagedColumn(column.name, f"{{{{ parse_word({argument}) }}}}", column)
    return StagedColumn(column.name, text, column)


def _write_raw(draft: SourceDraft, column: ColumnDraft) -> str:
    """Write where the text of a column stands in raw."""
    if not draft.is_record:
        return f"{draft.feed}.{column.name}"
    path = column.texts.path
    if len(path) == 1:
        name = name_in_contract(draft, column).replace("'", "''")
        return f"{draft.feed}.record ->> '{name}'"
    parts = ", ".join("'{}'".format(part.replace("'", "''")) for part in path)
    return f"{draft.feed}.record #>> array[{parts}]"


def _write_remarks(draft: SourceDraft) -> list[str]:
    remarks = []
    if kept := list_kept_in_raw(draft):
        remarks.append(f"-- They stay in raw: {', '.join(kept)}.")
    if draft.is_wide:
        remarks.append(
            "-- The other fields are in the record; stg_qualtrics__responses shows how."
        )
    return remarks
