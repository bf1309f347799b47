-- Made by `make generate` from rsoko/contracts/sources/objectivity_explanation.yml
select *
from {{ ref("stg_objectivity_explanation__explanation") }}
where {{ only_new_slices("objectivity_explanation") }}
