"""Municipalities, organisations and leaders; each list knows an organisation by other codes than the next."""

from __future__ import annotations

from sample_region.courier import Courier, moment, template
from sample_region.files import Cell, Rows, as_csv, as_xlsx
from sample_region.region import REGION_CODE, REGION_NAME, Organisation, Region, Tenure

_KIND = {
    "gymnasium": "Гимназия",
    "lyceum": "Лицей",
    "secondary": "СОШ",
    "basic": "ООШ",
    "primary": "Школа",
    "preschool": "Детский сад",
    "additional": "Организация дополнительного образования",
}


def deliver(courier: Courier, region: Region) -> None:
    """The lists of municipalities, four registers of organisations, and the leaders."""
    at = moment(2023, 2, 1)
    municipalities, schools = region.municipalities, region.schools
    ate: list[list[Cell]] = [["№", "Код АТЕ", "Название АТЕ"]]
    ate += [[m.number, m.ate_code, m.name] for m in municipalities]
    msu: list[list[Cell]] = [["№", "Код АТЕ", "Код МСУ", "Название МСУ"]]
    msu += [[m.number, m.ate_code, m.msu_code, m.name] for m in municipalities]
    fisoko = template(
        "municipality",
        ["register_code", "municipality_code", "ate_code", "municipality_name"],
        [["fisoko", m.code, m.ate_code, m.name] for m in municipalities],
    )
    for name, content, layout in (
        ("Список АТЕ.csv", as_csv(ate), "ate_list"),
        ("Список МСУ.csv", as_csv(msu), "msu_list"),
        ("Муниципалитеты ФИС ОКО.xlsx", as_xlsx({"Муниципалитеты": fisoko}), "template"),
    ):
        courier.deliver(f"inbox/municipality/{name}", content, layout=layout, rows=len(municipalities), at=at)
    for name, content, layout, rows in (
        (
            "Реестр организаций.xlsx",
            as_xlsx({"Реестр": regional_register(region.organisations)}),
            "template",
            len(region.organisations),
        ),
        ("logins.xlsx", as_xlsx({"Лист1": logins(schools)}), "fisoko_logins", len(schools)),
        (
            "Сбор контекстных данных об ОО.csv",
            as_csv(context_questionnaire(schools)),
            "fisoko_context_2022",
            len(schools),
        ),
        ("Список ОО РЦОИ.csv", as_csv(rcoi_schools(schools)), "rcoi_tatarstan", len(schools)),
    ):
        courier.deliver(f"inbox/organisation/{name}", content, layout=layout, rows=rows, at=at)
    tenures = [(organisation, tenure) for organisation in region.organisations for tenure in organisation.leaders]
    courier.deliver(
        "inbox/leader/Руководители.xlsx",
        as_xlsx({"Руководители": leaders(tenures)}),
        layout="template",
        rows=len(tenures),
        at=moment(2025, 2, 1),
    )


def regional_register(organisations: list[Organisation]) -> Rows:
    """The region's own register (template): logins, ИНН, ОГРН; it does not know the codes of РИС."""
    columns = [
        *("register_code", "organisation_code", "inn", "ogrn", "register_number", "organisation_name", "full_name"),
        *("organisation_kind", "municipality_code", "municipality_name", "settlement_kind", "valid_from", "valid_to"),
    ]
    return template(
        "organisation",
        columns,
        [
            [
                *("regional", o.login, o.inn, o.ogrn, number, o.name, o.full_name),
                *(_KIND[o.kind], o.municipality.code, o.municipality.name, "город" if o.urban else "село"),
                *(o.opened_on, o.closed_on),
            ]
            for number, o in enumerate(organisations, start=1)
        ],
    )


def logins(schools: list[Organisation]) -> Rows:
    """The list of ФИС ОКО logins, still in their `sch…` form, municipalities in short spelling."""
    return [
        ["логин", "имя", "регион"],
        *([f"sch{s.number}", s.name, s.municipality.name.replace("город ", "г. ")] for s in schools),
    ]


def context_questionnaire(schools: list[Organisation]) -> Rows:
    """ФИС ОКО questionnaire: the only bridge between logins and РИС codes; headers with TABs, answers with ordinals."""
    header = [
        *("Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки", "№"),
        "1. ПОЛНОЕ наименование ОО (по уставу)",
        "2.\tСОКРАЩЕННОЕ наименование ОО (при наличии) (по уставу)",
        *(
            "6.\tИНН",
            "7.\tКод ОГЭ",
            "8.\tКод ЕГЭ",
            "9.\tСтатус организации.",
            "14. Где расположена образовательная организация?",
        ),
    ]
    places = ("4) Населенный пункт сельского типа (поселок, село, деревня, станица, хутор и пр.)", "1) Город")
    return [
        header,
        *(
            [
                *(
                    s.login,
                    REGION_CODE,
                    f"reg{REGION_CODE}0000 | {REGION_NAME}",
                    f"{s.municipality.code} | {s.municipality.name}",
                ),
                *(
                    f"{s.login} | {s.name}",
                    f"{1 + number % 9:02d}.02.2023 10:{number % 60:02d}:51",
                    number,
                    s.full_name,
                    s.name,
                ),
                *(
                    s.inn,
                    s.ris_code,
                    s.ris_code_ege,
                    "1) Самостоятельное юридическое лицо (или головная ОО при наличии филиалов)",
                ),
                places[s.urban],
            ]
            for number, s in enumerate(schools, start=1)
        ),
    ]


def rcoi_schools(schools: list[Organisation]) -> Rows:
    """The РЦОИ list: РИС codes, АТЕ and МСУ, no logins."""
    level = {"primary": 1, "basic": 2}
    return [
        [
            "№",
            "Код",
            "Полное название ОО",
            "Короткое название ОО",
            "уровень образовательной программы",
            "АТЕ",
            "МСУ",
            "is_urban",
        ],
        *(
            [
                *(number, s.ris_code, s.full_name, s.name, level.get(s.kind, 3)),
                *(s.municipality.ate_code, s.municipality.msu_code, int(s.urban)),
            ]
            for number, s in enumerate(schools, start=1)
        ),
    ]


def leaders(tenures: list[tuple[Organisation, Tenure]]) -> Rows:
    """Leaders with tenure (template)."""
    return template(
        "leader",
        ["organisation_code", "last_name", "first_name", "middle_name", "snils", "position", "started_on", "ended_on"],
        [
            [
                *(o.login, t.person.last_name, t.person.first_name, t.person.middle_name, t.person.snils),
                *(leader_position(o), t.started_on, t.ended_on),
            ]
            for o, t in tenures
        ],
    )


def leader_position(organisation: Organisation) -> str:
    return "заведующий" if organisation.kind == "preschool" else "директор"
