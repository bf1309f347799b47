"""By which codes an organisation is known: one rule for the gate, before anything is built, and for core."""

from __future__ import annotations

CODE_SHAPES = (
    ("like 'edu%'", "fisoko"),
    (r"~ '^\d{10}(\d\d)?$'", "inn"),
    (r"~ '^\d{13}(\d\d)?$'", "ogrn"),
)
"""(SQL condition, system) of what stands where a login of ФИС ОКО is asked for: preschools have none and write their
ИНН or ОГРН. Whatever else stands there is taken for a login."""


def code_system(code: str) -> str:
    """SQL: the system of a code that stands where a login is asked for."""
    shapes = " ".join(f"when {code} {shape} then '{system}'" for shape, system in CODE_SHAPES)
    return f"case {shapes} else 'fisoko' end"


REGISTER_CODES = (
    (code_system("organisation_code"), "organisation_code", 1),
    ("'ogrn'", "ogrn", 2),
    ("'inn'", "inn", 3),
    ("'ris'", "ris_code", 4),
    ("'ris'", "ris_code_ege", 4),
)
"""(SQL of the system, column of a register, strength): the code that names an organisation best has strength 1."""
