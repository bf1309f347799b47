"""Expectation classes of the field, for Great Expectations 1.x on PostgreSQL.

Each class says in SQL which rows of a load break it. Great Expectations bundles the counts of all expectations of a
suite into one statement (metric `load.violations` next to its own `table.row_count`) and decides; the same SQL then
names the rows. The built-in column map expectations are not used: for a query batch they fetch all rows to learn the
column types.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import ceil
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.core.result_format import ResultFormat
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import parse_result_format
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from rsoko.contracts.organisation import REGISTER_CODES, code_system

_VIOLATIONS, _ROWS = "load.violations", "table.row_count"

Maxima = list[tuple[dict[str, Any], dict[str, int]]]
"""[({work column: value}, {item column: maximum}), …]: what each work of a load allows."""

Scale = list[tuple[dict[str, Any], list[tuple[int, int, int]]]]
"""[({work column: value}, [(mark, lowest score, highest score), …]), …]."""


Limits = list[tuple[dict[str, Any], int]]
"""[({work column: value}, maximum primary score), …]."""


Slices = list[tuple[int, int]]
"""[(load id, slice id), …]."""


class LoadViolations(TableMetricProvider):
    """Number of rows that break an expectation; its value key is the SQL aggregate that counts them."""

    metric_name = _VIOLATIONS
    value_keys = ("count",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, metrics: Any,
        runtime_configuration: Any,
    ) -> Any:  # fmt: skip
        return sa.literal_column(metric_value_kwargs["count"]), metric_domain_kwargs, {}


@dataclass(frozen=True)
class Cell:
    """A cell that may be at fault: its column, the SQL condition, and SQL of the values that the message quotes."""

    column: str | None
    condition: str
    values: dict[str, str] = field(default_factory=dict)


class LoadExpectation(BatchExpectation, ABC):
    """Base of our expectations. `tolerance` is the share of rows that may break it before it fails.

    A subclass gives `cells()`: where a row breaks it. A row breaks it when any of its cells does.
    """

    table: str
    tolerance: float = 0.0

    success_keys: ClassVar[tuple[str, ...]] = ("tolerance",)

    @abstractmethod
    def cells(self) -> list[Cell]:
        """The cells of a row that may be at fault."""

    def violation(self) -> str:
        """SQL condition, true for a row that breaks the expectation."""
        return " or ".join(f"({cell.condition})" for cell in self.cells())

    def count(self) -> str:
        """SQL aggregate over the rows of a load: how many break the expectation."""
        return f"count(*) filter (where {self.violation()})"

    def naming(self, load_id: int) -> str:
        """SQL that names what is wrong: place (ctid), sheet, row_no, column_name, fields (jsonb), in file order."""
        cells = ", ".join(
            f"({literal(cell.column)}, {cell.condition}, jsonb_build_object({_pairs(cell.values)}))"
            for cell in self.cells()
        )
        return (
            f"select batch.ctid as place, sheet, row_no, column_name, fields from {self.table} as batch "
            f"cross join lateral (values {cells}) as cell (column_name, is_broken, fields) "
            f"where load_id = {load_id} and ({self.violation()}) and is_broken order by sheet, row_no, column_name"
        )

    def get_validation_dependencies(
        self, execution_engine: Any = None, runtime_configuration: dict[str, Any] | None = None
    ) -> ValidationDependencies:
        # The inherited way would ask for the same two metrics; on a small load it takes longer than the query does.
        result_format = (runtime_configuration or {}).get("result_format", ResultFormat.BASIC)
        dependencies = ValidationDependencies({}, parse_result_format(result_format))
        domain = {"batch_id": self.batch_id}
        for name, values in ((_VIOLATIONS, {"count": self.count()}), (_ROWS, None)):
            dependencies.set_metric_configuration(name, MetricConfiguration(name, domain, values))
        return dependencies

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        violations, rows = metrics[_VIOLATIONS], metrics[_ROWS]
        return {
            "success": violations <= allowed(self.tolerance, rows),
            "result": {"observed_value": violations, "element_count": rows},
        }


def allowed(tolerance: float, rows: int) -> int:
    """How many of `rows` may be bad: a small file may have one bad row wherever a large one may have any."""
    return ceil(tolerance * rows - 1e-9)


def literal(value: Any) -> str:
    """A Python value as an SQL literal."""
    if value is None:
        return "null::text"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"'{name}', {expression}" for name, expression in values.items())


# --- generic: what the contract says of a column ----------------------------------------------------------------------


class ExpectRequiredValue(LoadExpectation):
    """A required column is filled."""

    column: str

    def cells(self) -> list[Cell]:
        return [Cell(self.column, f"{self.column} is null")]


class ExpectValueInRange(LoadExpectation):
    """A number lies between the bounds; an empty cell passes."""

    column: str
    minimum: float
    maximum: float

    def cells(self) -> list[Cell]:
        condition = f"{self.column} not between {self.minimum:g} and {self.maximum:g}"
        return [Cell(self.column, condition, {"value": self.column})]


class ExpectValueInVocabulary(LoadExpectation):
    """A coded column holds a canonical value of its vocabulary; an empty cell passes."""

    column: str
    values: list[str]

    def cells(self) -> list[Cell]:
        return [Cell(self.column, f"{self.column} not in ({', '.join(map(literal, self.values))})")]


# --- the field --------------------------------------------------------------------------------------------------------


class ExpectKeyUnique(LoadExpectation):
    """No two rows of the load have the same key.

    Of rows that repeat each other word for word the first stays; of rows that contradict each other none does.
    """

    load_id: int | SuiteParameterDict
    proven: bool | SuiteParameterDict
    """The reader's own count says so: no need to sort the load once more."""
    key: list[str]
    seed: str = "0"
    """Column that already stands for a part of the key (`slice_id`): the fewer texts to hash, the faster."""

    def _hash(self) -> str:
        expression = self.seed
        for column in self.key:
            expression = f"hashtextextended(coalesce({column}::text, ''), {expression})"
        return expression

    def cells(self) -> list[Cell]:
        return []

    def count(self) -> str:
        if self.proven:
            return "0"
        # A subquery of its own leaves the rest of the statement to parallel workers; `count(distinct …)` would not.
        return (
            f"(select coalesce(sum(copies - 1), 0) from (select count(*) as copies from {self.table} "
            f"where load_id = {self.load_id} group by {self._hash()} having count(*) > 1) as repeated)"
        )

    def naming(self, load_id: int) -> str:
        key = ", ".join(self.key if self.seed == "0" else [self.seed, *self.key])
        hashed = self._hash()
        return f"""
            with suspected as (
                select batch.ctid as place, {key}, sheet, row_no,
                    (to_jsonb(batch) - 'sheet' - 'row_no')::text as content
                from {self.table} as batch
                where load_id = {load_id} and {hashed} in (
                    select {hashed} from {self.table} where load_id = {load_id} group by 1 having count(*) > 1
                )
            ),
            judged as (
                select *,
                    min(content) over same_key = max(content) over same_key as is_same,
                    row_number() over in_order as copy_no,
                    first_value(row_no) over in_order as first_row,
                    nth_value(row_no, 2) over in_order as second_row
                from suspected
                window same_key as (partition by {key}),
                    in_order as (
                        partition by {key} order by sheet, row_no
                        rows between unbounded preceding and unbounded following
                    )
            )
            select place, sheet, row_no, null::text as column_name,
                jsonb_build_object(
                    'repeat', case when is_same then 'повторяет слово в слово строку ' else 'противоречит строке ' end
                        || case when copy_no = 1 then second_row else first_row end
                        || case when is_same then '' else ': ключ один, данные разные' end
                ) as fields
            from judged
            where second_row is not null and (not is_same or copy_no > 1)
            order by sheet, row_no
        """


