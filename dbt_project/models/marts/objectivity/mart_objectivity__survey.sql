{%- set signs = {"straight": "judged", "copied": "judged", "rapid": "timed"} -%}
with
    pattern as (select * from {{ ref("int_survey__pattern") }}),

    limits as (
        select
            region_code,
            year,
            {{ parameter("control", "survey_forms_min", "year") }} as forms_min,
            {{ parameter("control", "survey_share_limit", "year") }} as share_limit,
            {{ parameter("control", "sign_p", "year") }} as p_limit
        from (select distinct region_code, year from pattern) as surveyed
    ),

    compared as ({{ against_region("pattern", "region_code, year, survey_code, respondent_group", signs) }})

select
    region_code,
    year,
    survey_code,
    organisation_code,
    respondent_group,
    forms,
    judged as n,
    timed,
    {%- for sign in signs %}
        {{ sign }},
        round({{ sign }}_share, 6)::numeric(18, 6) as {{ sign }}_share,
        round(region_{{ sign }}_share, 6)::numeric(18, 6) as region_{{ sign }}_share,
        round({{ sign }}_p::numeric, 9)::numeric(18, 9) as {{ sign }}_p,
    {%- endfor %}
    case
        when judged < forms_min
        then 'insufficient'
        when
            {%- for sign, total in signs.items() %}
                ({{ total }} >= forms_min and {{ sign }}_share >= share_limit and {{ sign }}_p <= p_limit)
                {{- " or" if not loop.last }}
            {%- endfor %}
        then 'amber'
        else 'none'
    end as flag
from compared
inner join limits using (region_code, year)
