with
    cell as (
        select
            region_code,
            test_id,
            variant,
            short_points,
            sum(participants) as participants,
            sum(participants * expert_points) as points,
            sum(participants * expert_points * expert_points) as points_squared
        from {{ ref("int_sign__expert_count") }}
        group by region_code, test_id, variant, short_points
    ),

    smoothed as (
        select
            cell.region_code,
            cell.test_id,
            cell.variant,
            (cell.short_points + shift.by)::smallint as short_points,
            sum(case when shift.by = 0 then cell.participants else 0 end)::integer as participants,
            sum(cell.participants * shift.weight) as weight,
            sum(cell.points * shift.weight) as points,
            sum(cell.points_squared * shift.weight) as points_squared
        from cell
        cross join (values (-1, 1), (0, 2), (1, 1)) as shift(by, weight)
        group by cell.region_code, cell.test_id, cell.variant, cell.short_points + shift.by
    )

select
    region_code,
    test_id,
    variant,
    short_points,
    participants,
    round(points / weight, 6) as expected_points,
    round(points_squared / weight - (points / weight) * (points / weight), 6) as points_variance
from smoothed
where participants > 0
