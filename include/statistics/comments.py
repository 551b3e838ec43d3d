"""What comments say: their language and their sentiment, comment by comment.

In: ``warehouse.int_comments``, the seed ``sentiment_words``, and ``audit.dirty_keys``.
Out: ``statistics.comment_readings``, and the dirty keys of the comments whose reading
changed, at `statistics.comment_id`. What a comment says depends on its text, on the
language that its export tells, and on the two methods: it is read anew when one of them
differs, and not when something else was built anew.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal

import psycopg

from include.statistics import languages, sentiment

# The language was told by the export.
TOLD = "export"
PLACE = "statistics.comment_id"
AT_ONCE = 10_000


@dataclass(frozen=True)
class Reading:
    """What one comment says.

    language, sentiment, score : None where they are not known; `status` says why
    """

    language: str | None
    language_method: str
    sentiment: str | None
    score: Decimal | None
    status: str


def read_comment(
    text: str,
    plain_text: str,
    export_language: str | None,
    lexicons: Mapping[str, sentiment.Lexicon],
) -> Reading:
    """Read one comment.

    Parameters
    ----------
    plain_text : the same text in plain words, as `cx.plain_text` gives them
    """
    language = export_language or languages.identify(text)
    method = TOLD if export_language else languages.VERSION
    if language is None:
        return Reading(None, method, None, None, "unknown_language")
    if language not in lexicons:
        return Reading(language, method, None, None, "no_lexicon")
    value = sentiment.score(plain_text, lexicons[language])
    if value is None:
        return Reading(language, method, None, None, "no_opinion_word")
    return Reading(language, method, sentiment.name(value), value, "scored")


def compute(connection: psycopg.Connection, *, is_whole: bool) -> int:
    """Bring the readings up to the comments; returns how many changed.

    Runs in the caller's transaction.

    Parameters
    ----------
    is_whole : look at all comments, and not only at those that the build changed
    """
    lexicons = sentiment.read_lexicons(
        connection.execute(
            "select language, cx.plain_text(word), word_role, weight"
            " from warehouse.sentiment_words"
        )
    )
    methods = hashlib.sha256(
        f"{languages.VERSION} {languages.LANGUAGES} {languages.LEAST_PROBABILITY}"
        f" {sentiment.describe(lexicons)}".encode()
    ).hexdigest()
    if not is_whole:
        is_whole = bool(_ask(connection, _WAS_COLLECTED_WHOLE))
    connection.execute(_COMMENTS_TO_LOOK_AT, {"is_whole": is_whole})
    connection.execute("analyze comments_to_look_at")
    gone = connection.execute(_FORGET, {"place": PLACE}).rowcount
    connection.execute(
        "create temporary table comments_to_read on commit drop as" + _COMMENTS_TO_READ,
        {"methods": methods},
    )
    connection.execute(
        "create temporary table comments_read on commit drop as"
        " select * from statistics.comment_readings where false"
    )
    for rows in _read_in_parts(connection):
        copy_rows = connection.cursor().copy("copy comments_read from stdin")
        with copy_rows as copy:
            for comment_id, text, plain_text, told, reading_hash in rows:
                said = read_comment(text, plain_text, told, lexicons)
                copy.write_row((comment_id, *astuple(said), reading_hash))
    return gone + connection.execute(_KEEP, {"place": PLACE}).rowcount


def _read_in_parts(connection: psycopg.Connection) -> Iterator[list[tuple[str, ...]]]:
    last = ""
    while rows := connection.execute(_NEXT_COMMENTS, [last, AT_ONCE]).fetchall():
        yield rows
        last = rows[-1][0]


def _ask(connection: psycopg.Connection, query: str) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


# Comments that were built whole mark no keys.
_WAS_COLLECTED_WHOLE = """
    select exists (
        select from audit.dirty_keys where place = 'int_comments (whole)' and key = ''
    )
"""
_COMMENTS_TO_LOOK_AT = """
    create temporary table comments_to_look_at on commit drop as
    select comment_id from warehouse.int_comments where %(is_whole)s
    union
    select comment_id from statistics.comment_readings where %(is_whole)s
    union
    select key from audit.dirty_keys where place = 'int_comments.comment_id'
"""
_FORGET = """
    with gone as (
        delete from statistics.comment_readings as readings
        using comments_to_look_at as looked_at
        where readings.comment_id = looked_at.comment_id
            and not exists (
                select from warehouse.int_comments as comments
                where comments.comment_id = readings.comment_id
            )
        returning readings.comment_id
    )
    insert into audit.dirty_keys (place, key)
    select %(place)s, comment_id from gone on conflict do nothing
"""
_COMMENTS_TO_READ = """
    select
        comments.comment_id,
        comments.comment_text,
        cx.plain_text(comments.comment_text) as plain_text,
        comments.export_language,
        md5(concat_ws(
            e'\\n', %(methods)s::text, coalesce(comments.export_language, ''),
            comments.comment_text
        )) as reading_hash
    from comments_to_look_at as looked_at
    inner join warehouse.int_comments as comments
        on comments.comment_id = looked_at.comment_id
    left join statistics.comment_readings as readings
        on readings.comment_id = comments.comment_id
    where readings.reading_hash is distinct from md5(concat_ws(
        e'\\n', %(methods)s::text, coalesce(comments.export_language, ''),
        comments.comment_text
    ))
"""
_NEXT_COMMENTS = """
    select comment_id, comment_text, plain_text, export_language, reading_hash
    from comments_to_read
    where comment_id collate "C" > %s
    order by comment_id collate "C"
    limit %s
"""
_KEEP = """
    with kept as (
        insert into statistics.comment_readings
        select * from comments_read
        on conflict (comment_id) do update set
            language = excluded.language,
            language_method = excluded.language_method,
            sentiment = excluded.sentiment,
            sentiment_score = excluded.sentiment_score,
            sentiment_status = excluded.sentiment_status,
            reading_hash = excluded.reading_hash
        returning comment_id
    )
    insert into audit.dirty_keys (place, key)
    select %(place)s, comment_id from kept on conflict do nothing
"""
