"""Which columns hold personal data, and of which class: rules, no more.

In: a column's header, its texts and their kind. Out: a class of personal data as
contracts name it, and why. Headers are read in English, Portuguese, Spanish and
Romanian; values are tried as e-mail addresses, telephone numbers, IP addresses, and
documents with check digits (CPF, CNPJ, DNI, NIE, CNP, IBAN, payment cards). A telephone
number without any sign in it looks like every other number: the header decides. Doubt
means personal: what was marked too much is freed by a person, what was missed is out.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice

from include.contracts import PersonalData
from include.new_source.check_digits import DOCUMENTS
from include.new_source.column_names import split_words
from include.new_source.header_words import (
    BIRTH,
    ID_WORDS,
    PEOPLE,
    PERSONAL,
    STAFF,
    THINGS,
    has_any,
)
from include.new_source.sample_rows import ColumnTexts
from include.new_source.value_kinds import ValueKind

TRIED = 2_000
# Nearly all values must look so, where many things look so by chance.
SHARE = 0.8
# A few addresses in a text are enough to make it personal.
FEW = 0.01
LONG_TEXT = 60
LONGEST_WORD = 200

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
PHONE = re.compile(r"(?=.*[+() .-])\+?[\d() .-]{8,20}")
DIGITS = re.compile(r"\D")
PARTICLES = frozenset(
    ("da", "das", "de", "del", "della", "di", "do", "dos", "e", "la", "van", "von", "y")
)


@dataclass(frozen=True)
class PersonalDataGuess:
    """A class of personal data and why it was chosen."""

    personal_data: PersonalData = "none"
    reason: str = ""


def classify(column: ColumnTexts, kind: ValueKind, rows: int) -> PersonalDataGuess:
    """Find the class of a column."""
    words = split_words(column.header)
    texts = [text for text in islice(column.texts, TRIED) if text not in kind.nulls]
    if column.nested:
        return _classify_nested(words)
    if kind.kind in ("boolean", "yes_or_no"):
        return PersonalDataGuess()
    if texts and (found := _classify_values(texts)):
        return found
    if _is_long_text(texts):
        return PersonalDataGuess("free_text", "long texts")
    is_number = has_any(words, ID_WORDS)
    for personal_data, headers in PERSONAL:
        is_date = kind.is_time and not has_any(words, BIRTH)
        if is_date or not has_any(words, headers):
            continue
        if personal_data == "free_text" and (kind.is_typed or is_number):
            continue
        if personal_data == "free_text" and _is_list(column, rows):
            continue
        if personal_data == "identifier" and has_any(words, THINGS):
            continue
        return PersonalDataGuess(personal_data, "its header")
    if has_any(words, STAFF):
        return PersonalDataGuess("identifier", "its header: somebody of the staff")
    is_person = words and all(has_any([word], PEOPLE) for word in words)
    if is_person or (has_any(words, PEOPLE) and (is_number or "name" in words)):
        return PersonalDataGuess("identifier", "its header: a number or name of people")
    if words == ["name"]:
        return PersonalDataGuess("identifier", "its header, unless it names things")
    if texts and _share(texts, _is_name) >= SHARE and not has_any(words, THINGS):
        # Also where they are few: the names of agents come again and again.
        return PersonalDataGuess("identifier", "values that look like people's names")
    return PersonalDataGuess()


def _classify_nested(words: Sequence[str]) -> PersonalDataGuess:
    for personal_data, headers in PERSONAL:
        if has_any(words, (*headers, *(f"{header}s" for header in headers))):
            return PersonalDataGuess(personal_data, "its header")
    return PersonalDataGuess()


def _classify_values(texts: Sequence[str]) -> PersonalDataGuess | None:
    if _share(texts, EMAIL.fullmatch) >= SHARE:
        return PersonalDataGuess("contact", "e-mail addresses")
    if _share(texts, EMAIL.search) >= FEW:
        return PersonalDataGuess("free_text", "e-mail addresses in some of its texts")
    for name, is_valid in DOCUMENTS:
        if _share(texts, is_valid) >= SHARE:
            return PersonalDataGuess("identifier", f"its values are {name} numbers")
    if _share(texts, _is_ip_address) >= SHARE:
        return PersonalDataGuess("contact", "IP addresses")
    if _share(texts, _is_phone) >= SHARE:
        return PersonalDataGuess("contact", "telephone numbers")
    return None


def _share(texts: Sequence[str], fits: Callable[[str], object]) -> float:
    return sum(bool(fits(text)) for text in texts) / len(texts)


def _is_name(text: str) -> bool:
    """Tell two to five words that begin with capitals, as people's names do."""
    words = re.sub(r"['’.-]", "", text).split()
    return 2 <= len(words) <= 5 and all(
        word.isalpha() and (word[0].isupper() or word in PARTICLES) for word in words
    )


def _is_phone(text: str) -> bool:
    """Tell a number with the signs of a telephone number from dates and amounts."""
    digits = DIGITS.sub("", text)
    has_signs = (
        text.startswith("+") or "(" in text or text.count(" ") + text.count("-") > 1
    )
    is_date = re.match(r"\d{4}-\d\d-\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", text)
    return bool(
        has_signs and not is_date and 8 <= len(digits) <= 15 and PHONE.fullmatch(text)
    )


def _is_ip_address(text: str) -> bool:
    if "." not in text and ":" not in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_long_text(texts: Iterable[str]) -> bool:
    texts = list(texts)
    lengths = [len(text) for text in texts if " " in text or "\n" in text]
    return bool(lengths) and (
        sum(lengths) / len(texts) > LONG_TEXT
        or (max(lengths) > LONGEST_WORD and len(texts) > 1)
        or any("\n" in text for text in texts)
    )


def _is_list(column: ColumnTexts, rows: int) -> bool:
    """Tell a choice from a list from what people wrote: few values that come again."""
    return 0 < len(column.texts) <= 20 and rows >= 10 * len(column.texts)
