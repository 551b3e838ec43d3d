"""Numbers of documents and accounts that prove themselves by their check digits.

In: a text. Out: whether it is such a number. One in a hundred random numbers of eleven
digits is a CPF by chance: a column is one only where nearly all its values are.
"""

import re
from collections.abc import Callable, Sequence

DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
CNP_WEIGHTS = (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)
NO_DIGIT = re.compile(r"[ ./-]")


def is_cpf(text: str) -> bool:
    """Tell a Brazilian personal tax number, with or without its points."""
    digits = _read_digits(text, 11)
    return digits is not None and _has_brazilian_checks(
        digits, range(10, 1, -1), range(11, 1, -1)
    )


def is_cnpj(text: str) -> bool:
    """Tell a Brazilian company number."""
    digits = _read_digits(text, 14)
    first = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return digits is not None and _has_brazilian_checks(digits, first, (6, *first))


def is_dni(text: str) -> bool:
    """Tell a Spanish DNI, or an NIE, which begins with X, Y or Z."""
    plain = NO_DIGIT.sub("", text).upper()
    if not re.fullmatch(r"[XYZ0-9]\d{7}[A-Z]", plain):
        return False
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return DNI_LETTERS[int(number) % 23] == plain[-1]


def is_cnp(text: str) -> bool:
    """Tell a Romanian personal number."""
    digits = _read_digits(text, 13)
    if digits is None or not digits[0]:
        return False
    check = _weigh(digits, CNP_WEIGHTS) % 11
    return digits[12] == (1 if check == 10 else check)


def is_iban(text: str) -> bool:
    """Tell an international account number."""
    plain = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", plain):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Tell the number of a payment card, by its first digit and Luhn's sum."""
    plain = NO_DIGIT.sub("", text)
    if not re.fullmatch(r"[3-6]\d{12,18}", plain):
        return False
    doubled = [
        sum(divmod(int(digit) * (1 + place % 2), 10))
        for place, digit in enumerate(reversed(plain))
    ]
    return sum(doubled) % 10 == 0


DOCUMENTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("CPF", is_cpf),
    ("CNPJ", is_cnpj),
    ("DNI or NIE", is_dni),
    ("CNP", is_cnp),
    ("IBAN", is_iban),
    ("payment card", is_card),
)


def _read_digits(text: str, length: int) -> list[int] | None:
    plain = NO_DIGIT.sub("", text)
    if len(plain) != length or not plain.isdecimal() or len(set(plain)) == 1:
        return None
    return [int(digit) for digit in plain]


def _weigh(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def _has_brazilian_checks(
    digits: Sequence[int], first: Sequence[int], second: Sequence[int]
) -> bool:
    return all(
        digits[len(weights)] == (11 - _weigh(digits, weights) % 11) % 11 % 10
        for weights in (first, second)
    )
