{#-
    Numbers 1 … of the items that the works of this warehouse have. Asked of the ledger, because each number costs every
    participant something; the contract's fifty where it holds no work yet.
-#}
{% macro item_numbers() -%}
    {%- set ledger = adapter.get_relation(target.dbname, "meta", "load_item") if execute -%}
    {%- if ledger -%}
        {%- set longest = run_query(
            "select max(item_no) from meta.load_item inner join meta.load using (load_id)"
            " where load.source in ('vpr', 'gia')"
        ).columns[0][0] -%}
    {%- endif -%}
    {{- return(range(1, [(longest or 50) | int, 10] | max + 1) | list) -}}
{%- endmacro %}


{#-
    Participants of new tests, their scores concatenated with nothing: a short array is stored packed and would be unpacked
    anew at every subscript. The fence keeps the planner from moving the concatenation there.
-#}
{% macro unpacked_participants() -%}
    select region_code, test_id, group_no, variant, total, has_all_items, scores || array[]::smallint[] as scores
    from {{ ref("int_sign__participant") }}
    where {{ only_new_tests() }}
    offset 0
{%- endmacro %}
