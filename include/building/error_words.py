"""Errors of PostgreSQL, without the values that they quote.

In: what PostgreSQL or dbt says of a failure. Out: the same without rows and values of
columns, which may be personal; what failed, and the names of tables, columns and
constraints, stay. Logs, the audit tables and what readers see carry only these words.
"""

import re

# "Failing row contains (…)", "COPY contacts, line 3, column email: …": to the end, or
# to the next thing that is said; a value may run over several lines.
_DETAILS = re.compile(
    r"\s*\b(?:DETAIL|CONTEXT):.*?(?=\s*\b(?:HINT:|compiled code at)|\Z)", re.DOTALL
)
# 'invalid input syntax for type integer: "…"'
_VALUE_AT_THE_END = re.compile(
    r': ".*"(?=\s*(?:\Z|\n\s*(?:LINE \d|HINT:|compiled code at)))', re.DOTALL
)
# 'value "…" is out of range for type integer', 'invalid value "…" for "YYYY"'
_NAMED_VALUE = re.compile(r'\b(value|array literal:|timestamp:) "[^\n]*?"(?= |$)')


def remove_values(words: str) -> str:
    """Return an error's words without the values that it quotes."""
    words = _DETAILS.sub("", words)
    words = _VALUE_AT_THE_END.sub(": (value not shown)", words)
    return _NAMED_VALUE.sub(r"\1 (not shown)", words)
