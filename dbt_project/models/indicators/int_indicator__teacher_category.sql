with
    teacher as (
        select
            attestation.region_code,
            attestation.year,
            attestation.organisation_code,
            attestation.person_hash,
            bool_or(
                category.is_counted
                and coalesce(attestation.valid_until >= {{ in_force_on("leader", "attestation.year") }}, true)
            ) as has_category
        from {{ ref("int_person__attestation") }} as attestation
        inner join
            {{ ref("teacher_category") }} as category
            on attestation.category = category.category_code
            and {{ valid_in("category", "attestation.year", "leader") }}
        where attestation.person_role = 'teacher'
        group by attestation.region_code, attestation.year, attestation.organisation_code, attestation.person_hash
    )

select
    region_code,
    year,
    organisation_code,
    'teacher_category_share' as indicator_code,
    count(*) filter (where has_category)::numeric(18, 6) as numerator,
    count(*)::numeric(18, 6) as denominator,
    count(*)::integer as n
from teacher
group by region_code, year, organisation_code
