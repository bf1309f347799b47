with
    year_scale as (
        select
            region_code,
            year,
            {{ parameter("survey", "scale_min", "year") }} as scale_min,
            {{ parameter("survey", "scale_max", "year") }} as scale_max,
            {{ parameter("survey", "top_min", "year") }} as top_min,
            {{ parameter("survey", "bottom_max", "year") }} as bottom_max
        from (select distinct region_code, year from {{ ref("fct_survey_answer") }}) as surveyed
    ),

    respondent as (
        select
            answer.region_code, answer.year, answer.organisation_code, answer.respondent_group, count(*) as respondents
        from {{ at_organisation(ref("fct_survey_answer"), in_force_on("survey", "fact.year")) }} as answer
        inner join year_scale on answer.region_code = year_scale.region_code and answer.year = year_scale.year
        where greatest({{ answer_columns() | join(", ") }}) >= year_scale.scale_min
        group by answer.region_code, answer.year, answer.organisation_code, answer.respondent_group
    ),

    answer_count as (
        select
            item.region_code,
            item.year,
            item.organisation_code,
            item.respondent_group,
            count(*) as answers,
            count(*) filter (where item.answer >= year_scale.top_min) as top,
            count(*) filter (where item.answer <= year_scale.bottom_max) as bottom,
            sum(item.answer - year_scale.scale_min) as above_min,
            year_scale.scale_max - year_scale.scale_min as scale_length
        from {{ at_organisation(ref("fct_survey_answer_item"), in_force_on("survey", "fact.year")) }} as item
        inner join year_scale on item.region_code = year_scale.region_code and item.year = year_scale.year
        -- Zero (hard to say) and unreadable cells lie below the scale.
        where item.answer between year_scale.scale_min and year_scale.scale_max
        group by
            item.region_code,
            item.year,
            item.organisation_code,
            item.respondent_group,
            year_scale.scale_max,
            year_scale.scale_min
    )

select
    answer_count.region_code,
    answer_count.year,
    answer_count.organisation_code,
    'survey_' || answer_count.respondent_group || '_' || measure.suffix as indicator_code,
    measure.numerator::numeric(18, 6) as numerator,
    measure.denominator::numeric(18, 6) as denominator,
    respondent.respondents::integer as n
from answer_count
inner join
    respondent
    on answer_count.region_code = respondent.region_code
    and answer_count.year = respondent.year
    and answer_count.organisation_code = respondent.organisation_code
    and answer_count.respondent_group = respondent.respondent_group
cross join
    lateral(
        values
            ('t2b', answer_count.top, answer_count.answers),
            ('b2b', answer_count.bottom, answer_count.answers),
            ('index', answer_count.above_min, answer_count.answers * answer_count.scale_length),
            ('net', answer_count.top - answer_count.bottom, answer_count.answers)
    ) as measure(suffix, numerator, denominator)
