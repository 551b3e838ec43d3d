-- The indexes that a published table has in marts: columns or expressions, index by index.
alter table audit.models
    add column published_indexes jsonb not null default '[]';

comment on column audit.models.published_indexes is
    'Indexes of the published table, each a list of columns or expressions.';

-- Until now a published table had all indexes of the one that is built. They get the names
-- by which publish knows them as its own (include/building/published_indexes.py): it keeps
-- those that are asked for, and drops the others.
do $$
declare
    found record;
begin
    for found in
        with described as (
            select
                tables.relnamespace::regnamespace::text as schema_name,
                tables.relname as table_name,
                indexes.indexrelid,
                (
                    select string_agg(
                        pg_get_indexdef(indexes.indexrelid, position, true), ', '
                        order by position
                    )
                    from generate_series(1, indexes.indnatts) as position
                ) as columns
            from pg_index as indexes
            inner join pg_class as tables on tables.oid = indexes.indrelid
            where tables.relnamespace in (
                to_regnamespace('marts'), to_regnamespace('warehouse')
            )
        )

        select distinct on (published.table_name, published.columns)
            published.indexrelid::regclass as old_name,
            'published_' || published.table_name || '_'
            || left(md5(published.columns), 8) as new_name
        from described as published
        inner join described as built
            on built.table_name = published.table_name
                and built.columns = published.columns
        where published.schema_name = 'marts'
            and built.schema_name = 'warehouse'
    loop
        execute format('alter index %s rename to %I', found.old_name, found.new_name);
    end loop;
end
$$;
