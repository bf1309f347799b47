-- Made by `make generate` from rsoko/contracts/sources/observation.yml
select * from {{ ref("stg_observation__observation") }} where {{ only_new_slices("observation") }}
