with
    stat as (select * from {{ ref("int_result__work_stat") }}),

    performed as (
        select
            stat.region_code,
            stat.year,
            stat.organisation_code,
            procedure.low_procedure_code,
            -- ВПР: mark «2»; ОГЭ and ЕГЭ: below the minimum.
            sum(case when stat.procedure_code = 'vpr' then stat.low else stat.below_minimum end) as below,
            sum(case when stat.procedure_code = 'vpr' then stat.marked else stat.judged end) as participants
        from stat
        inner join
            {{ ref("low_results_procedure") }} as procedure
            on stat.procedure_code = procedure.procedure_code
            and stat.grade = procedure.grade
            and stat.subject_code = procedure.subject_code
            and {{ valid_in("procedure", "stat.year") }}
        group by stat.region_code, stat.year, stat.organisation_code, procedure.low_procedure_code
    )

select
    region_code,
    year,
    organisation_code,
    low_procedure_code,
    participants::integer as participants,
    below::integer as below,
    participants >= {{ parameter("low_results", "participants_min", "year") }} as is_counted,
    participants >= {{ parameter("low_results", "participants_min", "year") }}
    and 100 * below >= {{ parameter("low_results", "low_share_min", "year") }} * participants as is_low
from performed
where participants > 0
