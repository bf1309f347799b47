with
    leader as (select * from {{ ref("int_leader__in_office") }}),

    attestation as (select * from {{ ref("int_person__attestation") }} where person_role = 'leader'),

    -- What the person is worth follows the person, whichever organisation reported it.
    person as (
        select
            leader.region_code,
            leader.year,
            leader.organisation_code,
            attestation.year as attested_in,
            attestation.decided_on,
            attestation.organisation_code as attested_at,
            attestation.position as attested_as,
            attestation.test_percent,
            attestation.project_percent,
            attestation.has_management_education,
            attestation.trained_on
        from leader
        inner join
            attestation
            on leader.region_code = attestation.region_code
            and leader.person_hash = attestation.person_hash
            and attestation.year <= leader.year
    ),

    competence as (
        select distinct on (region_code, year, organisation_code) *
        from person
        where
            num_nonnulls(test_percent, project_percent) > 0
            and attested_in > year - {{ parameter("leader", "competence_years", "year") }}
        order by
            region_code, year, organisation_code, attested_in desc, decided_on desc nulls last, attested_at, attested_as
    ),

    training as (
        select
            region_code,
            year,
            organisation_code,
            bool_or(has_management_education) as has_management_education,
            max(trained_on) filter (where trained_on <= make_date(year, 12, 31)) as trained_on
        from person
        group by region_code, year, organisation_code
    ),

    -- Unknown education or an unknown date leaves the answer unknown, unless the other half already says no.
    trained as (
        select
            region_code,
            year,
            organisation_code,
            has_management_education
            and trained_on
            >= make_date(year - {{ parameter("leader", "training_years", "year") }}::integer, 12, 31) as is_trained
        from training
    ),

    reserve as (
        select region_code, year, organisation_code, bool_or(has_reserve) as has_reserve
        from attestation
        group by region_code, year, organisation_code
    )

select
    region_code,
    year,
    organisation_code,
    'leader_competence' as indicator_code,
    (coalesce(test_percent, 0) + coalesce(project_percent, 0))::numeric(18, 6) as numerator,
    num_nonnulls(test_percent, project_percent)::numeric(18, 6) as denominator,
    1 as n
from competence
union all
select
    region_code,
    year,
    organisation_code,
    'leader_management_training' as indicator_code,
    is_trained::integer::numeric(18, 6) as numerator,
    1::numeric(18, 6) as denominator,
    1 as n
from trained
where is_trained is not null
union all
select
    region_code,
    year,
    organisation_code,
    'leader_reserve' as indicator_code,
    has_reserve::integer::numeric(18, 6) as numerator,
    1::numeric(18, 6) as denominator,
    1 as n
from reserve
where has_reserve is not null
union all
select
    objectivity.region_code,
    objectivity.year,
    objectivity.organisation_code,
    state.indicator_code,
    state.score::numeric(18, 6) as numerator,
    1::numeric(18, 6) as denominator,
    objectivity.markers as n
from {{ ref("int_leader__objectivity") }} as objectivity
inner join
    {{ ref("leader_state") }} as state
    on state.indicator_code = 'leader_objectivity'
    and objectivity.state_code = state.state_code
    and {{ valid_in("state", "objectivity.year", "leader") }}
