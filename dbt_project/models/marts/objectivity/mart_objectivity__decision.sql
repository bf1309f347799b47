with
    explanation as (select * from {{ ref("int_objectivity__explanation") }} where procedure_code = 'vpr'),

    flagged as (
        select
            sign.region_code,
            sign.organisation_code,
            sign.year,
            sign.grade,
            sign.subject_code,
            sign.n,
            sign.flag,
            sign.score,
            sign.mechanism,
            sign.is_observed,
            action.action,
            action.title as action_title,
            case when action.action = 'remark' then action.population end as population
        from {{ ref("mart_objectivity__sign") }} as sign
        left join
            {{ ref("control_action") }} as action
            on sign.mechanism = action.mechanism
            and {{ valid_in("action", "sign.year") }}
        where sign.flag in ('red', 'amber')
    )

select
    flagged.region_code,
    flagged.organisation_code,
    flagged.year,
    flagged.grade,
    flagged.subject_code,
    flagged.n,
    flagged.flag,
    flagged.score,
    flagged.mechanism,
    flagged.is_observed,
    case
        when recheck.recheck_outcome = 'raised'
        then 'confirmed'
        -- Marking again does not show who helped or copied.
        when recheck.recheck_outcome = 'objective' and flagged.action = 'remark'
        then 'not_confirmed'
        when explanation.decision = 'accepted'
        then 'explained'
        when explanation.decision is not null or recheck.recheck_outcome is not null
        then 'in_work'
        else 'open'
    end as state,
    flagged.action,
    flagged.action_title,
    flagged.population,
    recheck.recheck_outcome,
    explanation.reason_code,
    explanation.public_comment,
    explanation.decision,
    explanation.decided_on,
    past.decision as past_decision
from flagged
left join
    {{ ref("mart_objectivity__recheck_group") }} as recheck
    on flagged.region_code = recheck.region_code
    and flagged.organisation_code = recheck.organisation_code
    and flagged.year = recheck.year
    and flagged.grade = recheck.grade
    and flagged.subject_code = recheck.subject_code
left join
    explanation
    on flagged.region_code = explanation.region_code
    and flagged.organisation_code = explanation.organisation_code
    and flagged.year = explanation.year
    and flagged.grade = explanation.grade
    and flagged.subject_code = explanation.subject_code
left join
    explanation as past
    on flagged.region_code = past.region_code
    and flagged.organisation_code = past.organisation_code
    and flagged.year = past.year + 1
    and flagged.grade = past.grade
    and flagged.subject_code = past.subject_code