class ExpectItemsWithinMaximum(LoadExpectation):
    """No item score is over the maximum of its item in that work."""

    maxima: Maxima | SuiteParameterDict

    def _groups(self) -> list[tuple[str, dict[str, int]]]:
        """(condition of the works, maxima) with works of equal maxima together; one group needs no condition."""
        groups: dict[tuple[tuple[str, int], ...], list[str]] = {}
        for work, maxima in self.maxima:
            groups.setdefault(tuple(sorted(maxima.items())), []).append(_is_work(work))
        if len(groups) == 1:
            return [("true", dict(next(iter(groups))))]
        return [(f"({' or '.join(works)})", dict(maxima)) for maxima, works in groups.items()]

    def violation(self) -> str:
        parts = []
        for works, maxima in self._groups():
            items = " or ".join(f"{item} > {maximum}" for item, maximum in maxima.items())
            parts.append(f"({items})" if works == "true" else f"({works} and ({items}))")
        return " or ".join(parts) or "false"

    def cells(self) -> list[Cell]:
        groups = self._groups()
        names = dict.fromkeys(item for _, maxima in groups for item in maxima)
        cells = []
        for item in names:
            whens = " ".join(f"when {works} then {maxima[item]}" for works, maxima in groups if item in maxima)
            bound = f"case {whens} end"
            cells.append(Cell(item, f"{item} > {bound}", {"value": item, "bound": bound}))
        return cells


class ExpectTotalEqualsItems(LoadExpectation):
    """The reported total differs from the sum of the items by no more than `difference` points."""

    reported: str
    computed: str
    difference: int = 0

    def cells(self) -> list[Cell]:
        condition = f"abs({self.reported} - {self.computed}) > {self.difference}"
        return [Cell(self.reported, condition, {"value": self.reported, "bound": self.computed})]


class ExpectScoreWithinMaximum(LoadExpectation):
    """A score is not over the maximum of the work: the one its file tells, else the seeded one of that year."""

    score: str
    maximum: str
    limits: Limits | SuiteParameterDict

    def cells(self) -> list[Cell]:
        seeded = " ".join(f"when {_is_work(work)} then {limit}" for work, limit in self.limits)
        bound = f"coalesce({self.maximum}, case {seeded} end)" if seeded else self.maximum
        return [Cell(self.score, f"{self.score} > {bound}", {"value": self.score, "bound": bound})]


