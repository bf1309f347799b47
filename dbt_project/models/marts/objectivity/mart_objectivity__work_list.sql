{#- What is settled comes last; then red before amber, schools seen again and again, the federal list, the rarer chance. -#}
{% set in_order -%}
    order by
        decision.state in ('not_confirmed', 'explained'),
        decision.flag <> 'red',
        history.years_flagged desc,
        history.years_listed desc,
        decision.score desc,
        decision.organisation_code,
        decision.grade,
        decision.subject_code
{%- endset %}
with
    limits as (
        select region_code, year, {{ parameter("control", "plan_works_max", "year") }} as works_max
        from (select distinct region_code, year from {{ ref("mart_objectivity__decision") }}) as flagged_year
    )

select
    decision.region_code,
    organisation_year.municipality_code,
    decision.year,
    decision.organisation_code,
    decision.grade,
    decision.subject_code,
    row_number() over (
        partition by decision.region_code, decision.year, organisation_year.municipality_code {{ in_order }}
    )::integer as priority,
    row_number() over (partition by decision.region_code, decision.year {{ in_order }})::integer as region_priority,
    decision.flag,
    decision.score,
    decision.mechanism,
    decision.n,
    decision.state,
    decision.action,
    decision.action_title,
    decision.population,
    population.works,
    plan.works_to_remark,
    plan.raised_to_confirm,
    plan.accuse_risk,
    plan.miss_risk,
    history.years_flagged,
    history.years_listed,
    history.years_observed,
    decision.is_observed,
    decision.recheck_outcome,
    decision.reason_code,
    decision.public_comment,
    decision.decision,
    decision.decided_on,
    decision.past_decision
from {{ ref("mart_objectivity__decision") }} as decision
inner join {{ ref("mart_objectivity__history") }} as history using (region_code, organisation_code, year)
inner join limits on decision.region_code = limits.region_code and decision.year = limits.year
left join
    {{ ref("int_organisation__year") }} as organisation_year
    on decision.region_code = organisation_year.region_code
    and decision.organisation_code = organisation_year.organisation_code
    and decision.year = organisation_year.year
left join
    {{ ref("int_recheck__population") }} as population
    on decision.region_code = population.region_code
    and decision.organisation_code = population.organisation_code
    and decision.year = population.year
    and decision.grade = population.grade
    and decision.subject_code = population.subject_code
    and decision.population = population.population
left join
    {{ ref("mart_objectivity__recheck_plan") }} as plan
    on decision.region_code = plan.region_code
    and decision.year = plan.year
    and least(population.works, limits.works_max) = plan.works
    -- Least of nothing and the limit is the limit.
    and population.works is not null
