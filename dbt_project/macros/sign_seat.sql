{#- Condition: a result (or a count of results) belongs to the group of this row of int_sign__seat. -#}
{% macro at_seat(result, seat) -%}
    {{ result }}.region_code = {{ seat }}.region_code
    and {{ result }}.slice_id = {{ seat }}.slice_id
    and {{ result }}.load_id = {{ seat }}.load_id
    and (
        {{ seat }}.unit_kind = 'organisation'
        or ({{ result }}.station_code = {{ seat }}.station_code and {{ result }}.room_code = {{ seat }}.room_code)
    )
{%- endmacro %}


{#- Those who wrote side by side inside a group: the class, at an exam the room; all of a group that is a room itself. -#}
{% macro class_at(result, seat) -%}
    case
        when {{ seat }}.unit_kind = 'room'
        then ''
        else coalesce({{ result }}.station_code || '/' || {{ result }}.room_code, {{ result }}.class_label, '')
    end
{%- endmacro %}
