-- fmt: off
{#- sqlfmt cannot read «do». -#}
{#
    The keys that BI tools read, put on when a build ends: of those declared only what is not there yet, for a table that was
    built anew has lost its own and those that referred to it.

    Primary key: the grain of a table (its unique index, else its test `unique_grain`), if all its columns are `not_null`.
    Foreign keys: a table with `meta: {is_referenced: true}` is referred to by its grain, wherever all these columns stand in a
    dimension, a fact or a mart; a load and a slice of the ledger by their ids. They are true by construction and cost
    nothing: NOT ENFORCED where PostgreSQL has it (18), before that NOT VALID and only on tables that are built anew as a
    whole, for every further row would be checked.
#}
{% macro declare_keys() -%}
    {%- if execute -%}
do $declare$
declare
    ddl text;
begin
    for ddl in
        with
            declared (table_name, grain, is_referenced, is_rebuilt) as (values {{ declared_keys() | join(", ") }}),
            held as (
                select
                    class.oid,
                    declared.*,
                    (
                        select array_agg(attname::text)
                        from pg_attribute
                        where attrelid = class.oid and attnum > 0 and not attisdropped
                    ) as columns
                from declared
                inner join pg_class as class on class.relname = declared.table_name and class.relkind = 'r'
                where class.relnamespace::regnamespace::text in ('mart', '{{ graph.nodes.values() | map(attribute="schema") | unique | join("', '") }}')
            ),
            primary_key as (
                select
                    1 as step,
                    format(
                        'alter table %s add constraint %I primary key %s',
                        held.oid::regclass,
                        held.table_name || '_pkey',
                        coalesce('using index ' || quote_ident(same.relname), '(' || array_to_string(held.grain, ', ') || ')')
                    ) as statement
                from held
                left join lateral (
                    select class.relname
                    from pg_index as index
                    inner join pg_class as class on index.indexrelid = class.oid
                    where
                        index.indrelid = held.oid
                        and index.indisunique
                        and index.indpred is null
                        and (
                            select array_agg(attribute.attname::text order by attribute.attname)
                            from pg_attribute as attribute
                            where attribute.attrelid = index.indexrelid
                        ) = (select array_agg(name order by name) from unnest(held.grain) as name)
                    limit 1
                ) as same on true
                where
                    held.grain is not null
                    and not exists (select from pg_constraint where conrelid = held.oid and contype = 'p')
            ),
            referenced as (
                select oid, grain from held where is_referenced and grain is not null
                union all
                select 'meta.load'::regclass, array['load_id']
                union all
                select 'meta.slice'::regclass, array['slice_id']
            ),
            foreign_key as (
                select
                    2 as step,
                    format(
                        'alter table %1$s add foreign key (%2$s) references %3$s (%2$s) %4$s',
                        held.oid::regclass,
                        array_to_string(referenced.grain, ', '),
                        referenced.oid::regclass,
                        case when is_free then 'not enforced' else 'not valid' end
                    ) as statement
                from held
                cross join (select current_setting('server_version_num')::integer >= 180000 as is_free) as server
                inner join referenced on held.oid <> referenced.oid and held.columns @> referenced.grain
                where
                    (is_free or held.is_rebuilt)
                    and not exists (
                        select from pg_constraint
                        where conrelid = held.oid and confrelid = referenced.oid and contype = 'f'
                    )
            )
        select statement from (select * from primary_key union all select * from foreign_key) as due order by step, statement
    loop
        begin
            execute ddl;
        exception when unique_violation or not_null_violation or invalid_foreign_key then
            -- The test of the grain says so too, and fails the build.
            raise warning '%', sqlerrm;
        end;
    end loop;
end
$declare$
    {%- endif -%}
{%- endmacro %}


{#- The rows `declared`: dimensions, facts, marts and what is referred to, each with its grain, if no column of it is empty. -#}
{% macro declared_keys() -%}
    {%- set unique, not_null = {}, [] -%}
    {%- for test in graph.nodes.values() | selectattr("test_metadata", "defined") -%}
        {%- if test.test_metadata.name == "unique_grain" -%}
            {%- do unique.update({test.attached_node: test.test_metadata.kwargs.columns}) -%}
        {%- elif test.test_metadata.name == "not_null" -%}
            {%- do not_null.append((test.attached_node, test.column_name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set rows = [] -%}
    {%- for node in graph.nodes.values() | selectattr("resource_type", "equalto", "model") -%}
        {%- set is_published = node.name.split("_")[0] in ("dim", "fct", "mart") or node.config.meta.get("is_referenced", false) -%}
        {%- if is_published and node.config.materialized != "view" -%}
            {%- set indexes = node.config.get("indexes", []) | selectattr("unique", "defined") | map(attribute="columns") | list -%}
            {%- set grain = (indexes + [unique.get(node.unique_id, [])])[0] -%}
            {%- set nullable = [] -%}
            {%- for name in grain -%}
                {%- set column = node.columns.get(name, {"constraints": []}) -%}
                {%- if "not_null" not in column.constraints | map(attribute="type") | map("string") and (node.unique_id, name) not in not_null -%}
                    {%- do nullable.append(name) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set key = "array['" ~ grain | join("', '") ~ "']" if grain and not nullable else "null::text[]" -%}
            {%- do rows.append(
                "('" ~ node.name ~ "', " ~ key ~ ", " ~ node.config.meta.get("is_referenced", false) ~ ", "
                ~ (node.config.materialized == "table") ~ ")"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(rows) -}}
{%- endmacro %}
