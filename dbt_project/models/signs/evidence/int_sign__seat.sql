{{
    config(
        indexes=[{"columns": ["region_code", "slice_id", "load_id"]}],
    )
}}

with
    room as (
        select distinct region_code, slice_id, load_id, station_code, room_code
        from {{ ref("int_result__score_count") }}
        where station_code is not null and room_code is not null
    ),

    placed as (
        select
            test.region_code,
            test.test_id,
            test.unit_kind,
            slice.slice_id,
            slice.load_id,
            case when test.unit_kind = 'organisation' then slice.organisation_code end as organisation_code,
            case when test.unit_kind = 'room' then slice.exam_date end as exam_date,
            room.station_code,
            room.room_code
        from {{ ref("int_sign__slice") }} as slice
        inner join {{ ref("int_sign__test") }} as test using (region_code, procedure_code, year, grade, subject_code)
        left join
            room
            on test.unit_kind = 'room'
            and slice.region_code = room.region_code
            and slice.slice_id = room.slice_id
            and slice.load_id = room.load_id
        where test.unit_kind = 'organisation' or room.room_code is not null
    )

select
    region_code,
    test_id,
    unit_kind,
    slice_id,
    load_id,
    organisation_code,
    exam_date,
    station_code,
    room_code,
    dense_rank() over (
        partition by region_code, test_id order by organisation_code, exam_date, station_code, room_code
    )::integer as group_no
from placed
