-- What comments say, read by include/statistics between the two parts of a build: the
-- language where no export tells it, and the sentiment.
create table statistics.comment_readings (
    comment_id text primary key,
    -- null: not told, and not certain enough
    language text,
    language_method text not null,
    -- null: not scored, sentiment_status says why
    sentiment text,
    sentiment_score numeric,
    sentiment_status text not null,
    -- of what was read and with what: a comment is read anew when it differs
    reading_hash text not null
);

-- Text search in four languages, as PostgreSQL ships them but without their lists of
-- stop words: "did not arrive" is another complaint than "arrived".
create schema words;

create text search dictionary words.portuguese_stem (template = snowball, language = portuguese);
create text search configuration words.portuguese (copy = pg_catalog.portuguese);
alter text search configuration words.portuguese
    alter mapping replace portuguese_stem with words.portuguese_stem;

create text search dictionary words.spanish_stem (template = snowball, language = spanish);
create text search configuration words.spanish (copy = pg_catalog.spanish);
alter text search configuration words.spanish
    alter mapping replace spanish_stem with words.spanish_stem;

create text search dictionary words.romanian_stem (template = snowball, language = romanian);
create text search configuration words.romanian (copy = pg_catalog.romanian);
alter text search configuration words.romanian
    alter mapping replace romanian_stem with words.romanian_stem;

create text search dictionary words.english_stem (template = snowball, language = english);
create text search configuration words.english (copy = pg_catalog.english);
alter text search configuration words.english
    alter mapping replace english_stem with words.english_stem;
