"""Names and addresses of contacts and companies, as every vendor writes them.

In: the world and codes. Out: text.
"""

import re
import unicodedata

import numpy as np
import pandas as pd

from include.sample_exports.company import catalogue
from include.sample_exports.export.render import Text, join, take, write_integers
from include.sample_exports.plan.local_days import IntArray
from include.sample_exports.plan.world import World

ALL_FIRST_NAMES = [name for names in catalogue.FIRST_NAMES for name in names]
ALL_LAST_NAMES = [name for names in catalogue.LAST_NAMES for name in names]


def render_addresses(world: World, email: IntArray) -> Text:
    """E-mail addresses of address codes: the first or second one of a contact."""
    email = np.asarray(email)
    count = len(world.contacts)
    owner = email % count
    first_name, last_name = _name_codes(world, owner)
    is_second = np.where(email < 0, -1, email >= count).astype(np.int64)
    return join(
        take([_spell_plainly(name) for name in ALL_FIRST_NAMES], first_name),
        ".",
        take([_spell_plainly(name) for name in ALL_LAST_NAMES], last_name),
        write_integers(owner + 1),
        take(("", "b"), is_second),
        "@",
        take(catalogue.MAIL_DOMAINS, world.contacts["language"].to_numpy()[owner]),
    )


def render_names(world: World, contact: IntArray) -> tuple[Text, Text]:
    """First and last names of contacts; null where the contact is negative."""
    contact = np.asarray(contact)
    first_name, last_name = _name_codes(world, contact)
    return (
        take(ALL_FIRST_NAMES, np.where(contact < 0, -1, first_name)),
        take(ALL_LAST_NAMES, np.where(contact < 0, -1, last_name)),
    )


def _name_codes(world: World, contact: IntArray) -> tuple[IntArray, IntArray]:
    language = world.contacts["language"].to_numpy()[contact]
    codes = []
    for column, lists in (
        ("first_name", catalogue.FIRST_NAMES),
        ("last_name", catalogue.LAST_NAMES),
    ):
        sizes = np.array([len(names) for names in lists])
        first = np.cumsum(sizes) - sizes
        drawn = world.contacts[column].to_numpy()[contact]
        codes.append(first[language] + drawn % sizes[language])
    return codes[0], codes[1]


def _spell_plainly(name: str) -> str:
    """A name as it stands in an e-mail address: "Ștefan" -> "stefan"."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^a-z]", "", bare.lower())


def render_company_names(companies: pd.DataFrame) -> Text:
    """Names of companies, with their legal form."""
    kinds = [kind for kinds in catalogue.COMPANY_KINDS for kind in kinds]
    return join(
        take(catalogue.COMPANY_STEMS, companies["stem"]),
        " ",
        write_integers(companies.index.to_numpy() % 89 + 11),
        " ",
        take(kinds, companies["kind"]),
    )
