{{ config(severity="warn") }}

-- The supplier should give the date on which the predecessor left, or correct it: here the successor's start cut the
-- spell.
select region_code, organisation_code, person_hash, valid_from, ended_on, valid_to, load_id, row_no
from {{ ref("dim_leader_tenure") }}
where is_cut_by_successor
