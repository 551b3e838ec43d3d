"""docs/contracts.md names every key that a contract may have, and no other."""

import re

from include.contracts import (
    CHOICES,
    ColumnContract,
    FeedContract,
    HeaderOptionsContract,
    NumberContract,
    ShapeContract,
)
from include.settings import PROJECT_FOLDER

# What the contract says of a source, or what is worked out.
OF_THE_SOURCE = {"role", "time_zone", "date_order", "owner", "is_optional"}
NOT_DECLARED = {
    *("system", "feed", "source_instance", "record_prefix", "columns", "name"),
    *("description", *CHOICES.values()),
}


def test_every_key_of_a_contract_is_documented() -> None:
    text = (PROJECT_FOLDER / "docs/contracts.md").read_text()
    said = set(re.findall(r"`(\w+)`", text))
    example = set(re.findall(r"^\s+-? ?(\w+):", text, re.MULTILINE))
    keys = {
        name
        for declaration in (
            *(FeedContract, ShapeContract, HeaderOptionsContract),
            *(ColumnContract, NumberContract),
        )
        for name in declaration.model_fields
    }
    # A column calls its headers by one name.
    keys = keys - {"headers"} | {"header"} | OF_THE_SOURCE
    assert keys - NOT_DECLARED - said == set()
    assert example <= keys
