"""The fictional region itself: municipalities, organisations with their codes in every system, and invented people."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np

REGION_CODE = 99
REGION_NAME = "Примерная область"
YEARS = (2023, 2024, 2025)

Kind = Literal["gymnasium", "lyceum", "secondary", "basic", "primary", "preschool", "additional"]

# name, its genitive for organisation names, schools, preschools
_MUNICIPALITIES = (
    ("город Примерск", "г. Примерска", 26, 24),
    ("город Светлореченск", "г. Светлореченска", 16, 14),
    ("Боровлянский муниципальный район", "Боровлянского района", 9, 6),
    ("Верхнеключевской муниципальный район", "Верхнеключевского района", 8, 6),
    ("Дубравинский муниципальный район", "Дубравинского района", 8, 5),
    ("Заозёрновский муниципальный район", "Заозёрновского района", 8, 5),
    ("Каменнобродский муниципальный район", "Каменнобродского района", 8, 5),
    ("Луговинский муниципальный район", "Луговинского района", 8, 5),
    ("Нижнеполянский муниципальный округ", "Нижнеполянского округа", 8, 5),
    ("Ольховатинский муниципальный округ", "Ольховатинского округа", 7, 5),
    ("Сосновоборский муниципальный округ", "Сосновоборского округа", 7, 5),
    ("Ясногорский муниципальный округ", "Ясногорского округа", 7, 5),
)
_CITIES = 2


def _words(text: str) -> list[str]:
    return text.split()


_VILLAGES = _words(
    "Алексеевская Андреевская Берёзовская Богатовская Большеполянская Быстринская Васильевская Вишнёвская "
    "Владимировская Восточная Высокогорская Глубоковская Горновская Гусиновская Дальненская Дмитриевская "
    "Долинская Ельцовская Ермаковская Журавлёвская Заветненская Заречная Зеленогорская Ивановская Ильинская "
    "Калиновская Кедровская Клюквинская Кольцовская Красноярская Крутихинская Кузнечная Лесная Липовская "
    "Малиновская Марьинская Медвежьевская Мельничная Михайловская Моховская Никольская Новинская Озёрская "
    "Орловская Осиновская Павловская Песчанская Петровская Подгорненская Покровская Приреченская Пчелинская "
    "Родниковская Рябиновская Семёновская Сергеевская Смородинская Солнечная Старобродская Степная Тополинская "
    "Троицкая Ушаковская Фёдоровская Хвойная Холмогорская Цветочная Черёмуховская Чистоозёрная Шиповская "
    "Щегловская Юбилейная Яблоневская Ягодинская"
)
_GARDENS = _words(
    "Солнышко Ромашка Теремок Колокольчик Берёзка Сказка Радуга Ласточка Светлячок Улыбка Колосок Родничок "
    "Звёздочка Журавлик Рябинка Малыш Вишенка Буратино Искорка Кораблик Лесовичок Непоседы Одуванчик Парус "
    "Росинка Снежинка Топтыжка Умка Чебурашка"
)
_SURNAMES = _words(
    "Абрамов Агапов Алёшин Антипов Баранов Белов Беспалов Быков Вавилов Веселов Виноградов Воробьёв Галкин "
    "Герасимов Горшков Громов Гусев Давыдов Денисов Дроздов Дьяков Евсеев Ершов Ефимов Жданов Журавлёв Завьялов "
    "Зимин Зотов Игнатьев Исаев Казаков Калинин Карпов Киселёв Ковалёв Козлов Колесов Кондратьев Крылов "
    "Кудряшов Кузьмин Лапин Лобанов Логинов Лукин Макаров Малинин Мартынов Маслов Мельников Миронов Морозов "
    "Муравьёв Назаров Нефёдов Никонов Носов Орлов Осипов Панов Пахомов Поляков Прохоров Рогов Родионов Рябов "
    "Савельев Сазонов Селезнёв Симонов Соболев Стрелков Сурков Тарасов Третьяков Уваров Фадеев Филатов Хохлов "
    "Цветков Чернов Шестаков Шилов Щукин Юдин Яшин"
)
_MEN = _words(
    "Александр Алексей Андрей Антон Артём Борис Вадим Виктор Владимир Глеб Даниил Денис Дмитрий Евгений Егор "
    "Иван Игорь Илья Кирилл Константин Максим Матвей Михаил Никита Николай Олег Павел Роман Сергей Тимофей "
    "Фёдор"
)
_WOMEN = _words(
    "Алина Анастасия Анна Валентина Валерия Варвара Вера Виктория Галина Дарья Евгения Екатерина Елена "
    "Елизавета Инна Ирина Ксения Лариса Любовь Людмила Марина Мария Надежда Наталья Нина Оксана Ольга Полина "
    "Светлана София Татьяна Юлия"
)
_FATHERS = _words(
    "Александрович Алексеевич Андреевич Антонович Артёмович Борисович Васильевич Викторович Владимирович "
    "Дмитриевич Евгеньевич Иванович Игоревич Кириллович Константинович Максимович Михайлович Николаевич "
    "Олегович Павлович Петрович Романович Сергеевич Степанович Фёдорович"
)


def stream(seed: int, *names: object) -> np.random.Generator:
    """A random stream for one purpose: one more draw in one file leaves all other files as they were."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


