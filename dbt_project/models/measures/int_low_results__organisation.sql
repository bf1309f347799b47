with
    procedure as (select * from {{ ref("int_low_results__procedure") }} where is_counted),

    followed as (
        select
            procedure.region_code,
            procedure.year,
            procedure.organisation_code,
            procedure.is_low,
            procedure.is_low and coalesce(previous.is_low, false) as is_low_again
        from procedure
        left join
            procedure as previous
            on procedure.region_code = previous.region_code
            and procedure.organisation_code = previous.organisation_code
            and procedure.low_procedure_code = previous.low_procedure_code
            and procedure.year = previous.year + 1
    ),

    counted as (
        select
            region_code,
            year,
            organisation_code,
            count(*) as procedures,
            count(*) filter (where is_low) as low_procedures,
            count(*) filter (where is_low_again) as procedures_low_again
        from followed
        group by region_code, year, organisation_code
    ),

    ruled as (
        select
            *,
            low_procedures >= {{ parameter("low_results", "procedures_min", "year") }} as is_low_in_several,
            procedures_low_again > 0 as is_low_again,
            {{ parameter("low_results", "rules_min", "year") }} as rules_min
        from counted
    )

select
    region_code,
    year,
    organisation_code,
    procedures::integer as procedures,
    low_procedures::integer as low_procedures,
    procedures_low_again::integer as procedures_low_again,
    is_low_in_several,
    is_low_again,
    is_low_in_several::integer + is_low_again::integer >= rules_min as is_low_results,
    is_low_in_several::integer + is_low_again::integer < rules_min and low_procedures > 0 as is_at_risk
from ruled
