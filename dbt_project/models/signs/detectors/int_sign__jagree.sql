with
    summed as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            test.outlier_ratio,
            sum(counted.participants) as n,
            coalesce(sum(counted.participants) filter (where counted.mark = counted.journal_mark), 0) as agreed,
            sum(counted.participants * share.share) as expected,
            sum(counted.participants * share.share * (1 - share.share)) as v
        from {{ ref("int_sign__score_count") }} as counted
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join
            {{ ref("int_sign__journal_share") }} as share
            on groups.region_code = share.region_code
            and groups.test_id = share.test_id
            and groups.level_band = share.level_band
            and counted.journal_mark = share.journal_mark
        where counted.participation = 'present' and counted.mark is not null
        group by groups.region_code, groups.test_id, groups.group_no, test.n_min, test.outlier_ratio
        having sum(counted.participants) >= test.n_min
    ),

    work as (
        select region_code, test_id, {{ excess_variance("(agreed - expected)", "v", "outlier_ratio") }} as omega
        from summed
        group by region_code, test_id
    )

select
    summed.region_code,
    summed.test_id,
    summed.group_no,
    summed.n::integer as n,
    summed.agreed::integer as agreed,
    round(summed.expected, 6) as expected,
    round((summed.agreed - summed.expected) / sqrt(summed.v + work.omega * summed.v * summed.v), 6) as z
from summed
inner join work using (region_code, test_id)
