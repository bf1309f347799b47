{%- set answers = answer_columns() | join(", ") -%}
with
    limits as (
        select
            region_code,
            year,
            {{ parameter("survey", "scale_min", "year") }} as scale_min,
            {{ parameter("survey", "scale_max", "year") }} as scale_max,
            {{ parameter("control", "survey_answers_min", "year") }} as answers_min,
            {{ parameter("control", "survey_rapid_seconds", "year") }} as rapid_seconds
        from (select distinct region_code, year from {{ ref("fct_survey_answer") }}) as surveyed
    ),

    form as (
        select
            answer.region_code,
            answer.year,
            answer.survey_code,
            answer.organisation_code,
            answer.respondent_group,
            answer.respondent_no,
            answer.answered_at,
            array[{{ answers }}] as pattern,
            given.answers >= limits.answers_min as is_judged,
            given.lowest = given.highest as is_straight,
            limits.rapid_seconds
        from {{ at_organisation(ref("fct_survey_answer"), in_force_on("survey", "fact.year")) }} as answer
        inner join limits on answer.region_code = limits.region_code and answer.year = limits.year
        cross join
            lateral(
                select count(*) as answers, min(answer) as lowest, max(answer) as highest
                from unnest(array[{{ answers }}]) as given(answer)
                where answer between limits.scale_min and limits.scale_max
            ) as given
    ),

    compared as (
        select
            *,
            row_number() over (
                partition by region_code, year, survey_code, organisation_code, respondent_group, pattern
                order by respondent_no
            ) as copy_no,
            extract(
                epoch
                from
                    answered_at - lag(answered_at) over (
                        partition by region_code, year, survey_code, organisation_code, respondent_group
                        order by answered_at, respondent_no
                    )
            ) as seconds_apart
        from form
    )

select
    region_code,
    year,
    survey_code,
    organisation_code,
    respondent_group,
    count(*)::integer as forms,
    count(*) filter (where is_judged)::integer as judged,
    count(*) filter (where is_judged and is_straight)::integer as straight,
    -- One of equal forms is the original; those of one digit are counted already.
    count(*) filter (where is_judged and not is_straight and copy_no > 1)::integer as copied,
    count(*) filter (where seconds_apart is not null)::integer as timed,
    count(*) filter (where seconds_apart <= rapid_seconds)::integer as rapid
from compared
group by region_code, year, survey_code, organisation_code, respondent_group