@dataclass(frozen=True)
class Municipality:
    """Codes of one municipality: ФИС ОКО (`reg99_m001`), РЦОИ АТЕ (`101`) and МСУ (`201`)."""

    number: int
    name: str
    genitive: str

    @property
    def code(self) -> str:
        return f"reg{REGION_CODE}_m{self.number:03d}"

    @property
    def ate_code(self) -> int:
        return 100 + self.number

    @property
    def msu_code(self) -> int:
        return 200 + self.number


@dataclass(frozen=True)
class Person:
    last_name: str
    first_name: str
    middle_name: str
    snils: str
    female: bool


@dataclass(frozen=True)
class Tenure:
    person: Person
    started_on: date
    ended_on: date | None


@dataclass
class Organisation:
    """One organisation. `login` is the ФИС ОКО login in its `edu…` form, `ris_code` the code in РИС ГИА (schools only),
    `size` the typical number of pupils in one grade, `effect` the school's own contribution to ability, in logits."""

    login: str
    kind: Kind
    municipality: Municipality
    name: str
    full_name: str
    urban: bool
    inn: str
    ogrn: str
    ris_code: int | None = None
    ris_code_ege: int | None = None
    size: float = 0.0
    effect: float = 0.0
    opened_on: date = date(2012, 1, 1)
    closed_on: date | None = None
    leaders: list[Tenure] = field(default_factory=list)

    @property
    def number(self) -> str:
        return self.login.removeprefix("edu")

    def open_in(self, year: int) -> bool:
        """Whether the organisation works in the spring of `year`."""
        return self.closed_on is None or self.closed_on > date(year, 6, 30)

    def leader_on(self, day: date) -> Person | None:
        return next(
            (t.person for t in self.leaders if t.started_on <= day and (t.ended_on is None or day <= t.ended_on)), None
        )


@dataclass
class Region:
    seed: int
    municipalities: list[Municipality]
    schools: list[Organisation]
    preschools: list[Organisation]
    additional: list[Organisation]

    @property
    def organisations(self) -> list[Organisation]:
        return [*self.schools, *self.preschools, *self.additional]


def people(rng: np.random.Generator, *, first_snils: int = 1) -> Iterator[Person]:
    """Invented people, no two of one name; `first_snils` starts the run of their СНИЛС (see `snils`)."""
    names = (_MEN, _WOMEN)
    total = len(_SURNAMES) * len(_FATHERS) * max(len(_MEN), len(_WOMEN)) * 2
    for position, index in enumerate(rng.permutation(total)):
        rest, female = divmod(int(index), 2)
        rest, first = divmod(rest, max(len(_MEN), len(_WOMEN)))
        surname, father = divmod(rest, len(_FATHERS))
        if first >= len(names[female]):
            continue
        last_name, middle_name = _SURNAMES[surname], _FATHERS[father]
        if female:
            last_name, middle_name = last_name + "а", middle_name.removesuffix("ич") + "на"
        yield Person(last_name, names[female][first], middle_name, snils(first_snils + position), bool(female))


def snils(number: int) -> str:
    """A СНИЛС with right check digits, from the range up to 001-001-998, which needs none and so is easy to tell."""
    digits = f"{number % 1_001_998 + 1:09d}"
    check = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 0, -1), strict=True)) % 101 % 100
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]} {check:02d}"


def inn(number: int) -> str:
    """A ten-digit ИНН of the fictional tax office 9900 with its right check digit."""
    digits = f"9900{number:05d}"
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    return digits + str(sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 % 10)


def ogrn(number: int) -> str:
    """A thirteen-digit ОГРН of the fictional region with its right check digit."""
    digits = f"10299{number:07d}"
    return digits + str(int(digits) % 11 % 10)


def build(seed: int, scale: float = 1.0) -> Region:
    """The region for `seed`; `scale` shrinks the number of organisations, never that of municipalities."""
    rng = stream(seed, "region")
    municipalities = [
        Municipality(i, name, genitive) for i, (name, genitive, _, _) in enumerate(_MUNICIPALITIES, start=1)
    ]
    villages = iter(rng.permutation(_VILLAGES).tolist())
    gardens = rng.permutation(_GARDENS).tolist()
    region = Region(seed, municipalities, [], [], [])
    for municipality, (_, _, schools, preschools) in zip(municipalities, _MUNICIPALITIES, strict=True):
        for position in range(max(2, round(schools * scale))):
            region.schools.append(_school(rng, municipality, position, len(region.schools) + 1, villages))
        for position in range(max(1, round(preschools * scale))):
            number = len(region.preschools) + 1
            title = f"Детский сад № {position + 1} «{gardens[number % len(gardens)]}» {municipality.genitive}"
            region.preschools.append(
                Organisation(
                    login=f"edu{REGION_CODE}5{number:03d}",
                    kind="preschool",
                    municipality=municipality,
                    name=f"МБДОУ {title}",
                    full_name=f"Муниципальное бюджетное дошкольное образовательное учреждение {title}",
                    urban=municipality.number <= _CITIES or position == 0,
                    inn=inn(5000 + number),
                    ogrn=ogrn(5000 + number),
                    size=float(rng.integers(40, 240))
                    if municipality.number <= _CITIES
                    else float(rng.integers(15, 110)),
                    effect=float(rng.normal(0, 0.45)),
                )
            )
        region.additional.append(_additional(municipality))
    # One village school was closed between the second and the third year: its history has to stay.
    next(school for school in reversed(region.schools) if not school.urban).closed_on = date(2024, 8, 31)
    _appoint(stream(seed, "leaders"), region)
    return region


