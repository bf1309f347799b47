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
    item_kind text check (item_kind in ('short', 'expert')),
    max_score smallint,
    primary key (load_id, year, grade, subject_code, item_no)
);
-- Earlier ledgers say «long» of what the catalogue calls «expert».
alter table meta.load_item drop constraint if exists load_item_item_kind_check;
update meta.load_item set item_kind = 'expert' where item_kind = 'long';
alter table meta.load_item add constraint load_item_item_kind_check check (item_kind in ('short', 'expert'));
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
create table if not exists meta.verification (
    kind text primary key check (kind in ('archive', 'rows')),
    checked_at timestamptz not null,
    checked bigint not null,
    faults text[] not null
);
comment on table meta.verification is 'Строка: вид сверки. Последняя сверка архива и строк raw с журналом поставок.';
comment on column meta.verification.kind is 'Что сверено: archive — файлы архива, rows — строки raw';
comment on column meta.verification.checked_at is 'Когда сверено';
comment on column meta.verification.checked is 'Сколько файлов или строк сверено';
comment on column meta.verification.faults is 'Что не сошлось: пути файлов в архиве или срезы';
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
    last_load.load_id,
    -- Still broken, unless the same file name has come again since and was accepted.
    delivery.status not in ('published', 'superseded')
    and not exists (
        select 1
        from meta.delivery as later
        where
            later.source = delivery.source
            and later.file_name = delivery.file_name
            and later.received_at > delivery.received_at
            and later.status in ('published', 'superseded')
    ) as is_broken
from meta.delivery
left join last_load using (delivery_id)
left join published using (load_id)
left join totals using (load_id);

