with
    measured as (
        select
            stat.region_code,
            stat.year,
            stat.organisation_code,
            stat.procedure_code,
            stat.grade,
            stat.subject_code,
            measured.measure,
            measured.numerator,
            measured.denominator
        from {{ ref("int_result__work_stat") }} as stat
        cross join
            lateral(
                values
                    ('completion', stat.sum_completion, stat.scored_with_max),
                    ('low', stat.low::numeric, stat.marked),
                    ('high', stat.high::numeric, stat.marked),
                    ('lowered', stat.lowered::numeric, stat.compared),
                    ('confirmed', stat.confirmed::numeric, stat.compared),
                    ('absent', stat.absent::numeric, stat.listed),
                    ('passed', stat.passed::numeric, stat.judged),
                    ('test_score', stat.sum_test_score::numeric, stat.tested)
            ) as measured(measure, numerator, denominator)
        where measured.denominator > 0
    )

select
    measured.region_code,
    measured.year,
    measured.organisation_code,
    indicator.indicator_code,
    sum(measured.numerator) as numerator,
    sum(measured.denominator)::numeric as denominator,
    sum(measured.denominator)::integer as n
from measured
inner join
    {{ ref("indicator_result") }} as indicator
    on measured.procedure_code = indicator.procedure_code
    and measured.measure = indicator.measure
    and measured.grade = coalesce(indicator.grade, measured.grade)
    and measured.subject_code = coalesce(indicator.subject_code, measured.subject_code)
group by measured.region_code, measured.year, measured.organisation_code, indicator.indicator_code
