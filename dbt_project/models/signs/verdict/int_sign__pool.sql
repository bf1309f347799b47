with
    judged as (select * from ({{ signs_to_sum() }}) as sign where detector_code <> 'sim_pairs'),

    summed as (
        select
            region_code,
            organisation_code,
            case when grouping(subject_code) = 1 then 'year' else 'subject' end as pool_kind,
            year,
            subject_code,
            detector_code,
            max(year) as last_year,
            count(*) as groups,
            sum(z) / sqrt(count(*)::numeric) as s
        from judged
        group by
            grouping sets (
                (region_code, organisation_code, year, detector_code),
                (region_code, organisation_code, subject_code, detector_code)
            )
    ),

    -- School-years of one year are compared with each other, school-subjects with all school-subjects.
    spread as (
        select
            region_code,
            pool_kind,
            year,
            detector_code,
            -- One for all detectors of a pool: some are seen only in some years.
            max(max(last_year)) over (partition by region_code, pool_kind, year) as last_year,
            count(*) as pools,
            {{ median_and_half_width("s") }}
        from summed
        group by region_code, pool_kind, year, detector_code
    ),

    rescaled as (
        select
            summed.region_code,
            summed.organisation_code,
            summed.pool_kind,
            summed.year,
            summed.subject_code,
            summed.detector_code,
            spread.last_year,
            summed.groups,
            round(
                case
                    when
                        summed.detector_code in ('sim_dup', 'attend')
                        or spread.half_width = 0
                        or spread.pools < {{ parameter("objectivity", "calibration_groups_min", "spread.last_year") }}
                    then summed.s
                    else (summed.s - spread.median) / spread.half_width
                end,
                6
            )::double precision as s
        from summed
        inner join
            spread
            on summed.region_code = spread.region_code
            and summed.pool_kind = spread.pool_kind
            and summed.year is not distinct from spread.year
            and summed.detector_code = spread.detector_code
    ),

    combined as (
        select
            region_code,
            organisation_code,
            pool_kind,
            year,
            subject_code,
            max(groups)::integer as groups,
            (array_agg(detector_code order by s desc, detector_code))[1] as mechanism,
            {{ cauchy_p(student_12_tail("s"), sign_detectors() | length - 1, "last_year") }} as p
        from rescaled
        group by region_code, organisation_code, pool_kind, year, last_year, subject_code
    ),

    ranked as (
        select
            *,
            count(*) over (partition by region_code, pool_kind, year) as family_size,
            rank() over (partition by region_code, pool_kind, year order by p) as rank_in_family
        from combined
    )

select
    region_code,
    organisation_code,
    pool_kind,
    year,
    subject_code,
    groups,
    mechanism,
    p::double precision as p,
    {{ benjamini_hochberg("p", "region_code, pool_kind, year") }}::double precision as q
from ranked