-- What every table and column is, where BI tools and psql show it.
comment on table meta.delivery is 'Строка: один полученный файл. Повторно доставленные те же байты новой поставки не дают.';
comment on column meta.delivery.delivery_id is 'Поставка: 63 разряда SHA-256 от источника и содержимого';
comment on column meta.delivery.region_code is 'Код субъекта Российской Федерации';
comment on column meta.delivery.source is 'Источник (контракт)';
comment on column meta.delivery.sha256 is 'SHA-256 содержимого';
comment on column meta.delivery.file_name is 'Имя файла, под которым он пришёл';
comment on column meta.delivery.byte_size is 'Размер, байт';
comment on column meta.delivery.options is 'Что доставка сказала о файле (файл настроек рядом с ним)';
comment on column meta.delivery.archive_url is 'Где лежит неизменный оригинал';
comment on column meta.delivery.file_modified_at is 'Время изменения файла у поставщика';
comment on column meta.delivery.received_at is 'Получен';
comment on column meta.delivery.received_by is 'Кем доставлен';
comment on column meta.delivery.precedence_at is 'По какому времени решается, какая из поставок одного среза новее';
comment on column meta.delivery.status is 'received — получен; staged — прочитан; checked — проверен; published — действует; rejected — отклонён; superseded — заменён';
comment on column meta.delivery.message is 'Что сказано поставщику';
comment on table meta.load is 'Строка: одна загрузка поставки по одной версии контракта.';
comment on column meta.load.load_id is 'Загрузка: от поставки и версии контракта';
comment on column meta.load.delivery_id is 'Поставка (meta.delivery)';
comment on column meta.load.source is 'Источник (контракт)';
comment on column meta.load.contract_version is 'Версия контракта';
comment on column meta.load.layouts is 'Узнанные разметки файла';
comment on column meta.load.rows_read is 'Строк прочитано';
comment on column meta.load.rows_staged is 'Строк принято в raw';
comment on column meta.load.rows_rejected is 'Строк отложено';
comment on column meta.load.cells_rejected is 'Ячеек не прочитано или снято';
comment on column meta.load.status is 'Как у поставки: received, staged, checked, published, rejected, superseded';
comment on table meta.load_item is 'Строка: одно задание работы (вопрос анкеты), как его описывает файл загрузки.';
comment on column meta.load_item.load_id is 'Загрузка (meta.load)';
comment on column meta.load_item.year is 'Год работы';
comment on column meta.load_item.grade is 'Класс работы';
comment on column meta.load_item.subject_code is 'Предмет; у анкет пусто';
comment on column meta.load_item.item_no is 'Порядковый номер столбца задания';
comment on column meta.load_item.item_label is 'Номер задания, как он в файле';
comment on column meta.load_item.item_text is 'Текст вопроса';
comment on column meta.load_item.item_kind is 'Вид проверки: short — краткий ответ, expert — развёрнутый, его проверяет эксперт';
comment on column meta.load_item.max_score is 'Максимальный балл, если он указан в файле';
comment on table meta.slice is 'Строка: срез — то, что одна поставка заменяет целиком (школа × работа × год и подобное).';
comment on column meta.slice.slice_id is 'Срез: от региона, источника и ключа';
comment on column meta.slice.region_code is 'Код субъекта Российской Федерации';
comment on column meta.slice.source is 'Источник (контракт)';
comment on column meta.slice.slice_key is 'Значения столбцов среза';
comment on table meta.slice_load is 'Строка: что одна загрузка сказала об одном срезе. Действует не больше одной загрузки среза.';
comment on column meta.slice_load.slice_id is 'Срез (meta.slice)';
comment on column meta.slice_load.load_id is 'Загрузка (meta.load)';
comment on column meta.slice_load.row_count is 'Строк среза в загрузке';
comment on column meta.slice_load.controls is 'Контрольные суммы среза по контракту';
comment on column meta.slice_load.is_current is 'Действует: эти строки читают витрины';
comment on table meta.rejection is 'Строка: одно место файла, из-за которого что-то отложено, снято или отмечено.';
comment on column meta.rejection.load_id is 'Загрузка (meta.load)';
comment on column meta.rejection.stage is 'Кто нашёл: read — чтение, gate — шлюз';
comment on column meta.rejection.sheet is 'Лист файла';
comment on column meta.rejection.row_no is 'Номер строки, как его видит поставщик';
comment on column meta.rejection.column_name is 'Столбец контракта';
comment on column meta.rejection.code is 'Код проверки';
comment on column meta.rejection.severity is 'error — нарушение, warn — предупреждение';
comment on column meta.rejection.is_row_rejected is 'Строка отложена целиком';
comment on column meta.rejection.message is 'Что сказано поставщику';
comment on table meta.control_total is 'Строка: одна контрольная сумма загрузки на одной ступени: от ступени к ступени она не меняется.';
comment on column meta.control_total.load_id is 'Загрузка (meta.load)';
comment on column meta.control_total.stage is 'read — прочитано; staged — принято; published — действует; core — в фактах';
comment on column meta.control_total.measure is 'Что сложено (rows — строки)';
comment on column meta.control_total.value is 'Сумма';
comment on table meta.gate_result is 'Строка: итог одной проверки шлюза по одной загрузке.';
comment on column meta.gate_result.load_id is 'Загрузка (meta.load)';
comment on column meta.gate_result.checked_at is 'Когда проверено';
comment on column meta.gate_result.check_code is 'Код проверки';
comment on column meta.gate_result.expectation_type is 'Вид ожидания Great Expectations';
comment on column meta.gate_result.column_name is 'Столбец контракта';
comment on column meta.gate_result.severity is 'error — нарушение отклоняет файл, warn — предупреждение';
comment on column meta.gate_result.is_success is 'Пройдена';
comment on column meta.gate_result.violations is 'Нарушений';
comment on column meta.gate_result.row_count is 'Строк, к которым проверка относится';
comment on column meta.gate_result.tolerance is 'Допустимая доля нарушений';
comment on column meta.gate_result.message is 'Что сказано поставщику';
comment on view meta.current_load is 'Строка: действующий срез и загрузка, которой он принадлежит.';
comment on column meta.current_load.region_code is 'Код субъекта Российской Федерации';
comment on column meta.current_load.source is 'Источник (контракт)';
comment on column meta.current_load.slice_id is 'Срез (meta.slice)';
comment on column meta.current_load.load_id is 'Загрузка (meta.load)';
comment on column meta.current_load.row_count is 'Строк среза';
comment on column meta.current_load.controls is 'Контрольные суммы среза по контракту';
comment on view meta.delivery_summary is 'Строка: поставка; что с ней стало, по последней её загрузке.';
comment on column meta.delivery_summary.delivery_id is 'Поставка (meta.delivery)';
comment on column meta.delivery_summary.region_code is 'Код субъекта Российской Федерации';
comment on column meta.delivery_summary.file_name is 'Имя файла, под которым он пришёл';
comment on column meta.delivery_summary.sha256 is 'SHA-256 содержимого';
comment on column meta.delivery_summary.source is 'Источник (контракт)';
comment on column meta.delivery_summary.status is 'Состояние поставки (meta.delivery)';
comment on column meta.delivery_summary.rows_read is 'Строк прочитано';
comment on column meta.delivery_summary.rows_published is 'Строк опубликовано';
comment on column meta.delivery_summary.rows_current is 'Строк действует';
comment on column meta.delivery_summary.rows_quarantined is 'Строк отложено';
comment on column meta.delivery_summary.cells_rejected is 'Ячеек не прочитано или снято';
comment on column meta.delivery_summary.control_totals is 'Контрольные суммы: что → ступень → значение';
comment on column meta.delivery_summary.message is 'Что сказано поставщику';
comment on column meta.delivery_summary.received_at is 'Получен';
comment on column meta.delivery_summary.received_by is 'Кем доставлен';
comment on column meta.delivery_summary.archive_url is 'Где лежит неизменный оригинал';
comment on column meta.delivery_summary.load_id is 'Последняя загрузка (meta.load)';
comment on column meta.delivery_summary.is_broken is 'Сломано сейчас: не принята ни она, ни более поздняя поставка под тем же именем';
-- What a warehouse published before it kept count.
insert into meta.publication (source)
select distinct source
from meta.current_load
where not exists (select from meta.publication)
order by source;
