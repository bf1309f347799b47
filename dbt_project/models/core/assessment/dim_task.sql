{%- set work = "region_code, procedure_code, year, grade, subject_code" -%}
{{
    config(
        indexes=[
            {
                "columns": ["region_code", "procedure_code", "year", "grade", "subject_code", "item_no"],
                "unique": true,
            }
        ],
    )
}}

with
    seen as (select * from {{ ref("int_task__seen") }}),

    catalogue as (select * from {{ ref("int_task__catalogue") }}),

    work as (
        select {{ work }}, count(*) as items
        from seen
        group by {{ work }}
        union all
        select distinct {{ work }}, null::bigint as items
        from catalogue
        where year is not null and ({{ work }}) not in (select {{ work }} from seen)
    ),

    catalogue_work as (select {{ work }}, count(*) as items from catalogue group by {{ work }}),

    -- A catalogue of another year, or of none, is the work's own as long as the results do not contradict it.
    choice as (
        select distinct
            on (work.region_code, work.procedure_code, work.year, work.grade, work.subject_code)
            work.region_code,
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            given.year as catalogue_year
        from work
        inner join
            catalogue_work as given
            on work.region_code = given.region_code
            and work.procedure_code = given.procedure_code
            and work.grade = given.grade
            and work.subject_code = given.subject_code
        where
            given.year = work.year
            or (
                given.items = work.items
                and not exists (
                    select 1
                    from seen
                    left join
                        catalogue
                        on seen.region_code = catalogue.region_code
                        and seen.procedure_code = catalogue.procedure_code
                        and seen.grade = catalogue.grade
                        and seen.subject_code = catalogue.subject_code
                        and seen.item_no = catalogue.item_no
                        and catalogue.year is not distinct from given.year
                    where
                        seen.region_code = work.region_code
                        and seen.procedure_code = work.procedure_code
                        and seen.year = work.year
                        and seen.grade = work.grade
                        and seen.subject_code = work.subject_code
                        and coalesce(
                            seen.seen_max > catalogue.max_score or seen.told_max <> catalogue.max_score,
                            catalogue.item_no is null
                        )
                )
            )
        order by
            work.region_code,
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            case
                when given.year = work.year
                then 1
                when given.year < work.year
                then 2
                when given.year is null
                then 3
                else 4
            end,
            abs(given.year - work.year)
    ),

    told as (
        select
            choice.region_code,
            choice.procedure_code,
            choice.year,
            choice.grade,
            choice.subject_code,
            catalogue.item_no,
            choice.catalogue_year,
            catalogue.item_label,
            catalogue.max_score,
            catalogue.item_kind,
            catalogue.item_level,
            catalogue.skill,
            catalogue.planned_result,
            catalogue.content_code,
            catalogue.requirement_code,
            catalogue.variant_count
        from choice
        inner join
            catalogue
            on choice.region_code = catalogue.region_code
            and choice.procedure_code = catalogue.procedure_code
            and choice.grade = catalogue.grade
            and choice.subject_code = catalogue.subject_code
            and choice.catalogue_year is not distinct from catalogue.year
    ),

    item as (
        select
            region_code,
            procedure_code,
            year,
            grade,
            subject_code,
            item_no,
            coalesce(told.item_label, seen.item_label, item_no::text) as item_label,
            coalesce(told.max_score, seen.told_max, nullif(greatest(seen.seen_max, 0), 0)) as max_score,
            case
                when told.max_score is not null
                then 'catalogue'
                when seen.told_max is not null
                then 'file'
                when seen.seen_max > 0
                then 'seen'
            end as max_score_source,
            coalesce(told.item_kind, seen.told_kind) as stated_kind,
            told.item_level,
            told.skill,
            told.planned_result,
            told.content_code,
            told.requirement_code,
            told.variant_count,
            told.catalogue_year,
            told.item_no is not null as is_in_catalogue
        from seen
        full join told using (region_code, procedure_code, year, grade, subject_code, item_no)
    )

select
    item.region_code,
    item.procedure_code,
    item.year,
    item.grade,
    item.subject_code,
    item.item_no,
    item.item_label,
    item.max_score::smallint as max_score,
    item.max_score_source,
    coalesce(item.stated_kind, rule.item_kind) as item_kind,
    case
        when item.stated_kind is not null then 'stated' when rule.item_kind is not null then 'assumed'
    end as item_kind_status,
    item.item_level,
    item.skill,
    item.planned_result,
    item.content_code,
    item.requirement_code,
    item.variant_count,
    item.is_in_catalogue,
    item.catalogue_year
from item
left join
    lateral(
        select rule.item_kind
        from {{ ref("item_kind_rule") }} as rule
        where
            rule.procedure_code = item.procedure_code
            and {{ valid_in("rule", "item.year") }}
            and item.item_label ~ coalesce(rule.label_pattern, '')
            and item.max_score >= rule.min_max_score
        order by rule.rule_no
        limit 1
    ) as rule
    on true