def _school(
    rng: np.random.Generator, municipality: Municipality, position: int, number: int, villages: Iterator[str]
) -> Organisation:
    city = municipality.number <= _CITIES
    urban = city or position == 0
    full_kind = {"gymnasium": "Гимназия", "lyceum": "Лицей", "secondary": "Средняя общеобразовательная школа"}
    full_kind |= {"basic": "Основная общеобразовательная школа", "primary": "Начальная общеобразовательная школа"}
    short_kind = {"gymnasium": "Гимназия", "lyceum": "Лицей", "secondary": "СОШ", "basic": "ООШ", "primary": "НОШ"}
    kind: Kind
    if city:
        kind = (
            "gymnasium"
            if position in (1, 8)
            else "lyceum"
            if position == 3
            else "basic"
            if position == 15
            else "secondary"
        )
        size = rng.normal(92 if kind in ("gymnasium", "lyceum") else 36 if kind == "basic" else 80, 12)
        effect = rng.normal(0.75, 0.12) if kind in ("gymnasium", "lyceum") else rng.normal(0.08, 0.22)
    elif urban:
        kind, size, effect = "secondary", rng.normal(58, 8), rng.normal(0.0, 0.22)
    else:
        kind = (
            "basic"
            if position % 3 == 2
            else "primary"
            if position == 7 and municipality.number % 3 == 0
            else "secondary"
        )
        size = rng.uniform(6, 15) if kind == "secondary" else rng.uniform(5, 9)
        effect = rng.normal(-0.18, 0.3)
    owner = "МБОУ" if urban else "МКОУ"
    owner_full = "бюджетное" if urban else "казённое"
    if urban:
        short, full = (f"{kinds[kind]} № {position + 1}" for kinds in (short_kind, full_kind))
    else:
        village = next(villages)
        short, full = f"{village} {short_kind[kind]}", f"{village} {full_kind[kind].lower()}"
    return Organisation(
        login=f"edu{REGION_CODE}{number:04d}",
        kind=kind,
        municipality=municipality,
        name=f"{owner} «{short} {municipality.genitive}»",
        full_name=f"Муниципальное {owner_full} общеобразовательное учреждение «{full} {municipality.genitive}»",
        urban=urban,
        inn=inn(1000 + number),
        ogrn=ogrn(1000 + number),
        ris_code=municipality.ate_code * 1000 + position + 1,
        # A few schools have kept an older code in the ГИА-11 system.
        ris_code_ege=municipality.ate_code * 1000 + (900 if number % 17 == 0 else 0) + position + 1,
        size=float(size),
        effect=float(effect),
    )


def _additional(municipality: Municipality) -> Organisation:
    title = f"«Дом детского творчества {municipality.genitive}»"
    return Organisation(
        login=f"edu{REGION_CODE}7{municipality.number:03d}",
        kind="additional",
        municipality=municipality,
        name=f"МБУ ДО {title}",
        full_name=f"Муниципальное бюджетное учреждение дополнительного образования {title}",
        urban=True,
        inn=inn(7000 + municipality.number),
        ogrn=ogrn(7000 + municipality.number),
    )


def _appoint(rng: np.random.Generator, region: Region) -> None:
    """Leaders with tenure; every sixth organisation changes its leader inside the three years, some leaders move on."""
    invented = people(rng)
    moved: list[Person] = []
    for organisation in region.organisations:
        started = date(2008, 9, 1) + timedelta(days=int(rng.integers(0, 14 * 365)))
        person = next(invented)
        if rng.random() >= 0.17:
            organisation.leaders = [Tenure(person, started, organisation.closed_on)]
            continue
        left = date(2022, 10, 1) + timedelta(days=int(rng.integers(0, 850)))
        if organisation.closed_on:
            left = min(left, organisation.closed_on - timedelta(days=120))
        successor = moved.pop() if moved and rng.random() < 0.3 else next(invented)
        if len(moved) == 0 and organisation.kind == "secondary" and left < date(2023, 9, 1):
            moved.append(person)
        vacancy = timedelta(days=int(rng.choice([1, 1, 30, 60])))
        organisation.leaders = [
            Tenure(person, started, left),
            Tenure(successor, left + vacancy, organisation.closed_on),
        ]
