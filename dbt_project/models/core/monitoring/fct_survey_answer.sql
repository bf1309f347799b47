-- Made by `make generate` from rsoko/contracts/sources/survey.yml
select * from {{ ref("stg_survey__answer") }} where {{ only_new_slices("survey") }}
