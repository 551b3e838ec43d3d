"""A bank's complaint export, made up, with all that makes such files hard.

cp1252 without a mark, semicolons, two lines above the header, decimal commas, dates as
dd.mm.yyyy, blanks and "-" where nothing is, line breaks inside cells, a header that
comes twice and one without a name, and a line of totals at the end.
"""

import random
from datetime import date, timedelta

ROWS = 240
FIRST_DAY = date(2026, 1, 5)
PRODUCTS = ("Cartão de crédito", "Conta corrente", "Empréstimo", "Pix")
STATES = ("Aberta", "Em análise", "Encerrada")
NAMES = ("Joana", "Antônio", "Íris", "Célia", "Raimundo", "Tomé")
FAMILIES = ("Gonçalves", "Araújo", "Simões", "Falcão", "Brandão")
HEADER = (
    *(
        "Protocolo",
        "Data de abertura",
        "Data limite",
        "Encerrada em",
        "Nome do cliente",
    ),
    *("CPF", "Telefone", "E-mail", "Produto", "Situação", "Valor contestado (R$)"),
    *("Procedente?", "Relato", "Agência", "Agência", ""),
)


def write_bank_export(rows: int = ROWS) -> bytes:
    """Write the export."""
    draw = random.Random(11)
    lines = [
        ["Relatório de reclamações"],
        ["Emitido em", "20.11.2026 08:15", *[""] * (len(HEADER) - 2)],
        list(HEADER),
    ]
    total = 0
    for number in range(rows):
        opened = FIRST_DAY + timedelta(days=number)
        cents = draw.randrange(100, 900_000)
        total += cents
        is_closed = draw.random() < 0.7
        closed = opened + timedelta(days=draw.randrange(1, 20))
        name, family = draw.choice(NAMES), draw.choice(FAMILIES)
        lines.append(
            [
                f"{20260000 + number}",
                f"{opened:%d.%m.%Y}",
                # Always one of the first days of a month: either number may be the day.
                f"{1 + number % 12:02}.{1 + number % 9:02}.2026",
                f"{closed:%d.%m.%Y} 17:{number % 60:02}" if is_closed else "-",
                f"{name} {family}",
                make_cpf(draw.randrange(10**8, 10**9)),
                f"(11) 9{draw.randrange(1000, 9999)}-{draw.randrange(1000, 9999)}",
                f"cliente{number}@exemplo.example",
                draw.choice(PRODUCTS),
                draw.choice(STATES),
                write_amount(cents),
                draw.choice(("Sim", "Não", "-")),
                f"Cobrança não reconhecida.\nJá é a {number % 5 + 2}ª vez; não aceito.",
                f"{draw.randrange(1, 400):04}",
                f"Agência {draw.choice(('Centro', 'Praça', 'São João'))}",
                " ",
            ]
        )
    lines.append(["Total", *[""] * 9, write_amount(total), *[""] * 5])
    text = "".join(";".join(map(quote, line)) + "\r\n" for line in lines)
    return text.encode("cp1252")


def quote(cell: str) -> str:
    """Write a cell as spreadsheets do: in quotes only where it must be."""
    return f'"{cell}"' if any(sign in cell for sign in ';\n"') else cell


def write_amount(cents: int) -> str:
    """Write an amount as 1.234,56."""
    whole = f"{cents // 100:,}".replace(",", ".")
    return f"{whole},{cents % 100:02}"


def make_cpf(nine_digits: int) -> str:
    """Add the check digits of a CPF."""
    digits = [int(digit) for digit in f"{nine_digits:09}"]
    for weight in (10, 11):
        total = sum(digit * (weight - place) for place, digit in enumerate(digits))
        digits.append(0 if total % 11 < 2 else 11 - total % 11)
    plain = "".join(map(str, digits))
    return f"{plain[:3]}.{plain[3:6]}.{plain[6:9]}-{plain[9:]}"
