{#- What is settled comes last; then red before amber, schools seen again and again, the federal list, the rarer chance. -#}
{% set in_order -%}
    order by
        known.state in ('not_confirmed', 'explained'),
        known.flag <> 'red',
        known.years_flagged desc,
        known.years_listed desc,
        known.score desc,
        known.organisation_code,
        known.grade,
        known.subject_code
{%- endset %}
with
    sign as (select * from {{ ref("mart_objectivity__sign") }}),

    flagged as (
        select
            sign.*, organisation_year.municipality_code, action.action, action.population, action.title as action_title
        from sign
        left join
            {{ ref("int_organisation__year") }} as organisation_year
            on sign.region_code = organisation_year.region_code
            and sign.organisation_code = organisation_year.organisation_code
            and sign.year = organisation_year.year
        left join
            {{ ref("control_action") }} as action
            on sign.mechanism = action.mechanism
            and {{ valid_in("action", "sign.year") }}
        where sign.flag in ('red', 'amber')
    ),

    -- A school counts once a year, whatever the number of its groups.
    event as (
        select region_code, organisation_code, year, 'flagged' as kind
        from flagged
        union
        select region_code, organisation_code, year, 'listed' as kind
        from {{ ref("fct_federal_listing") }}
        where is_listed
        union
        select region_code, organisation_code, year, 'observed' as kind
        from {{ ref("fct_observation") }}
        where is_observed
    ),

    limits as (
        select
            year,
            {{ parameter("control_parameter", "history_years", "year") }} as history_years,
            {{ parameter("control_parameter", "plan_works_max", "year") }} as works_max
        from (select distinct year from flagged) as flagged_year
    ),

    history as (
        select
            school.region_code,
            school.organisation_code,
            school.year,
            {%- for kind in ("flagged", "listed", "observed") %}
                count(*) filter (where event.kind = '{{ kind }}')::integer as years_{{ kind }}
                {{- "," if not loop.last }}
            {%- endfor %}
        from event as school
        inner join limits on school.year = limits.year
        inner join
            event
            on school.region_code = event.region_code
            and school.organisation_code = event.organisation_code
            and event.year > school.year - limits.history_years
            and event.year <= school.year
        where school.kind = 'flagged'
        group by school.region_code, school.organisation_code, school.year
    ),

    known as (
        select
            flagged.region_code,
            flagged.municipality_code,
            flagged.organisation_code,
            flagged.year,
            flagged.grade,
            flagged.subject_code,
            flagged.n,
            flagged.flag,
            flagged.score,
            flagged.mechanism,
            flagged.action,
            flagged.action_title,
            case when flagged.action = 'remark' then flagged.population end as population,
            case when flagged.action = 'remark' then population.works end as works,
            history.years_flagged,
            history.years_listed,
            history.years_observed,
            flagged.is_observed,
            recheck.outcome as recheck_outcome,
            explanation.reason_code,
            explanation.public_comment,
            explanation.decision,
            explanation.decided_on,
            past.decision as past_decision,
            case
                when recheck.outcome = 'raised'
                then 'confirmed'
                -- Marking again does not show who helped or copied.
                when recheck.outcome = 'objective' and flagged.action = 'remark'
                then 'not_confirmed'
                when explanation.decision = 'accepted'
                then 'explained'
                when explanation.decision is not null or recheck.outcome is not null
                then 'in_work'
                else 'open'
            end as state
        from flagged
        inner join
            history
            on flagged.region_code = history.region_code
            and flagged.organisation_code = history.organisation_code
            and flagged.year = history.year
        left join
            {{ ref("mart_objectivity__recheck_group") }} as recheck
            on flagged.region_code = recheck.region_code
            and flagged.organisation_code = recheck.organisation_code
            and flagged.year = recheck.year
            and flagged.grade = recheck.grade
            and flagged.subject_code = recheck.subject_code
        left join
            {{ ref("fct_objectivity_explanation") }} as explanation
            on explanation.procedure_code = 'vpr'
            and flagged.region_code = explanation.region_code
            and flagged.organisation_code = explanation.organisation_code
            and flagged.year = explanation.year
            and flagged.grade = explanation.grade
            and flagged.subject_code = explanation.subject_code
        left join
            {{ ref("fct_objectivity_explanation") }} as past
            on past.procedure_code = 'vpr'
            and flagged.region_code = past.region_code
            and flagged.organisation_code = past.organisation_code
            and flagged.year = past.year + 1
            and flagged.grade = past.grade
            and flagged.subject_code = past.subject_code
        left join
            {{ ref("int_recheck__population") }} as population
            on flagged.region_code = population.region_code
            and flagged.organisation_code = population.organisation_code
            and flagged.year = population.year
            and flagged.grade = population.grade
            and flagged.subject_code = population.subject_code
            and flagged.population = population.population
    )

select
    known.region_code,
    known.municipality_code,
    known.year,
    known.organisation_code,
    known.grade,
    known.subject_code,
    row_number() over (partition by known.region_code, known.year, known.municipality_code {{ in_order }})::integer
    as priority,
    row_number() over (partition by known.region_code, known.year {{ in_order }})::integer as region_priority,
    known.flag,
    known.score,
    known.mechanism,
    known.n,
    known.state,
    known.action,
    known.action_title,
    known.population,
    known.works,
    plan.works_to_remark,
    plan.raised_to_confirm,
    plan.accuse_risk,
    plan.miss_risk,
    known.years_flagged,
    known.years_listed,
    known.years_observed,
    known.is_observed,
    known.recheck_outcome,
    known.reason_code,
    known.public_comment,
    known.decision,
    known.decided_on,
    known.past_decision
from known
inner join limits on known.year = limits.year
left join
    {{ ref("mart_objectivity__recheck_plan") }} as plan
    on known.year = plan.year
    and known.works is not null
    and least(known.works, limits.works_max) = plan.works
