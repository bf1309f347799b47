-- fmt: off
{#- sqlfmt cannot read «do». -#}
{#
    Keys that BI tools read. They disturb no reader: a primary key is put on before its table can be seen, a foreign key locks
    out writers alone, and what is referred to is never dropped by a build (strategy `synchronise`).

    Primary key: the grain of a dimension, a fact or a mart, if all its columns are `not_null`.
    Foreign keys: a table with `meta: {is_referenced: true}` is referred to by its grain, wherever all these columns stand in
    a dimension, a fact or a mart; a load and a slice of the ledger by their ids. They hold by construction and are NOT
    ENFORCED; before PostgreSQL 18 there are none, for every row written on either side would be checked.
#}
{#- Post-hook: the primary key of this table, from its unique index if it has one. -#}
{% macro primary_key() -%}
    {%- set grain = grain_of(model) if execute -%}
    {%- if grain -%}
do $key$
declare
    place text = (
        select coalesce('using index ' || min(quote_ident(class.relname)), '({{ grain | join(", ") }})')
        from pg_index as index
        inner join pg_class as class on index.indexrelid = class.oid
        where
            index.indrelid = '{{ this }}'::regclass
            and index.indisunique
            and (select array_agg(attname::text order by attname) from pg_attribute where attrelid = index.indexrelid)
            = array['{{ grain | sort | join("', '") }}']
    );
begin
    if not exists (select from pg_constraint where conrelid = '{{ this }}'::regclass and contype = 'p') then
        execute 'alter table {{ this }} add primary key ' || place;
    end if;
end
$key$
    {%- endif -%}
{%- endmacro %}


{#- Hook for the end of a run: the foreign keys that are not there yet, of published tables and of those built aside. -#}
{% macro foreign_keys() -%}
    {%- if execute -%}
        {%- set names, schemas, referenced = [], ["mart"], ["('meta.load', array['load_id'])", "('meta.slice', array['slice_id'])"] -%}
        {%- for node in graph.nodes.values() | selectattr("resource_type", "equalto", "model") | sort(attribute="name") -%}
            {%- if is_keyed(node) -%}
                {%- do names.append(node.name) -%}
                {%- do schemas.append(node.schema) -%}
                {%- if node.config.meta.get("is_referenced") -%}
                    {%- do referenced.append("('" ~ node.schema ~ "." ~ node.name ~ "', array['" ~ grain_of(node) | join("', '") ~ "'])") -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
do $keys$
declare
    ddl text;
begin
    for ddl in
        with
            referenced as (
                select to_regclass(name) as oid, grain
                from (values {{ referenced | join(", ") }}) as declared(name, grain)
                where to_regclass(name) is not null
            ),
            keyed as (
                select class.oid, array_agg(attribute.attname::text) as columns
                from pg_class as class
                inner join pg_attribute as attribute on attribute.attrelid = class.oid
                where
                    class.relkind = 'r'
                    and class.relname in ('{{ names | join("', '") }}')
                    and class.relnamespace::regnamespace::text in ('{{ schemas | unique | join("', '") }}')
                group by class.oid
            )
        select
            format(
                'alter table %1$s add foreign key (%2$s) references %3$s (%2$s) not enforced',
                keyed.oid::regclass,
                array_to_string(referenced.grain, ', '),
                referenced.oid::regclass
            )
        from keyed
        inner join referenced on keyed.oid <> referenced.oid and keyed.columns @> referenced.grain
        where
            current_setting('server_version_num')::integer >= 180000
            and not exists (
                select from pg_constraint
                where conrelid = keyed.oid and confrelid = referenced.oid and contype = 'f'
            )
        order by keyed.oid::regclass::text, referenced.oid::regclass::text
    loop
        execute ddl;
    end loop;
end
$keys$
    {%- endif -%}
{%- endmacro %}


{#- Tables that have keys: dimensions, facts, marts, and whatever else they refer to. -#}
{% macro is_keyed(node) -%}
    {%- set is_published = node.name.split("_")[0] in ("dim", "fct", "mart") or node.config.meta.get("is_referenced", false) -%}
    {{- return(is_published and node.config.materialized != "view") -}}
{%- endmacro %}


{#- Columns of the primary key of a model: those of its unique index or of its test `unique_grain`; none, if one may be empty. -#}
{% macro grain_of(node) -%}
    {%- set found = namespace(grain=[], not_null=[]) -%}
    {%- for test in graph.nodes.values() | selectattr("test_metadata", "defined") if test.attached_node == node.unique_id -%}
        {%- if test.test_metadata.name == "unique_grain" -%} {%- set found.grain = test.test_metadata.kwargs.columns -%}
        {%- elif test.test_metadata.name == "not_null" -%} {%- do found.not_null.append(test.column_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for index in node.config.get("indexes") or [] if index.unique -%} {%- set found.grain = index.columns -%} {%- endfor -%}
    {%- for column in node.columns.values() -%}
        {%- if "not_null" in column.constraints | map(attribute="type") | map("string") -%}
            {%- do found.not_null.append(column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found.grain if is_keyed(node) and not found.grain | reject("in", found.not_null) | list else []) -}}
{%- endmacro %}
