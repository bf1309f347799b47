with
    grouped as (
        select
            region_code,
            year,
            organisation_code,
            group_name,
            max(children) as children,
            bool_or(assessor = 'self') as has_self,
            bool_or(assessor = 'expert') as has_expert
        from {{ at_organisation(ref("fct_preschool_level"), in_force_on("preschool", "fact.year")) }} as level
        group by region_code, year, organisation_code, group_name
    ),

    counted as (
        select
            region_code,
            year,
            organisation_code,
            count(*) filter (where has_self)::integer as self_groups,
            count(*) filter (where has_expert)::integer as expert_groups,
            coalesce(
                sum(children) filter (where group_name <> 'ДОО'), sum(children) filter (where group_name = 'ДОО')
            )::integer as children
        from grouped
        group by region_code, year, organisation_code
    )

select
    region_code,
    year,
    organisation_code,
    self_groups,
    expert_groups,
    children,
    -- A preschool that does not say how many children it has is not lost, but weighs as one child.
    greatest(coalesce(children, 1), 1)::numeric as weight
from counted
