{#- Without the hint: more than 45 s instead of 0.3. -#}
{{
    config(
        indexes=[{"columns": ["region_code", "organisation_code", "year"]}],
        pre_hook="{{ hash_joins() }}",
    )
}}

{%- set work = "region_code, organisation_code, procedure_code, year, grade, subject_code" -%}
with
    flagged as (
        select
            region_code,
            organisation_code,
            'vpr' as procedure_code,
            year,
            grade,
            subject_code,
            flag,
            n,
            score,
            p,
            q,
            pool_q,
            mechanism,
            is_observed
        from {{ ref("mart_objectivity__sign") }}
        where flag in ('red', 'amber')
        union all
        select
            region_code,
            organisation_code,
            procedure_code,
            year,
            grade,
            subject_code,
            flag,
            n,
            score,
            p,
            q,
            null::double precision as pool_q,
            mechanism,
            false as is_observed
        from {{ ref("mart_objectivity__exam_sign") }}
        where flag in ('red', 'amber')
    ),

    -- The fourteen markers name a work or, for changes between years, the later of two.
    official as (
        select
            marked.region_code,
            marked.organisation_code,
            marker.procedure_code,
            marked.year,
            marker.grade,
            marker.subject_code,
            count(*) as checked,
            count(*) filter (where marked.is_marked) as marked
        from {{ ref("mart_objectivity__marker") }} as marked
        inner join
            {{ ref("objectivity_marker") }} as marker
            on marked.marker_code = marker.marker_code
            and {{ valid_in("marker", "marked.year") }}
        group by
            marked.region_code,
            marked.organisation_code,
            marker.procedure_code,
            marked.year,
            marker.grade,
            marker.subject_code
    ),

    listed as (
        select
            region_code,
            organisation_code,
            'vpr' as procedure_code,
            year,
            grade,
            subject_code,
            bool_or(is_listed) as is_listed
        from {{ at_organisation(ref("fct_federal_listing"), in_force_on("assessment", "fact.year")) }} as listing
        group by region_code, organisation_code, year, grade, subject_code
    ),

    rechecked as (select 'vpr' as procedure_code, recheck.* from {{ ref("int_recheck__group") }} as recheck),

    -- What the leading sign is made of, beside what is usual.
    measured as (
        select
            groups.region_code,
            groups.organisation_code,
            test.procedure_code,
            test.year,
            test.grade,
            test.subject_code,
            expgap.resid as expert_excess,
            jagree.n as journal_compared,
            jagree.agreed as journal_agreed,
            jagree.expected as journal_expected,
            attend.expected_absent,
            attend.mark_gap as absent_mark_gap
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        left join {{ ref("int_sign__expgap") }} as expgap using (region_code, test_id, group_no)
        left join {{ ref("int_sign__jagree") }} as jagree using (region_code, test_id, group_no)
        left join {{ ref("int_sign__attend") }} as attend using (region_code, test_id, group_no)
        where test.unit_kind = 'organisation'
    ),

    organisation as (
        select distinct
            on (known.region_code, known.organisation_code)
            known.region_code,
            known.organisation_code,
            known.organisation_name,
            municipality.municipality_name
        from {{ ref("dim_organisation") }} as known
        left join
            {{ ref("dim_municipality") }} as municipality
            on known.region_code = municipality.region_code
            and known.municipality_code = municipality.municipality_code
        order by known.region_code, known.organisation_code, known.valid_from desc
    )

select
    flagged.region_code,
    flagged.organisation_code,
    flagged.procedure_code,
    flagged.year,
    flagged.grade,
    flagged.subject_code,
    procedure.title as procedure_title,
    organisation.organisation_name,
    organisation.municipality_name,
    subject.title as subject_title,
    flagged.flag,
    flagged.n,
    flagged.score,
    flagged.p,
    flagged.q,
    flagged.pool_q,
    coalesce(flagged.pool_q <= {{ parameter("objectivity", "red_q", "flagged.year") }}, false) as is_pooled,
    flagged.mechanism,
    mechanism.title as mechanism_title,
    mechanism.seen,
    mechanism.honest_reason,
    mechanism.how_to_answer,
    round(measured.expert_excess, 6)::numeric(18, 6) as expert_excess,
    measured.journal_compared,
    measured.journal_agreed,
    measured.journal_expected::numeric(18, 6) as journal_expected,
    measured.expected_absent::numeric(18, 6) as expected_absent,
    measured.absent_mark_gap::numeric(18, 6) as absent_mark_gap,
    flagged.is_observed,
    coalesce(official.checked, 0)::integer as official_checked,
    coalesce(official.marked, 0)::integer as official_marked,
    listed.is_listed as is_listed_federal,
    explained.reason_code as explanation_reason,
    explained.public_comment as explanation_comment,
    explained.decision as explanation_decision,
    explained.decided_on,
    rechecked.works as recheck_works,
    rechecked.raised as recheck_raised,
    rechecked.lowered as recheck_lowered,
    rechecked.sum_difference as recheck_sum_difference
from flagged
left join organisation using (region_code, organisation_code)
left join official using ({{ work }})
left join listed using ({{ work }})
left join measured using ({{ work }})
left join {{ ref("int_objectivity__explanation") }} as explained using ({{ work }})
left join rechecked using ({{ work }})
inner join {{ ref("dim_procedure") }} as procedure on flagged.procedure_code = procedure.procedure_code
inner join {{ ref("dim_subject") }} as subject on flagged.subject_code = subject.subject_code
inner join
    {{ ref("objectivity_mechanism") }} as mechanism
    on flagged.mechanism = mechanism.mechanism
    and {{ valid_in("mechanism", "flagged.year") }}
