-- Rates and fees: what the bank pays and charges, since when and until when. An answer shows the rows in force today.

-- A range of text. A range of one value overlaps another exactly when the values are equal, so the built-in range
-- operators of GiST can compare the parts of a key, and the constraint below needs no extension (btree_gist is not
-- installed on every bank's server).
create type text_range as range (subtype = text);

create table rate (
  id uuid primary key default gen_random_uuid(),
  -- The table it is shown in: deposit-term, transfer-fees.
  table_name text not null check (table_name ~ '^[a-z]+(-[a-z]+)*$'),
  -- What it is for. Key parts carry no words to customers; the names do.
  product text not null check (product <> ''),
  term text not null default '',
  currency text not null default 'CNY' check (currency ~ '^[A-Z]{3}$'),
  min_amount numeric(16, 2) not null default 0 check (min_amount >= 0),
  name_zh text not null check (name_zh <> ''),
  name_en text not null check (name_en <> ''),
  value numeric(14, 4) not null check (value >= 0),
  unit text not null check (unit in ('percent_per_year', 'percent_of_amount', 'each', 'per_month', 'per_year', 'per_100')),
  -- The order of the lines in their table.
  position smallint not null default 0,
  -- Bank-local dates, half-open: in force when effective_from <= today < effective_to.
  effective_from date not null,
  effective_to date,
  source text not null,
  approved_by text not null,
  check (effective_to > effective_from),
  -- One line has one value on any day.
  constraint rate_one_in_force exclude using gist (
    text_range(table_name, table_name, '[]') with &&,
    text_range(product, product, '[]') with &&,
    text_range(term, term, '[]') with &&,
    text_range(currency, currency, '[]') with &&,
    numrange(min_amount, min_amount, '[]') with &&,
    daterange(effective_from, effective_to) with &&
  )
);
