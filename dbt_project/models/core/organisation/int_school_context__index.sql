with
    context as (select * from {{ ref("int_school_context__year") }}),

    answered as (
        select
            context.region_code,
            context.organisation_code,
            context.year,
            component.component_code,
            component.value::double precision as value
        from context
        cross join
            lateral(
                values
                    (
                        'adapted_share',
                        case
                            when
                                coalesce(cohort_adapted <= cohort_pupils, true)
                                and coalesce(cohort_adapted_2 <= cohort_pupils_2, true)
                            then
                                (cohort_adapted + coalesce(cohort_adapted_2, 0))::numeric
                                / nullif(cohort_pupils + coalesce(cohort_pupils_2, 0), 0)
                        end
                    ),
                    -- A school in the large city itself is not asked how far it is.
                    ('remoteness', coalesce(remoteness, case when settlement_size >= 6 then 0 end)),
                    ('parents_at_meetings', parents_at_meetings),
                    ('parents_at_events', parents_at_events),
                    ('parents_help', parents_help),
                    (
                        'teachers_qualified_share',
                        case
                            when teachers_qualified <= teachers then teachers_qualified::numeric / nullif(teachers, 0)
                        end
                    )
            ) as component(component_code, value)
        where component.value is not null
    ),

    standard as (
        select *, (value - avg(value) over peers) / nullif(stddev_samp(value) over peers, 0) as z
        from answered
        window peers as (partition by region_code, year, component_code)
    ),

    -- Weights of the components that the year's questionnaires ask for at all.
    asked as (
        select standard.region_code, standard.year, sum(abs(component.weight)) as weight
        from (select distinct region_code, year, component_code from standard where z is not null) as standard
        inner join
            {{ ref("social_index_component") }} as component
            on standard.component_code = component.component_code
            and {{ valid_in("component", "standard.year") }}
        group by standard.region_code, standard.year
    ),

    weighted as (
        select
            standard.region_code,
            standard.organisation_code,
            standard.year,
            sum(component.weight * standard.z) / sum(abs(component.weight)) as raw_index
        from standard
        inner join
            {{ ref("social_index_component") }} as component
            on standard.component_code = component.component_code
            and {{ valid_in("component", "standard.year") }}
        inner join asked on standard.region_code = asked.region_code and standard.year = asked.year
        where standard.z is not null
        group by standard.region_code, standard.organisation_code, standard.year, asked.weight
        having
            sum(abs(component.weight))
            >= asked.weight * {{ parameter("school_context", "index_min_share", "standard.year") }}::numeric
    ),

    -- An index the region itself computed comes before ours; either is standardised among the schools of its year.
    given as (
        select region_code, organisation_code, year, 'given' as index_source, social_index::double precision as value
        from context
        where social_index is not null
        union all
        select region_code, organisation_code, year, 'computed' as index_source, raw_index as value
        from weighted
    ),

    scaled as (
        select
            *,
            case
                when count(*) over peers > 1
                then (value - avg(value) over peers) / nullif(stddev_samp(value) over peers, 0)
            end as social_index
        from given
        window peers as (partition by region_code, year, index_source)
    )

select distinct
    on (region_code, organisation_code, year)
    region_code,
    organisation_code,
    year,
    round(social_index::numeric, 4) as social_index,
    index_source
from scaled
where social_index is not null
order by region_code, organisation_code, year, index_source desc
