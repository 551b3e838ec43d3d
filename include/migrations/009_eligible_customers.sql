-- How many customers an event made eligible for the surveys of a score, by period, part
-- of the customers and cell. Kept between builds: a build counts the parts that changed.
create table statistics.eligible_customers (
    -- the ways of being eligible, e.g. 'customer purchase': who is a customer anyway is
    -- not counted here again
    eligible_for text not null,
    period_key text not null,
    customer_part integer not null,
    country text not null,
    segment text not null,
    customers bigint not null check (customers > 0),
    primary key (eligible_for, period_key, customer_part, country, segment)
);

-- What was counted, also where nobody was found.
create table statistics.eligible_counted (
    eligible_for text not null,
    period_key text not null,
    primary key (eligible_for, period_key)
);
