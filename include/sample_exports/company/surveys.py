"""The surveys of the company and the words of their exports. Constants.

A code is a position in one of these tuples.
"""

from dataclasses import dataclass

import numpy as np

from include.sample_exports.company.touchpoints import CODE_OF
from include.sample_exports.plan.local_days import IntArray


@dataclass(frozen=True)
class Survey:
    """One survey of the company.

    metrics : the scored questions
    object : what the embedded id is of: order, delivery, ticket or none
    response_rate : finished / delivered invitations
    is_confidential : its answers reach readers in sums only
    """

    survey_id: str
    kind: str
    metrics: tuple[str, ...]
    topic: str
    stage: str = ""
    object: str = ""
    has_drivers: bool = False
    response_rate: float = 0.3
    quality: float = 0.0
    is_confidential: bool = False


SURVEYS = (
    Survey(
        "SV_NPS_RELATIONAL",
        "relational",
        ("nps",),
        "general",
        has_drivers=True,
        response_rate=0.38,
    ),
    Survey(
        "SV_NPS_PURCHASE",
        "transactional",
        ("nps",),
        "purchase",
        object="order",
        response_rate=0.36,
        quality=0.15,
    ),
    Survey(
        "SV_CSAT_DELIVERY",
        "transactional",
        ("csat",),
        "delivery",
        object="delivery",
        response_rate=0.4,
        quality=-0.05,
    ),
    Survey(
        "SV_CSAT_SUPPORT",
        "transactional",
        ("csat", "ces"),
        "support",
        object="ticket",
        response_rate=0.32,
        quality=-0.2,
    ),
    Survey("SV_CSAT_SITE", "transactional", ("csat",), "site"),
    Survey("SV_CSAT_STORE", "transactional", ("csat",), "store", quality=0.3),
    Survey(
        "SV_CES_USE",
        "transactional",
        ("ces",),
        "use",
        stage="use",
        response_rate=0.3,
        quality=0.05,
    ),
    Survey(
        "SV_NPS_LOYALTY",
        "transactional",
        ("nps",),
        "use",
        stage="loyalty",
        response_rate=0.42,
        quality=0.5,
    ),
    Survey("SV_CES_CONTACT", "transactional", ("ces",), "general", response_rate=0.34),
    Survey(
        "SV_CSAT_COMPLAINT",
        "transactional",
        ("csat",),
        "support",
        object="ticket",
        response_rate=0.45,
        quality=-0.6,
        is_confidential=True,
    ),
)
RELATIONAL, PURCHASE, DELIVERY, SUPPORT, SITE, STORE, USE, LOYALTY = range(8)
CONTACT, COMPLAINT = 8, 9
METRICS = ("nps", "csat", "ces")
DRIVERS = ("Q_UTILITY", "Q_EASE", "Q_PLEASURE", "Q_SPEED", "Q_PRICE")
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
INVITATION_CHANNELS = ("email", "sms", "whatsapp")
DISTRIBUTION_CHANNELS = (*INVITATION_CHANNELS, "qr", "anonymous", "test", "preview")
QR, ANONYMOUS, TEST_CHANNEL, PREVIEW_CHANNEL = 3, 4, 5, 6
DISTRIBUTION_STATUSES = (
    "Sent",
    "Delivered",
    "Bounced",
    "Opened",
    "Started",
    "Finished",
    "Failed",
)
RESPONSE_STATUSES = ("IP Address", "Survey Test", "Survey Preview", "Spam")
NORMAL, TEST, PREVIEW, SPAM = range(len(RESPONSE_STATUSES))
# How a response names its customer.
NOBODY, BY_NUMBER, BY_EMAIL, BY_STRANGE_NUMBER = range(4)
SITE_TOUCHPOINTS = (
    ("blog_article", 0.12),
    ("social_post", 0.05),
    ("landing_page", 0.18),
    ("product_page", 0.25),
    ("price_page", 0.15),
    ("checkout", 0.2),
    ("banner-7", 0.02),  # no touchpoint of the company
    ("", 0.03),
)
SITE_PARAMETERS = tuple(name for name, _ in SITE_TOUCHPOINTS)
STORE_PARAMETER = "store_visit"
LINK_PARAMETERS = (*SITE_PARAMETERS, STORE_PARAMETER)


def find_parameter_touchpoints() -> IntArray:
    """The touchpoint code of each link parameter, -1 for blank or unknown ones."""
    return np.array([CODE_OF.get(name, -1) for name in LINK_PARAMETERS])
