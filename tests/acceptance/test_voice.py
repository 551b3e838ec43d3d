"""What customers wrote, against SQL by hand over what Qualtrics and Zendesk sent.

The hand-written side reads raw exports alone, and finds the growing theme by the very
words that the sample writes: no rule, no text search.
"""

from include.sample_exports.company.comments import GROWING_BODIES
from include.settings import Settings
from tests.nights import fetch

# The latest version of each response of a survey that is not confidential.
LATEST_RESPONSES = """
    select distinct on (record ->> 'ResponseId')
        record ->> 'ResponseId' as response_id,
        _file_stem as survey_id,
        nullif(trim(record ->> 'Q_COMMENT'), '') as comment_text,
        record ->> 'Status' as status,
        lower(record ->> 'Finished') = 'true' as is_finished,
        lower(left(record ->> 'UserLanguage', 2)) as language
    from raw_qualtrics.responses
    inner join audit.loads on loads.load_id = responses._load_id
    order by record ->> 'ResponseId', batch_date desc, _file_no desc, _row_number desc
"""


def find_growing_words() -> list[str]:
    """Patterns of what the sample writes about the theme that grows."""
    return [
        f"%{body.replace('{n}', '_')}%"
        for bodies in GROWING_BODIES.values()
        for body in bodies
    ]


def test_every_comment_that_was_sent_is_a_verbatim(shared_published: Settings) -> None:
    ((sent, missing, other_language),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where verbatims.comment_id is null),"
        " count(*) filter (where verbatims.language <> sent.language)"
        f" from ({LATEST_RESPONSES}) as sent"
        " inner join warehouse.surveys on surveys.survey_id = sent.survey_id"
        " left join marts.mart_verbatims as verbatims"
        "  on verbatims.comment_id = 'response:' || sent.response_id || ':Q_COMMENT'"
        " where surveys.anonymity <> 'confidential' and sent.comment_text is not null"
        "  and sent.status in ('IP Address', '0') and sent.is_finished"
        "  and not exists (select from warehouse.int_answers_counted as counted"
        "   where counted.response_id = sent.response_id"
        "   and counted.exclusion_reason = 'repeated_answer')",
    )
    assert sent > 150
    assert (missing, other_language) == (0, 0)


def test_the_growing_theme_is_in_the_comments_that_were_planted(
    shared_published: Settings,
) -> None:
    rows = fetch(
        shared_published,
        "select planted, position('account_access' in coalesce(themes, '')) > 0,"
        " count(*) from ("
        "  select themes, exists (select from unnest(%s::text[]) as words (pattern)"
        "   where position(replace(pattern, '%%', '') in comment_text) > 0"
        "   or comment_text like pattern) as planted"
        "  from marts.mart_verbatims where comment_source = 'survey') as verbatims"
        " group by 1, 2",
        find_growing_words(),
    )
    counted = {(planted, found): count for planted, found, count in rows}
    assert counted.keys() == {(True, True), (False, False)}
    assert counted[True, True] >= 5


def test_what_is_confidential_reaches_no_reader(shared_published: Settings) -> None:
    ((confidential,),) = fetch(
        shared_published,
        "select count(*) from warehouse.fct_comments where is_confidential",
    )
    assert confidential > 0
    for table in ("fct_comments", "fct_theme_mentions", "mart_verbatims"):
        ((shown,),) = fetch(
            shared_published,
            f"select count(*) from marts.{table} where comment_id in"
            " (select comment_id from warehouse.fct_comments where is_confidential)",
        )
        assert shown == 0, table


def test_no_address_and_no_number_is_left_in_a_comment(
    shared_published: Settings,
) -> None:
    ((left, scrubbed),) = fetch(
        shared_published,
        "select count(*) filter (where comment_text ~ '@|[+]\\d|\\d[\\d ]{7}'),"
        " count(*) filter (where comment_text ~ '\\[(e-mail|number|name)\\]')"
        " from warehouse.int_comments",
    )
    assert left == 0
    assert scrubbed > 20


def test_tickets_are_written_in_the_language_that_the_library_finds(
    shared_published: Settings,
) -> None:
    """Zendesk's sample tags each ticket with the language of who wrote it."""
    ((tickets, right, wrong),) = fetch(
        shared_published,
        "select count(*), count(*) filter (where record -> 'tags' ? language),"
        " count(*) filter (where not record -> 'tags' ? language)"
        " from marts.mart_verbatims as verbatims"
        " inner join (select distinct on (record ->> 'id') record"
        "  from raw_zendesk.tickets) as sent"
        "  on 'ticket:' || (sent.record ->> 'id') = verbatims.comment_id",
    )
    assert tickets > 300
    assert wrong == 0
    assert right >= 0.98 * tickets


def test_mentions_of_a_month_are_those_of_its_comments(
    shared_published: Settings,
) -> None:
    differing = fetch(
        shared_published,
        "with by_hand as ("
        " select to_char(commented_date, 'YYYY-MM') as month, theme,"
        "  count(*) as mentions, count(distinct customer_key) as customers"
        " from marts.mart_verbatims"
        " cross join lateral regexp_split_to_table(themes, ', ') as theme"
        " group by 1, 2)"
        " select month, theme, by_hand.mentions, marts.mentions"
        " from by_hand full join ("
        "  select period_label as month, theme, mentions, customers"
        "  from marts.mart_complaint_themes where period_grain = 'month'"
        "  and breakdown = 'total' and mentions > 0 and theme not like '(%%'"
        " ) as marts using (month, theme)"
        " where (by_hand.mentions, by_hand.customers)"
        "  is distinct from (marts.mentions, marts.customers)",
    )
    assert differing == []
