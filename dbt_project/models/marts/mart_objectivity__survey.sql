with
    limits as (
        select
            year,
            {{ parameter("control_parameter", "survey_forms_min", "year") }} as forms_min,
            {{ parameter("control_parameter", "sign_z", "year") }} as z
        from (select distinct year from {{ ref("int_survey__pattern") }}) as surveyed
    ),

    compared as (
        select
            pattern.*,
            limits.forms_min,
            {%- for sign, total in (("straight", "judged"), ("identical", "judged"), ("rapid", "timed")) %}
                100.0 * {{ sign }} / nullif({{ total }}, 0) as {{ sign }}_share,
                100 * {{ wilson_bound("-", sign, total, "limits.z") }} as {{ sign }}_lower,
                100.0 * sum({{ sign }}) over survey / nullif(sum({{ total }}) over survey, 0) as region_{{ sign }}_share
                {{- "," if not loop.last }}
            {%- endfor %}
        from {{ ref("int_survey__pattern") }} as pattern
        inner join limits on pattern.year = limits.year
        window survey as (partition by pattern.region_code, pattern.year, pattern.survey_code, pattern.respondent_group)
    )

select
    region_code,
    year,
    survey_code,
    organisation_code,
    respondent_group,
    forms,
    judged as n,
    timed,
    {%- for sign in ("straight", "identical", "rapid") %}
        {{ sign }},
        round({{ sign }}_share, 6)::numeric(18, 6) as {{ sign }}_share,
        round({{ sign }}_lower, 6)::numeric(18, 6) as {{ sign }}_lower_bound,
        round(region_{{ sign }}_share, 6)::numeric(18, 6) as region_{{ sign }}_share,
    {%- endfor %}
    case
        when judged < forms_min
        then 'insufficient'
        when
            straight_lower > region_straight_share
            or identical_lower > region_identical_share
            or (timed >= forms_min and rapid_lower > region_rapid_share)
        then 'amber'
        else 'none'
    end as flag
from compared
