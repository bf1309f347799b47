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

    -- Three years with the one of the list; a school is counted once a year, whatever the number of its groups.
    flagged_before as (
        select now.region_code, now.organisation_code, now.year, count(distinct past.year)::integer as years_flagged
        from (select distinct region_code, organisation_code, year from flagged) as now
        inner join
            flagged as past
            on now.region_code = past.region_code
            and now.organisation_code = past.organisation_code
            and past.year between now.year - 2 and now.year
        group by now.region_code, now.organisation_code, now.year
    ),

    listed as (
        select now.region_code, now.organisation_code, now.year, count(distinct list.year)::integer as years_listed
        from (select distinct region_code, organisation_code, year from flagged) as now
        inner join
            {{ ref("fct_federal_listing") }} as list
            on now.region_code = list.region_code
            and now.organisation_code = list.organisation_code
            and list.year between now.year - 2 and now.year
        where list.is_listed
        group by now.region_code, now.organisation_code, now.year
    ),

    observed as (
        select
            now.region_code,
            now.organisation_code,
            now.year,
            count(distinct observation.year)::integer as years_observed
        from (select distinct region_code, organisation_code, year from flagged) as now
        inner join
            {{ ref("fct_observation") }} as observation
            on now.region_code = observation.region_code
            and now.organisation_code = observation.organisation_code
            and observation.year between now.year - 2 and now.year
        where observation.is_observed
        group by now.region_code, now.organisation_code, now.year
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
            flagged_before.years_flagged,
            coalesce(listed.years_listed, 0) as years_listed,
            coalesce(observed.years_observed, 0) as years_observed,
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
        left join
            flagged_before
            on flagged.region_code = flagged_before.region_code
            and flagged.organisation_code = flagged_before.organisation_code
            and flagged.year = flagged_before.year
        left join
            listed
            on flagged.region_code = listed.region_code
            and flagged.organisation_code = listed.organisation_code
            and flagged.year = listed.year
        left join
            observed
            on flagged.region_code = observed.region_code
            and flagged.organisation_code = observed.organisation_code
            and flagged.year = observed.year
        left join
            {{ ref("mart_objectivity__recheck_group") }} as recheck
            on flagged.region_code = recheck.region_code
            and flagged.organisation_code = recheck.organisation_code
            and flagged.year = recheck.year
            and flagged.grade = recheck.grade
            and flagged.subject_code = recheck.subject_code
        left join
            {{ ref("fct_objectivity_explanation") }} as explanation
            on flagged.region_code = explanation.region_code
            and flagged.organisation_code = explanation.organisation_code
            and flagged.year = explanation.year
            and flagged.grade = explanation.grade
            and flagged.subject_code = explanation.subject_code
        left join
            {{ ref("fct_objectivity_explanation") }} as past
            on flagged.region_code = past.region_code
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
cross join (select max(works) as works from {{ ref("mart_objectivity__recheck_plan") }}) as most
left join
    {{ ref("mart_objectivity__recheck_plan") }} as plan
    on known.year = plan.year
    and case when known.works > most.works then most.works else known.works end = plan.works
