{{
    config(
        indexes=[{"columns": ["region_code", "year", "organisation_code"]}],
        post_hook="analyze {{ this }}",
    )
}}

with
    score_count as (
        select
            region_code,
            procedure_code,
            year,
            grade,
            subject_code,
            code_system,
            source_organisation_code,
            participation,
            primary_score,
            max_score,
            mark,
            journal_mark,
            null::smallint as test_score,
            participants
        from {{ ref("int_vpr__score_count") }}
        union all
        select
            region_code,
            procedure_code,
            year,
            grade,
            subject_code,
            code_system,
            source_organisation_code,
            participation,
            primary_score,
            null::smallint as max_score,
            mark,
            null::smallint as journal_mark,
            test_score,
            count(*)::integer as participants
        from {{ ref("int_gia__result") }}
        group by
            region_code,
            procedure_code,
            year,
            grade,
            subject_code,
            code_system,
            source_organisation_code,
            participation,
            primary_score,
            mark,
            test_score
    ),

    work as (
        select distinct procedure_code, year, grade, subject_code
        from score_count
    ),

    -- A university threshold stands in where the subject is no condition of the certificate.
    threshold as (
        select distinct on (work.procedure_code, work.year, work.grade, work.subject_code)
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            threshold.scale,
            threshold.min_value
        from work
        inner join
            {{ ref("exam_threshold") }} as threshold
            on work.procedure_code = threshold.procedure_code
            and work.subject_code = threshold.subject_code
            and {{ valid_in("threshold", "work.year") }}
        order by
            work.procedure_code, work.year, work.grade, work.subject_code, threshold.threshold_kind <> 'certificate'
    ),

    scale as (
        select
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            scale.max_score,
            scale.min_score_3,
            scale.min_score_4,
            scale.min_score_5,
            threshold.scale as threshold_scale,
            threshold.min_value as threshold_value
        from work
        left join
            {{ ref("work_scale") }} as scale
            on work.procedure_code = scale.procedure_code
            and work.grade = scale.grade
            and work.subject_code = scale.subject_code
            and {{ valid_in("scale", "work.year") }}
        left join
            threshold
            on work.procedure_code = threshold.procedure_code
            and work.year = threshold.year
            and work.grade = threshold.grade
            and work.subject_code = threshold.subject_code
    ),

    scored as (
        select
            score_count.region_code,
            score_count.procedure_code,
            score_count.year,
            score_count.grade,
            score_count.subject_code,
            codes.organisation_code,
            score_count.participants,
            score_count.participation,
            case when score_count.participation = 'present' then score_count.primary_score end as primary_score,
            coalesce(score_count.max_score, scale.max_score) as max_score,
            case
                when score_count.participation <> 'present'
                then null
                when score_count.mark is not null
                then score_count.mark
                when score_count.primary_score is null or scale.min_score_3 is null
                then null
                when score_count.max_score <> scale.max_score
                then null
                else
                    2
                    + (score_count.primary_score >= scale.min_score_3)::integer
                    + (score_count.primary_score >= scale.min_score_4)::integer
                    + (score_count.primary_score >= scale.min_score_5)::integer
            end as mark,
            score_count.journal_mark,
            score_count.test_score,
            case scale.threshold_scale
                when 'test_score' then score_count.test_score when 'mark' then score_count.mark
            end as judged_value,
            scale.threshold_value
        from score_count
        inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("score_count", "codes") }}
        inner join
            scale
            on score_count.procedure_code = scale.procedure_code
            and score_count.year = scale.year
            and score_count.grade = scale.grade
            and score_count.subject_code = scale.subject_code
    )

select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    organisation_code,
    sum(participants)::integer as listed,
    coalesce(sum(participants) filter (where participation = 'present'), 0)::integer as present,
    coalesce(sum(participants) filter (where participation = 'absent'), 0)::integer as absent,
    coalesce(sum(participants) filter (where primary_score is not null), 0)::integer as scored,
    coalesce(sum(participants * primary_score), 0)::bigint as sum_score,
    coalesce(sum(participants * primary_score::bigint * primary_score), 0)::bigint as sum_score_squared,
    coalesce(sum(participants) filter (where primary_score is not null and max_score > 0), 0)::integer
    as scored_with_max,
    coalesce(
        sum(round(primary_score::numeric / max_score, 12) * participants) filter (where max_score > 0), 0
    ) as sum_completion,
    coalesce(sum(participants) filter (where mark is not null), 0)::integer as marked,
    coalesce(sum(participants) filter (where mark = 2), 0)::integer as low,
    coalesce(sum(participants) filter (where mark >= 4), 0)::integer as good,
    coalesce(sum(participants) filter (where mark = 5), 0)::integer as high,
    coalesce(sum(participants) filter (where mark is not null and journal_mark is not null), 0)::integer as compared,
    coalesce(sum(participants) filter (where mark < journal_mark), 0)::integer as lowered,
    coalesce(sum(participants) filter (where mark = journal_mark), 0)::integer as confirmed,
    coalesce(sum(participants) filter (where mark > journal_mark), 0)::integer as raised,
    coalesce(sum(participants) filter (where judged_value is not null), 0)::integer as judged,
    coalesce(sum(participants) filter (where judged_value >= threshold_value), 0)::integer as passed,
    coalesce(sum(participants) filter (where judged_value < threshold_value), 0)::integer as below_minimum,
    coalesce(sum(participants) filter (where test_score is not null), 0)::integer as tested,
    coalesce(sum(participants * test_score), 0)::bigint as sum_test_score
from scored
group by region_code, procedure_code, year, grade, subject_code, organisation_code