class ExpectMarkFitsScale(LoadExpectation):
    """The mark is the one that the work's scale of that year gives for the score; a work without a scale passes."""

    mark: str
    score: str
    scale: Scale | SuiteParameterDict

    def cells(self) -> list[Cell]:
        works, expected = [], []
        for work, steps in self.scale:
            off = " or ".join(
                f"({self.mark} = {mark} and {self.score} not between {low} and {high})" for mark, low, high in steps
            )
            right = " ".join(f"when {self.score} between {low} and {high} then {mark}" for mark, low, high in steps)
            works.append(f"({_is_work(work)} and ({off}))")
            expected.append(f"when {_is_work(work)} then case {right} end")
        values = {"value": self.mark, "score": self.score, "bound": f"case {' '.join(expected)} end"}
        return [Cell(self.mark, " or ".join(works), values)]


class ExpectKnownOrganisation(LoadExpectation):
    """The organisation is in the current registers by the code of `column`, as core will know it. Named once."""

    column: str
    registers: Slices | SuiteParameterDict

    def cells(self) -> list[Cell]:
        known = " union ".join(
            f"select {system}, {column} from raw.organisation where (load_id, slice_id) = ({load_id}, {slice_id}) "
            f"and {column} is not null"
            for system, column, _ in REGISTER_CODES
            for load_id, slice_id in self.registers
        )
        system = "'ris'" if self.column == "ris_code" else code_system(self.column)
        condition = f"({system}, {self.column}) not in ({known})" if known else f"{self.column} is not null"
        return [Cell(self.column, condition, {"value": self.column})]

    def naming(self, load_id: int) -> str:
        return f"""
            with unknown as (
                select {self.column} as code, sheet, min(row_no) as row_no, count(*) as copies
                from {self.table} as batch
                where load_id = {load_id} and ({self.violation()})
                group by {self.column}, sheet
            )
            select distinct on (code) null::tid as place, sheet, row_no, '{self.column}' as column_name,
                jsonb_build_object('value', code, 'rows', sum(copies) over (partition by code)) as fields
            from unknown
            order by code, sheet, row_no
        """


class ExpectAbsentWithoutScore(LoadExpectation):
    """Who is marked absent has neither a total nor item scores."""

    participation: str
    score: str

    def cells(self) -> list[Cell]:
        return [Cell(self.score, f"{self.participation} = 'absent' and {self.score} > 0", {"value": self.score})]


class ExpectPresentWithScore(LoadExpectation):
    """Who is not marked absent has a result."""

    participation: str
    score: str

    def cells(self) -> list[Cell]:
        return [Cell(self.score, f"{self.participation} <> 'absent' and {self.score} is null")]


class ExpectDatesInOrder(LoadExpectation):
    """One date is not after the other; an empty one passes."""

    earlier: str
    later: str

    def cells(self) -> list[Cell]:
        values = {"value": f"to_char({self.later}, 'DD.MM.YYYY')", "bound": f"to_char({self.earlier}, 'DD.MM.YYYY')"}
        return [Cell(self.later, f"{self.earlier} > {self.later}", values)]


class ExpectSharesSumToHundred(LoadExpectation):
    """Percentages that divide a whole sum to 100 within `difference`; a row without one of them passes."""

    columns: list[str]
    difference: float = 0.1

    def cells(self) -> list[Cell]:
        total = " + ".join(self.columns)
        return [Cell(self.columns[-1], f"abs({total} - 100) > {self.difference:g}", {"value": total})]


class ExpectNoneOver(LoadExpectation):
    """The first number of each of the `pairs` is not over the second; a row without one of them passes."""

    pairs: list[tuple[str, str]]

    def cells(self) -> list[Cell]:
        return [Cell(less, f"{less} > {more}", {"value": less, "bound": more}) for less, more in self.pairs]


class ExpectSameWithin(LoadExpectation):
    """Rows that belong together, by the columns `within`, agree in `column`; counted by groups that do not."""

    column: str
    within: list[str]
    load_id: int | SuiteParameterDict

    def _differing(self, load_id: Any) -> str:
        names = ", ".join(self.within)
        return (
            f"select {names}, mode() within group (order by {self.column}) as usual from {self.table} "
            f"where load_id = {load_id} group by {names} having min({self.column}) <> max({self.column})"
        )

    def cells(self) -> list[Cell]:
        return []

    def count(self) -> str:
        return f"(select count(*) from ({self._differing(self.load_id)}) as differing)"

    def naming(self, load_id: int) -> str:
        return f"""
            select null::tid as place, sheet, row_no, '{self.column}' as column_name,
                jsonb_build_object('value', {self.column}, 'bound', usual) as fields
            from {self.table}
            inner join ({self._differing(load_id)}) as differing using ({", ".join(self.within)})
            where load_id = {load_id} and {self.column} <> usual
            order by sheet, row_no
        """


def _is_work(work: dict[str, Any]) -> str:
    return " and ".join(f"{column} = {literal(value)}" for column, value in work.items())
