with
    -- A tenure is reported under the code that the organisation has on its last day.
    tenure as (
        select region_code, organisation_code as source_organisation_code, person_hash, person_name_hash, ended_on
        from {{ ref("stg_leader__tenure") }}
    ),

    named as (
        select region_code, organisation_code, person_hash, person_name_hash
        from {{ at_organisation("tenure", "coalesce(fact.ended_on, date '9999-12-31')") }} as leader
        union
        select region_code, organisation_code, person_hash, person_name_hash
        from {{ at_organisation(ref("fct_attestation"), in_force_on("leader", "fact.year")) }} as attested
    )

-- Two of one name in one organisation are nobody's second key.
select
    region_code,
    organisation_code,
    person_name_hash,
    min(person_hash) filter (where person_hash <> person_name_hash) as person_hash
from named
where person_name_hash is not null
group by region_code, organisation_code, person_name_hash
having
    count(distinct person_hash) filter (where person_hash <> person_name_hash) = 1
    and bool_or(person_hash = person_name_hash)
