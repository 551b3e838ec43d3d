"""Gate 1, the values: may a reader take them for what they say?

A load is held where readers would see wrong figures (scores off their scale, amounts in
cents, answers of nobody) or what is not theirs to see; a warning is shown where the
world itself may have changed (a crisis lowers a score, a holiday empties a channel).
All shares are beyond chance: null or 0 while a night is too small to prove anything.
"""

from expectations.rules import Rule
from expectations.words import ASK, LARGEST_BROKEN_SHARE, OR_ACCEPT, SEND_AGAIN

# Of a list, what may change in a night without its being another list.
LARGEST_REPLACED_SHARE = 0.5

CONTENT_RULES = (
    # Can the values be read?
    Rule(
        name="most values are listed",
        column="proven_unlisted_share",
        severity="critical",
        maximum=0.5,
        observed=(
            "{unlisted_rows:,} of {unlisted_of:,} values of {unlisted_column} are not"
            " in the contract's list"
        ),
        expected="at most half, beyond chance",
        remedy=f"look for shifted columns or other spellings, then {OR_ACCEPT}",
    ),
    Rule(
        name="nearly all values are listed",
        column="proven_unlisted_share",
        severity="warning",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{unlisted_rows:,} of {unlisted_of:,} values of {unlisted_column} are not"
            " in the contract's list"
        ),
        expected="at most 5 %, beyond chance",
        remedy="add the new values to the contract's list and to the models",
    ),
    Rule(
        name="numbers can be read",
        column="proven_unreadable_number_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{unreadable_rows:,} of {unreadable_of:,} values of {unreadable_column} are"
            " no numbers such as 1234.50"
        ),
        expected="at most 5 %, beyond chance",
        remedy=f"look for decimal commas, units or shifted columns, then {SEND_AGAIN}",
    ),
    Rule(
        name="numbers lie within their bounds",
        column="proven_off_range_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{off_range_rows:,} of {off_range_of:,} values of {off_range_column} lie"
            " outside the contract's bounds"
        ),
        expected="at most 5 %, beyond chance",
        remedy=f"look for another scale, answer numbers or signs, then {SEND_AGAIN}",
    ),
    Rule(
        name="text is in the right encoding",
        column="broken_text_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{rows_with_broken_text:,} of {rows_beyond_ascii:,} rows with accents have"
            " broken ones, as when UTF-8 is read as Latin-1"
        ),
        expected="at most 5 %, beyond chance",
        remedy=f"check the encoding of the export, then {SEND_AGAIN}",
    ),
    Rule(
        name="text has no markup",
        column="proven_markup_share",
        severity="warning",
        maximum=LARGEST_BROKEN_SHARE,
        observed="{rows_with_markup:,} of {rows_looked_at:,} rows hold HTML tags",
        expected="at most 5 %, beyond chance",
        remedy="have the source export plain text",
    ),
    # Does it hold what it may not hold?
    Rule(
        name="hardly any address stands where none may",
        column="proven_contact_data_share",
        severity="critical",
        maximum=LARGEST_BROKEN_SHARE,
        observed=(
            "{rows_with_contact_data:,} of {rows_looked_at:,} rows have an e-mail"
            " address in a column that is declared free of personal data"
        ),
        expected="at most 5 %, beyond chance",
        remedy=f"look for shifted columns or declare it (personal_data), {SEND_AGAIN}",
    ),
    Rule(
        name="no address stands where none may",
        column="rows_with_contact_data",
        severity="warning",
        maximum=0,
        observed=(
            "{rows_with_contact_data:,} of {rows_looked_at:,} rows have an e-mail"
            " address in a column that is declared free of personal data"
        ),
        expected="none",
        remedy="tell the owner of the source, or declare the column (personal_data)",
    ),
    Rule(
        name="hardly any row is a test",
        column="proven_tests_share",
        severity="critical",
        maximum=0.5,
        observed="{rows_of_tests:,} of {rows_looked_at:,} rows say 'test'",
        expected="at most half, beyond chance",
        remedy=f"make sure that no test system exports here, then {SEND_AGAIN}",
    ),
    Rule(
        name="few rows are tests",
        column="proven_tests_share",
        severity="warning",
        maximum=0.02,
        observed="{rows_of_tests:,} of {rows_looked_at:,} rows say 'test'",
        expected="at most 2 %, beyond chance",
        remedy="have the source mark or delete them",
    ),
    # Is it this day's?
    Rule(
        name="a delta brings its own day",
        column="late_excess",
        severity="critical",
        maximum=0.6,
        observed=(
            "{rows_of_earlier_days:,} of {rows_looked_at:,} rows are of earlier days,"
            " from {earliest_event_date} on, where {usual_earlier_days_share:.0%} are"
            " usual"
        ),
        expected="at most 60 % more, beyond chance",
        remedy=f"look for an older export under a new date, then {OR_ACCEPT}",
    ),
    Rule(
        name="the clock has not moved",
        column="proven_clock_shift_hours",
        severity="warning",
        maximum=0,
        observed=(
            "things happen {clock_shift_hours:+.1f} hours from the usual time of day"
        ),
        expected="the usual hours, beyond chance",
        remedy="compare the time zone of the export with the contract's",
    ),
    # Is it what such a night brings?
    Rule(
        name="amounts are of the usual size",
        column="level_factor",
        severity="critical",
        maximum=10,
        observed=(
            "the middle {level_column} is {level:,.2f} where {usual_level:,.2f} is"
            " usual"
        ),
        expected="less than ten times more or less than in any recent night",
        remedy=f"look for cents or another currency, then {OR_ACCEPT}",
    ),
    Rule(
        name="amounts are about as usual",
        column="level_factor",
        severity="warning",
        maximum=3,
        observed=(
            "the middle {level_column} is {level:,.2f} where {usual_level:,.2f} is"
            " usual"
        ),
        expected="less than three times more or less than in any recent night",
        remedy=ASK,
    ),
    Rule(
        name="scores are about as usual",
        column="proven_score_shift",
        severity="warning",
        maximum=0,
        observed=(
            "{shifted_column} is {mean_score:.2f} on average where"
            " {usual_mean_score:.2f} is usual"
        ),
        expected="no difference beyond chance",
        remedy="ask what happened; if nothing did, look for a turned or other scale",
    ),
    Rule(
        name="values are not all the same",
        column="collapsed_share",
        severity="critical",
        maximum=0,
        observed=(
            "at least {collapsed_share:.0%} of the values of {collapsed_columns} are"
            " {collapsed_value}"
        ),
        expected="the usual variety",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="nothing that makes a fifth is missing",
        column="vanished_share",
        severity="critical",
        maximum=0.2,
        observed=(
            "{thinned_rows:,} rows have {thinned_column} {thinned_value} where"
            " {thinned_expected:,.0f} would have"
        ),
        expected="its usual share, or a good part of it",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="no value loses a third of its rows",
        column="lost_share",
        severity="warning",
        maximum=1 / 3,
        observed=(
            "{thinned_rows:,} rows have {thinned_column} {thinned_value} where"
            " {thinned_expected:,.0f} would have"
        ),
        expected="its usual share, or a good part of it",
        remedy=ASK,
    ),
    Rule(
        name="no file is missing",
        column="missing_file",
        severity="warning",
        observed="no file {missing_file}… came, which every recent night brought",
        expected="all the files that every night brings",
        remedy="make sure that the export is whole; a quiet survey may send none",
    ),
    Rule(
        name="surveys ask what they asked",
        column="unseen_rows",
        severity="warning",
        maximum=2,
        observed="{unseen_rows:,} answers are to {unseen_value}, which was never asked",
        expected="the questions of the last two weeks",
        remedy=(
            "if it is new, register it in survey_questions; if not, look for files"
            " under another survey's name"
        ),
    ),
    # Does it belong to what is known?
    Rule(
        name="rows belong to somebody",
        column="orphan_excess",
        severity="critical",
        maximum=0.5,
        observed=(
            "{orphaned_rows:,} of {orphaned_of:,} values of {orphaned_column} name"
            " nothing that ever came"
        ),
        expected="at most half more than usual, beyond chance",
        remedy=f"look for renumbered ids or another company's export, then {OR_ACCEPT}",
    ),
    Rule(
        name="nearly all rows belong to somebody",
        column="orphan_excess",
        severity="warning",
        maximum=0.1,
        observed=(
            "{orphaned_rows:,} of {orphaned_of:,} values of {orphaned_column} name"
            " nothing that ever came"
        ),
        expected="at most 10 % more than usual, beyond chance",
        remedy="make sure that the lists that they refer to are whole",
    ),
    Rule(
        name="rows belong to many",
        column="gathered_owners",
        severity="critical",
        observed=(
            "{gathered_rows:,} rows have only {gathered_owners:,} different"
            " {gathered_column}"
        ),
        expected="nearly as many as rows",
        remedy=OR_ACCEPT,
    ),
    Rule(
        name="a list keeps its keys",
        column="proven_gone_share",
        severity="critical",
        maximum=LARGEST_REPLACED_SHARE,
        observed=(
            "{keys_gone:,} of the {reference_rows:,} keys of {reference_date} are gone"
        ),
        expected="at most half, beyond chance",
        remedy=f"look for renumbered ids or another company's list, then {OR_ACCEPT}",
    ),
    Rule(
        name="keys keep their people",
        column="proven_people_share",
        severity="critical",
        maximum=LARGEST_REPLACED_SHARE,
        observed=(
            "{people_replaced:,} of the {reference_rows:,} keys of {reference_date}"
            " have another address"
        ),
        expected="at most half, beyond chance",
        remedy=f"look for renumbered ids or shifted columns, then {OR_ACCEPT}",
    ),
    Rule(
        name="a list does not change as a whole",
        column="proven_replaced_share",
        severity="warning",
        maximum=LARGEST_REPLACED_SHARE,
        observed=(
            "{rows_replaced:,} of the {reference_rows:,} rows of {reference_date} are"
            " gone or changed"
        ),
        expected="at most half, beyond chance",
        remedy=ASK,
    ),
)
