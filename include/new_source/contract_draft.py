"""The draft of a contract: one table of a system's sources file, as YAML.

In: a `SourceDraft`. Out: text, in the form of the contracts that are there. What a
person must say stands as FILL IN.
"""

import json
from collections.abc import Sequence

from include.contracts import PersonalData
from include.new_source.source_draft import ColumnDraft, SourceDraft

HEAD = """version: 2

# {system} exports: a draft out of one file. FILL IN marks what only a person knows.
# Each table below is one feed and its contract: what the export must look like, how it
# is delivered, what is personal data. The loader, gate 1 and the docs read it.
sources:
  - name: {system}
    schema: raw_{system}
    config:
      meta:
        role: {role}
        # On only where CX_SOURCES names it.
        is_optional: true
        owner: "FILL IN: whom to ask about it"
        time_zone: UTC
{date_order}    tables:
"""


def write_head(draft: SourceDraft) -> str:
    """Write what comes before the first table of a system."""
    order = draft.date_order
    date_order = f"        date_order: {order}\n" if order else ""
    return HEAD.format(system=draft.system, role=draft.role, date_order=date_order)


def write_table(draft: SourceDraft) -> str:
    """Write the table of a feed with its contract, indented as a list of tables is."""
    lines = [
        f"- name: {draft.feed}",
        '  description: "FILL IN: one row per …"',
        "  config:",
        "    meta:",
        "      contract:",
        "        # FILL IN: delta where a file brings what is new or changed; snapshot",
        "        # where each brings the whole list (the view then reads snapshots).",
        "        delivery: delta",
        "        required: true",
        *(f"        {line}" for line in _write_reading(draft)),
        *(f"        {line}" for line in _write_meaning(draft)),
        "  columns:",
    ]
    for column in list_declared(draft):
        lines += [
            f"    - name: {_quote_name(name_in_contract(draft, column))}",
            f"      description: {_quote(_describe(draft, column))}",
            f"      config: {{meta: {{{', '.join(_write_column(draft, column))}}}}}",
        ]
    return "".join(f"      {line}\n" for line in lines)


def list_declared(draft: SourceDraft) -> list[ColumnDraft]:
    """Return the columns that the contract declares: of very many only what must be."""
    outer = [
        column
        for column in draft.columns
        if not column.texts.is_inner and can_be_declared(column)
    ]
    if not draft.is_wide:
        return outer
    return [
        column
        for column in outer
        if column.is_key
        or column in (draft.event_time, *draft.identity)
        or column.personal_data != "none"
    ]


def can_be_declared(column: ColumnDraft) -> bool:
    """Tell whether dbt takes a header as text: it would read {{ … }} as code."""
    return not any(sign in column.texts.header for sign in ("{{", "{%", "{#"))


def name_in_contract(draft: SourceDraft, column: ColumnDraft) -> str:
    """Return what raw calls a column: a field of JSON stays as it is."""
    return column.texts.path[0] if draft.is_json else column.name


def _write_reading(draft: SourceDraft) -> list[str]:
    """Write how files are read."""
    layout = draft.layout
    lines = [f'path: "*.{layout.suffix}*"' if layout.suffix else 'path: "*"']
    lines.append(f"format: {layout.format}")
    if draft.is_json and layout.record_path is not None:
        lines.append(f"record_path: {_quote(layout.record_path)}")
    if draft.is_record:
        lines.append("storage: record")
    if layout.format in ("csv", "json", "jsonl"):
        lines.append(f"encoding: {layout.encoding}")
    if layout.format == "csv":
        lines.append(f"delimiter: {_quote(layout.delimiter)}")
    if layout.format in ("csv", "xlsx"):
        lines.append(f"header_rows: {layout.header_rows}")
        if layout.header_name_row > 1 or layout.header_rows > 1:
            lines.append(f"header_name_row: {layout.header_name_row}")
    if layout.footer:
        lines.append(f"footer: [{_join(layout.footer)}]")
    if not draft.is_json:
        lines.append(f"null_markers: [{_join(draft.null_markers)}]")
    return lines


def _write_meaning(draft: SourceDraft) -> list[str]:
    """Write by what rows are known, and where they end."""
    known_by = draft.identity or draft.key
    names = [_quote_name(name_in_contract(draft, column)) for column in known_by]
    lines = [f"natural_key: [{', '.join(names)}]"]
    if draft.identity:
        lines = [f"identity_of: [{', '.join(names)}]", "natural_key: [_identity]"]
    event_time = draft.event_time
    if event_time is not None:
        name = _quote_name(name_in_contract(draft, event_time))
        lines.append(f"event_time: {name}")
    return [
        *lines,
        "# FILL IN ends_in, where its keys end, once star_inputs.sql takes it in.",
        "left_out:",
        "  the star does not take it in yet: >",
        "    select",
    ]


def _write_column(draft: SourceDraft, column: ColumnDraft) -> list[str]:
    meta = []
    if not draft.is_json:
        meta.append(f"header: {_quote(column.texts.header)}")
    if column.is_key or column is draft.event_time:
        meta.append("required: true")
    if (personal_data := _find_personal_data(draft, column)) != "none":
        meta.append(f"personal_data: {personal_data}")
    if column.values:
        meta.append(f"values: [{_join(column.values)}]")
    return meta


def _find_personal_data(draft: SourceDraft, column: ColumnDraft) -> PersonalData:
    """Return the class of a column; an object has that of what lies inside it."""
    if column.personal_data != "none":
        return column.personal_data
    inside = (
        other.personal_data
        for other in draft.columns
        if other.texts.is_inner and other.texts.path[0] == column.texts.path[0]
    )
    return next((found for found in inside if found != "none"), "none")


def _describe(draft: SourceDraft, column: ColumnDraft) -> str:
    """Say what is known of a column, without any value of it."""
    if column.texts.nested:
        return f"FILL IN. A JSON {column.texts.nested}."
    texts = column.texts.texts
    filled = sum(
        count for text, count in texts.items() if text not in draft.null_markers
    )
    kind = {
        "comma_number": "number with a decimal comma",
        "yes_or_no": "yes or no",
        "local_date": f"date ({column.kind.order or 'order unknown'})",
        "local_timestamp": f"time ({column.kind.order or 'order unknown'})",
        "timestamp": "time",
        "year_first": "time",
    }.get(column.kind.kind, column.kind.kind)
    if not filled:
        return "FILL IN. Empty in the sample."
    if column.values:
        return f"FILL IN. One of {len(column.values)} words."
    kind = kind[0].upper() + kind[1:]
    return f"FILL IN. {kind}, {len(texts):,} different in {filled:,} rows."


def _join(texts: Sequence[str]) -> str:
    return ", ".join(map(_quote, texts))


def _quote(text: str) -> str:
    """Write text as YAML in double quotes, which JSON's are."""
    return json.dumps(text, ensure_ascii=False)


def _quote_name(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else _quote(name)
