{#- How often an entry may take over a stronger identifier from another: inn → ogrn → login. -#}
{% set rounds = 2 %}
{%- set entry = "region_code, register_code, source_organisation_code" -%}
with
    register as (select * from {{ ref("stg_organisation__register") }}),

    -- One entry of one register is one organisation, whatever the periods of its rows.
    code as (
        select distinct
            register.region_code,
            register.register_code,
            register.source_organisation_code,
            given.code_system,
            given.code,
            given.strength
        from register
        cross join lateral {{ register_codes() }} as given(code_system, code, strength)
        where given.code is not null
    ),

    -- Window functions all the way: joins of these steps would be planned as nested loops.
    known_0 as (
        select
            {{ entry }},
            code_system,
            code,
            first_value(case when strength = 1 then code else code_system || '-' || code end) over own
            as organisation_code,
            first_value(strength) over own as strength
        from code
        window own as (partition by {{ entry }} order by strength, code_system, code)
    )
    {%- for round in range(1, rounds + 1) %}
        ,

        best_{{ round }} as (
            select *, min(strength) over (partition by region_code, code_system, code) as best_strength
            from known_{{ round - 1 }}
        ),

        claimed_{{ round }} as (
            select
                *,
                min(organisation_code) filter (where strength = best_strength) over same_code as first_claimant,
                max(organisation_code) filter (where strength = best_strength) over same_code as last_claimant
            from best_{{ round }}
            window same_code as (partition by region_code, code_system, code)
        ),

        -- Entries that share a code are one organisation, unless two of equal strength claim it: head and branch
        -- share an ИНН.
        offered_{{ round }} as (
            select
                *,
                case
                    when best_strength < strength and first_claimant = last_claimant then first_claimant
                end as offered_code
            from claimed_{{ round }}
        ),

        known_{{ round }} as (
            select
                {{ entry }},
                code_system,
                code,
                coalesce(first_value(offered_code) over own, organisation_code) as organisation_code,
                case
                    when first_value(offered_code) over own is null
                    then strength
                    else first_value(best_strength) over own
                end as strength
            from offered_{{ round }}
            window own as (partition by {{ entry }} order by offered_code is null, best_strength, offered_code)
        )
    {%- endfor %}

select {{ entry }}, organisation_code, code_system, code
from known_{{ rounds }}
