-- Made by `make generate` from rsoko/contracts
-- fmt: off
{#- The system of a code that stands where a login of ФИС ОКО is asked for. -#}
{% macro code_system(code) -%}
    (case when {{ code }} like 'edu%' then 'fisoko' when {{ code }} ~ '^\d{10}(\d\d)?$' then 'inn' when {{ code }} ~ '^\d{13}(\d\d)?$' then 'ogrn' else 'fisoko' end)
{%- endmacro %}


{#- (system, code, strength) of a row of a register of organisations. -#}
{% macro register_codes() -%}
    (values (case when organisation_code like 'edu%' then 'fisoko' when organisation_code ~ '^\d{10}(\d\d)?$' then 'inn' when organisation_code ~ '^\d{13}(\d\d)?$' then 'ogrn' else 'fisoko' end, organisation_code, 1), ('ogrn', ogrn, 2), ('inn', inn, 3), ('ris', ris_code, 4), ('ris', ris_code_ege, 4), (register_code, register_number, 5))
{%- endmacro %}


{#- The day of `year` on which a row has to be in force for a procedure (rsoko/contracts/in_force.yml). -#}
{% macro in_force_on(procedure, year) -%}
    {%- set day = {'assessment': (5, 1), 'leader': (2, 1), 'survey': (5, 1), 'preschool': (5, 1)}[procedure] -%}
    make_date({{ year }}, {{ day[0] }}, {{ day[1] }})
{%- endmacro %}
