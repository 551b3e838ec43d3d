"""What one export tells of a source: keys, personal data, lists of values, totals."""

import json

import pytest

from include.new_source.check_digits import DOCUMENTS
from include.new_source.column_names import name_columns
from include.new_source.source_draft import SourceDraft, draft_source
from tests.include.new_source.bank_export import ROWS, write_bank_export

VALID = {
    "CPF": "529.982.247-25",
    "CNPJ": "11.222.333/0001-81",
    "DNI or NIE": "12345678Z",
    "CNP": "1960229410015",
    "IBAN": "ES91 2100 0418 4502 0005 1332",
    "payment card": "4111 1111 1111 1111",
}


@pytest.fixture(scope="module")
def bank() -> SourceDraft:
    return draft_source(write_bank_export(), "complaints.csv", "bank", "cases", None)


def draft_csv(text: str) -> SourceDraft:
    return draft_source(text.encode(), "file.csv", "shop", "orders", "crm")


def test_the_columns_of_a_hostile_export(bank: SourceDraft) -> None:
    kinds = {column.name: column.kind.kind for column in bank.columns}
    assert kinds == {
        **{"protocolo": "integer", "data_de_abertura": "local_date"},
        **{"data_limite": "local_date", "encerrada_em": "local_timestamp"},
        **{"nome_do_cliente": "text", "cpf": "text", "telefone": "text"},
        **{"e_mail": "text", "produto": "text", "situacao": "text"},
        **{"valor_contestado_r": "comma_number", "procedente": "yes_or_no"},
        **{"relato": "text", "agencia": "text", "agencia_2": "text"},
        "column_16": "empty",
    }
    orders = {column.name: column.kind.order for column in bank.columns}
    assert (orders["data_de_abertura"], orders["data_limite"]) == ("DMY", None)


def test_the_meaning_of_a_hostile_export(bank: SourceDraft) -> None:
    assert [column.name for column in bank.key] == ["protocolo"]
    assert bank.event_time is not None
    assert bank.event_time.name == "data_de_abertura"
    assert bank.null_markers == ("", " ", "-")
    assert bank.role == "ticket"
    assert bank.rows_in_file == ROWS
    personal = {
        column.name: column.personal_data
        for column in bank.columns
        if column.personal_data != "none"
    }
    assert personal == {
        **{"nome_do_cliente": "identifier", "cpf": "identifier"},
        **{"telefone": "contact", "e_mail": "contact", "relato": "free_text"},
    }
    values = {column.name: column.values for column in bank.columns if column.values}
    assert values["situacao"] == ("Aberta", "Em análise", "Encerrada")
    assert set(values) == {"produto", "situacao", "procedente", "agencia_2"}


@pytest.mark.parametrize(
    "words",
    [
        "encoding: no UTF-8, so taken for cp1252",
        "header: 3 rows come before the data",
        "footer: the last line seems to be totals",
        "data_limite: day first or month first?",
        "column_16: empty in every row",
    ],
)
def test_what_is_unsure_is_said(bank: SourceDraft, words: str) -> None:
    assert any(words in doubt for doubt in bank.doubts)


def test_rows_that_cannot_be_read_are_said() -> None:
    draft = draft_csv("id,day\n1,2026-01-01\n2,2026-01-02,extra\n3,2026-01-03\n")
    assert any("1 of 3 cannot be read: 3 fields" in doubt for doubt in draft.doubts)


def test_two_columns_are_a_key_where_none_alone_is() -> None:
    lines = (
        f"{order},{line},{order * line},x\n" for order in range(9) for line in "12"
    )
    draft = draft_csv(f"amount,line,order_id,note\n{''.join(lines)}")
    names = {column.name for column in draft.key}
    assert names == {"amount", "line"}
    assert any("tells the rows apart, " in doubt for doubt in draft.doubts)


def test_rows_without_a_key_are_said() -> None:
    draft = draft_csv("stars,mood\n" + "5,good\n" * 40)
    assert [column.name for column in draft.identity] == ["stars", "mood"]
    assert any("nothing tells the rows apart" in doubt for doubt in draft.doubts)


@pytest.mark.parametrize("name", sorted(VALID))
def test_documents_prove_themselves_by_their_check_digits(name: str) -> None:
    checks = dict(DOCUMENTS)
    assert set(checks) == set(VALID)
    assert checks[name](VALID[name])
    digit = next(sign for sign in VALID[name] if sign.isdigit())
    other = VALID[name].replace(digit, str((int(digit) + 1) % 10), 1)
    assert not checks[name](other)
    assert not checks[name]("ordinary words")


@pytest.mark.parametrize(
    ("header", "texts", "personal_data"),
    [
        ("mail", ["ana@posta.example", "rui@posta.example"], "contact"),
        ("anything", ["ana@posta.example", "rui@posta.example"], "contact"),
        ("remarks", ["write to ana@posta.example", "none"], "free_text"),
        ("anything", ["+40 721 123 456", "(11) 98765-4321"], "contact"),
        ("anything", ["10.0.0.1", "192.168.1.77"], "contact"),
        ("opened", ["2026-01-31", "2026-02-01"], "none"),
        ("data de nascimento", ["2000-01-31", "1999-02-01"], "identifier"),
        ("First Name", ["Ana", "Rui"], "identifier"),
        ("Product Name", ["Washing machine", "Dryer"], "none"),
        ("customerId", ["c1", "c2"], "identifier"),
        ("Assigned To", ["g1", "g2"], "identifier"),
        ("anything", ["Ana Maria da Silva", "Rui Costa"], "identifier"),
        # Few names, again and again, are names of people all the same.
        ("Officer", ["a.pop", "i.ban"] * 30, "identifier"),
        ("Client", ["ana", "rui"] * 30, "identifier"),
        ("anything", ["Ștefan Popescu", "Ioana Țăranu"] * 30, "identifier"),
        ("Category", ["Credit Cards", "Current Accounts"] * 30, "none"),
        ("anything", ["x" * 90 + " y", "z" * 90 + " y"], "free_text"),
        ("Notes", ["", ""], "free_text"),
        ("Score", ["1", "5"], "none"),
    ],
)
def test_personal_data(header: str, texts: list[str], personal_data: str) -> None:
    lines = "".join(f"{number},{text}\n" for number, text in enumerate(texts))
    column = draft_csv(f"id,{header}\n{lines}").columns[1]
    assert column.personal_data == personal_data


def test_json_is_read_into_its_objects() -> None:
    page = [
        {"id": n, "via": {"channel": "web"}, "tags": ["a"], "open": True, "note": None}
        for n in range(5)
    ]
    draft = draft_source(json.dumps(page).encode(), "a.json", "desk", "cases", None)
    columns = {column.name: column for column in draft.columns}
    assert columns["via"].texts.nested == "object"
    assert columns["via_channel"].texts.path == ("via", "channel")
    assert columns["tags"].texts.nested == "list"
    assert (columns["id"].kind.kind, columns["open"].kind.kind) == (
        "integer",
        "boolean",
    )


def test_headers_become_names_that_sql_takes() -> None:
    headers = [
        "ID",
        "customerName",
        "Ação nº",
        "Order",
        "2026",
        "<b>Why</b>?",
        "",
        "id",
    ]
    assert name_columns(headers) == [
        *("id", "customer_name", "acao_no", "order_value", "column_2026", "why"),
        *("column_7", "id_2"),
    ]
    long = "How satisfied were you overall with everything that we did for you"
    assert name_columns([long]) == ["how_satisfied_were_you_overall_with_everything"]
