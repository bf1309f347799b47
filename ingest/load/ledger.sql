-- Ledger: what was delivered, what became of it, what is current. Every statement is idempotent.
create schema if not exists meta;
create schema if not exists raw;

create table if not exists meta.delivery (
    delivery_id bigint primary key,
    region_code smallint,
    source text not null,
    sha256 char(64) not null,
    file_name text not null,
    byte_size bigint not null,
    options jsonb not null default '{}',
    archive_url text not null,
    file_modified_at timestamptz not null,
    received_at timestamptz not null,
    received_by text not null,
    precedence_at timestamptz not null,
    status text not null check (status in ('received', 'staged', 'checked', 'published', 'rejected', 'superseded')),
    message text
);
create table if not exists meta.load (
    load_id bigint primary key,
    delivery_id bigint not null references meta.delivery,
    source text not null,
    contract_version smallint not null,
    layouts text[] not null default '{}',
    rows_read integer not null default 0,
    rows_staged integer not null default 0,
    rows_rejected integer not null default 0,
    cells_rejected integer not null default 0,
    status text not null check (status in ('received', 'staged', 'checked', 'published', 'rejected', 'superseded'))
);
create table if not exists meta.load_item (
    load_id bigint not null references meta.load,
    year smallint not null,
    grade smallint not null,
    subject_code text not null,
    item_no smallint not null,
    item_label text not null,
    item_text text,
    item_kind text check (item_kind in ('short', 'long')),
    max_score smallint,
    primary key (load_id, year, grade, subject_code, item_no)
);
create table if not exists meta.slice (
    slice_id bigint primary key,
    region_code smallint not null,
    source text not null,
    slice_key jsonb not null
);
create table if not exists meta.slice_load (
    slice_id bigint not null references meta.slice,
    load_id bigint not null references meta.load,
    row_count integer not null,
    controls jsonb not null,
    is_current boolean not null,
    primary key (slice_id, load_id)
);
create index if not exists slice_load_load_id on meta.slice_load (load_id);
create table if not exists meta.rejection (
    load_id bigint not null references meta.load,
    stage text not null check (stage in ('read', 'gate')),
    sheet text,
    row_no integer,
    column_name text,
    code text not null,
    severity text not null check (severity in ('error', 'warn')),
    is_row_rejected boolean not null,
    message text not null
);
create index if not exists rejection_load_id on meta.rejection (load_id);
create table if not exists meta.control_total (
    load_id bigint not null references meta.load,
    stage text not null check (stage in ('read', 'staged', 'published', 'core')),
    measure text not null,
    value numeric not null,
    primary key (load_id, stage, measure)
);
create table if not exists meta.gate_result (
    load_id bigint not null references meta.load,
    checked_at timestamptz not null,
    check_code text not null,
    expectation_type text not null,
    column_name text,
    severity text not null check (severity in ('error', 'warn')),
    is_success boolean not null,
    violations bigint,
    row_count bigint,
    tolerance numeric,
    message text not null,
    primary key (load_id, checked_at, check_code)
);
-- What was published, and what the marts were built from: together they tell what is owed.
create table if not exists meta.publication (
    publication_id bigint generated always as identity primary key,
    source text not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table meta.publication is 'Строка: решение, после которого действуют другие строки источника';
comment on column meta.publication.publication_id is 'Номер; решения принимаются по одному, и номера растут в их порядке';
comment on column meta.publication.source is 'Источник, чьи действующие строки изменились';
comment on column meta.publication.published_at is 'Когда изменились';
create table if not exists meta.model (
    model text primary key,
    sql_code text not null,
    code text not null,
    publication_id bigint not null
);
comment on table meta.model is 'Строка: модель или справочник dbt, как построены в последний раз';
comment on column meta.model.model is 'Имя модели или справочника';
comment on column meta.model.sql_code is
'Контрольная сумма SQL модели и всего, что она читает; с другой строки, посчитанные прежде, считаются заново';
comment on column meta.model.code is 'То же вместе со строками справочников';
comment on column meta.model.publication_id is 'Последняя публикация, которую учитывают все строки модели';
create table if not exists meta.build (
    mechanism text primary key,
    publication_id bigint,
    code text,
    built_at timestamptz,
    held_back text
);
comment on table meta.build is 'Строка: механизм, витрины которого строились';
comment on column meta.build.mechanism is 'Папка витрин механизма в проекте dbt';
comment on column meta.build.publication_id is 'Последняя публикация, которую витрины учитывают; пусто: их ещё нет';
comment on column meta.build.code is
'Контрольная сумма проекта dbt, которым они построены; пустая строка: построены не все и не одним';
comment on column meta.build.built_at is 'Когда витрины заменены построенными заново';
comment on column meta.build.held_back is 'Почему последнее построение их не заменило; пусто: заменило';

create or replace view meta.current_load as
select slice.region_code, slice.source, slice_load.slice_id, slice_load.load_id, slice_load.row_count, slice_load.controls
from meta.slice_load
inner join meta.slice using (slice_id)
where slice_load.is_current;

create or replace view meta.delivery_summary as
with totals as (
    select load_id, jsonb_object_agg(measure, by_stage) as control_totals
    from (
        select load_id, measure, jsonb_object_agg(stage, value) as by_stage
        from meta.control_total
        group by load_id, measure
    ) as measures
    group by load_id
),
published as (
    select load_id, sum(row_count) as rows_published, sum(row_count) filter (where is_current) as rows_current
    from meta.slice_load
    group by load_id
),
last_load as (
    select distinct on (delivery_id) *
    from meta.load
    order by delivery_id, contract_version desc
)
select
    delivery.delivery_id,
    delivery.region_code,
    delivery.file_name,
    delivery.sha256,
    delivery.source,
    delivery.status,
    last_load.rows_read,
    coalesce(published.rows_published, 0) as rows_published,
    coalesce(published.rows_current, 0) as rows_current,
    last_load.rows_rejected as rows_quarantined,
    last_load.cells_rejected,
    totals.control_totals,
    delivery.message,
    delivery.received_at,
    delivery.received_by,
    delivery.archive_url,
    last_load.load_id
from meta.delivery
left join last_load using (delivery_id)
left join published using (load_id)
left join totals using (load_id);

-- What a warehouse published before it kept count.
insert into meta.publication (source)
select distinct source
from meta.current_load
where not exists (select from meta.publication)
order by source;
