with
    attested as (select distinct region_code, year from {{ ref("fct_attestation") }}),

    year_report as (
        select
            region_code,
            year,
            make_date(year, {{ parameter("teacher", "category_month", "year") }}::integer, 1) as reported_on
        from attested
    ),

    teacher as (
        select
            attestation.region_code,
            attestation.year,
            attestation.organisation_code,
            attestation.person_hash,
            bool_or(
                category.is_counted and coalesce(attestation.valid_until >= year_report.reported_on, true)
            ) as has_category
        from {{ ref("fct_attestation") }} as attestation
        inner join
            year_report on attestation.region_code = year_report.region_code and attestation.year = year_report.year
        inner join
            {{ ref("teacher_category") }} as category
            on attestation.category = category.category_code
            and {{ valid_in("category", "attestation.year") }}
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
