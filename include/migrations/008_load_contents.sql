-- What gate 1 measures of the values of a load. Figures, and values that a contract
-- lists: nothing that a person wrote or is known by, ever gets here.
alter table audit.load_profiles
    -- counts by column, for the comparison of later loads
    add column contents jsonb,
    -- of large loads a part is looked at
    add column rows_looked_at bigint,
    add column rows_with_markup bigint,
    add column rows_beyond_ascii bigint,
    add column rows_with_broken_text bigint,
    add column rows_with_contact_data bigint,
    add column rows_of_tests bigint,
    add column rows_of_earlier_days bigint,
    -- one column each: the worst
    add column unlisted_column text,
    add column unlisted_rows bigint,
    add column unlisted_of bigint,
    add column unreadable_column text,
    add column unreadable_rows bigint,
    add column unreadable_of bigint,
    add column off_range_column text,
    add column off_range_rows bigint,
    add column off_range_of bigint,
    -- against the feed's other loads; null: nothing to compare with
    add column usual_earlier_days_share numeric,
    add column late_excess numeric,
    add column clock_shift_hours numeric,
    add column proven_clock_shift_hours numeric,
    add column level_column text,
    add column level numeric,
    add column usual_level numeric,
    add column level_factor numeric,
    add column shifted_column text,
    add column mean_score numeric,
    add column usual_mean_score numeric,
    add column proven_score_shift numeric,
    add column collapsed_columns text,
    add column collapsed_value text,
    add column collapsed_share numeric,
    add column thinned_column text,
    add column thinned_value text,
    add column thinned_rows bigint,
    add column thinned_expected numeric,
    add column thinned_usual_share numeric,
    add column lost_share numeric,
    add column unseen_value text,
    add column unseen_rows bigint,
    add column orphaned_column text,
    add column orphaned_rows bigint,
    add column orphaned_of bigint,
    add column orphan_excess numeric,
    add column gathered_column text,
    add column gathered_owners bigint,
    add column gathered_rows bigint,
    add column missing_file text,
    -- a list beside the one before it: its rows that are not here as they were, those
    -- whose key is gone, and those whose key is another person's now
    add column reference_rows bigint,
    add column rows_replaced bigint,
    add column keys_gone bigint,
    add column people_replaced bigint,
    add column broken_text_share numeric generated always as (
        audit.proven_share(rows_with_broken_text, rows_beyond_ascii)
    ) stored,
    add column proven_markup_share numeric generated always as (
        audit.proven_share(rows_with_markup, rows_looked_at)
    ) stored,
    add column proven_contact_data_share numeric generated always as (
        audit.proven_share(rows_with_contact_data, rows_looked_at)
    ) stored,
    add column proven_tests_share numeric generated always as (
        audit.proven_share(rows_of_tests, rows_looked_at)
    ) stored,
    add column proven_unlisted_share numeric generated always as (
        audit.proven_share(unlisted_rows, unlisted_of)
    ) stored,
    add column proven_unreadable_number_share numeric generated always as (
        audit.proven_share(unreadable_rows, unreadable_of)
    ) stored,
    add column proven_off_range_share numeric generated always as (
        audit.proven_share(off_range_rows, off_range_of)
    ) stored,
    -- the usual share of a value that is all but gone
    add column vanished_share numeric generated always as (
        case when lost_share >= 0.95 then thinned_usual_share end
    ) stored,
    add column proven_replaced_share numeric generated always as (
        audit.proven_share(rows_replaced, reference_rows)
    ) stored,
    add column proven_gone_share numeric generated always as (
        audit.proven_share(keys_gone, reference_rows)
    ) stored,
    add column proven_people_share numeric generated always as (
        audit.proven_share(people_replaced, reference_rows)
    ) stored;
