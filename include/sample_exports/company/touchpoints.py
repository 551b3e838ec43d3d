"""The touchpoints of the company, and which activities lead to them.

Constants only. A touchpoint belongs to one journey stage and one channel.
"""

from dataclasses import dataclass

UNKNOWN = "(unknown)"
UNMAPPED = "(unmapped)"


@dataclass(frozen=True)
class Stage:
    """One stage of the customer's path.

    times_out_after_days : without an advancing touch; 0 where a visit never times out
    """

    name: str
    order: int
    lane: str
    times_out_after_days: int


STAGES = {
    stage.name: stage
    for stage in (
        Stage("discovery", 1, "buying", 30),
        Stage("recognition", 2, "buying", 30),
        Stage("consideration", 3, "buying", 30),
        Stage("purchase", 4, "buying", 30),
        Stage("delivery", 5, "owning", 60),
        Stage("use", 6, "owning", 90),
        Stage("support", 7, "support", 0),
        Stage("loyalty", 8, "owning", 365),
    )
}


@dataclass(frozen=True)
class Touchpoint:
    """One place where customer and company meet.

    advances_stage : whether a touch moves the customer, or only happens to them
    """

    name: str
    stage: str
    channel: str
    owner_area: str
    environment: str = "digital"
    advances_stage: bool = True


TOUCHPOINTS = (
    Touchpoint("blog_article", "discovery", "blog", "marketing"),
    Touchpoint("social_post", "discovery", "social", "marketing"),
    Touchpoint("newsletter", "discovery", "e-mail", "marketing", advances_stage=False),
    Touchpoint("landing_page", "recognition", "web", "marketing"),
    Touchpoint("product_page", "recognition", "web", "product"),
    Touchpoint("price_page", "consideration", "web", "sales"),
    Touchpoint("sales_call", "consideration", "phone", "sales"),
    Touchpoint("demo_meeting", "consideration", "meeting", "sales", "physical"),
    Touchpoint("sales_chat", "consideration", "chat", "sales"),
    Touchpoint("sales_whatsapp", "consideration", "WhatsApp", "sales"),
    Touchpoint("store_visit", "consideration", "store", "sales", "physical"),
    Touchpoint("checkout", "purchase", "web", "product"),
    Touchpoint("order_web", "purchase", "web", "sales"),
    Touchpoint("order_app", "purchase", "app", "sales"),
    Touchpoint("order_store", "purchase", "store", "sales", "physical"),
    Touchpoint("order_phone", "purchase", "phone", "sales"),
    Touchpoint("order_whatsapp", "purchase", "WhatsApp", "sales"),
    Touchpoint("delivery_notice", "delivery", "SMS", "logistics", advances_stage=False),
    Touchpoint("parcel_delivered", "delivery", "courier", "logistics", "physical"),
    Touchpoint("store_pickup", "delivery", "store", "logistics", "physical"),
    Touchpoint("product_return", "support", "courier", "logistics", "physical"),
    Touchpoint("app_session", "use", "app", "product"),
    Touchpoint("account_page", "use", "web", "product"),
    Touchpoint("help_article", "support", "self-service", "support"),
    Touchpoint("ticket_email", "support", "e-mail", "support"),
    Touchpoint("ticket_web", "support", "web", "support"),
    Touchpoint("ticket_chat", "support", "chat", "support"),
    Touchpoint("ticket_whatsapp", "support", "WhatsApp", "support"),
    Touchpoint("ticket_phone", "support", "phone", "support"),
    Touchpoint("ticket_social", "support", "social", "support"),
    Touchpoint("ticket_app", "support", "app", "support"),
    Touchpoint("ticket_other", "support", "other", "support"),
    Touchpoint("loyalty_programme", "loyalty", "app", "marketing"),
    Touchpoint(
        "referral_invitation", "loyalty", "e-mail", "marketing", advances_stage=False
    ),
    Touchpoint("recommendation", "loyalty", "social", "marketing"),
    Touchpoint("follow_up_call", "loyalty", "phone", "support", advances_stage=False),
    Touchpoint("follow_up_mail", "loyalty", "e-mail", "support", advances_stage=False),
    Touchpoint("survey_thanks", "loyalty", "e-mail", "marketing", advances_stage=False),
    Touchpoint(UNMAPPED, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, advances_stage=False),
)
CODE_OF = {touchpoint.name: code for code, touchpoint in enumerate(TOUCHPOINTS)}


@dataclass(frozen=True)
class ActivityKind:
    """One kind of CRM activity.

    per_customer : events per customer and night
    hours : which profile of the day it follows
    anonymous : share of the visitors whom nobody knows
    is_outreach : a person of the company turns to the customer
    is_follow_up : comes after answers to surveys (plan/follow_ups), not by itself
    """

    type: str
    event: str
    touchpoint: str
    per_customer: float
    hours: str = "evening"
    direction: str = "INBOUND"
    anonymous: float = 0.0
    is_outreach: bool = False
    is_follow_up: bool = False


ACTIVITY_KINDS = (
    ActivityKind("BLOG_VISIT", "article_read", "blog_article", 0.034, anonymous=0.55),
    ActivityKind("SOCIAL", "post_engaged", "social_post", 0.020),
    ActivityKind(
        "EMAIL", "newsletter_sent", "newsletter", 0.050, "morning", "OUTBOUND"
    ),
    ActivityKind(
        "WEB_VISIT", "landing_page_viewed", "landing_page", 0.040, anonymous=0.50
    ),
    ActivityKind(
        "WEB_VISIT", "product_page_viewed", "product_page", 0.040, anonymous=0.30
    ),
    ActivityKind("WEB_VISIT", "price_page_viewed", "price_page", 0.024, anonymous=0.20),
    ActivityKind(
        *("CALL", "sales_call", "sales_call", 0.006, "office", "OUTBOUND"),
        is_outreach=True,
    ),
    ActivityKind("MEETING", "demo_meeting", "demo_meeting", 0.002, "office"),
    ActivityKind("CHAT", "sales_chat", "sales_chat", 0.008, "office"),
    ActivityKind("WHATS_APP", "sales_message", "sales_whatsapp", 0.012),
    ActivityKind("STORE_VISIT", "store_visit", "store_visit", 0.016, "shop"),
    ActivityKind("WEB_VISIT", "checkout_viewed", "checkout", 0.012),
    ActivityKind(
        "SMS", "delivery_notice_sent", "delivery_notice", 0.0, "office", "OUTBOUND"
    ),
    ActivityKind("APP_SESSION", "app_session", "app_session", 0.072),
    ActivityKind("WEB_VISIT", "account_viewed", "account_page", 0.026),
    ActivityKind("WEB_VISIT", "help_article_viewed", "help_article", 0.018),
    ActivityKind("APP_SESSION", "loyalty_points_viewed", "loyalty_programme", 0.012),
    ActivityKind(
        "EMAIL", "referral_sent", "referral_invitation", 0.007, "morning", "OUTBOUND"
    ),
    ActivityKind("SOCIAL", "recommendation_posted", "recommendation", 0.005),
    # A kind that no rule maps: it must be counted, never dropped.
    ActivityKind("KIOSK", "kiosk_ping", UNMAPPED, 0.0008, "shop", ""),
    ActivityKind(
        *("CALL", "follow_up_call", "follow_up_call", 0.0, "office", "OUTBOUND"),
        is_outreach=True,
        is_follow_up=True,
    ),
    ActivityKind(
        *("EMAIL", "follow_up_mail_sent", "follow_up_mail", 0.0, "office", "OUTBOUND"),
        is_outreach=True,
        is_follow_up=True,
    ),
    ActivityKind(
        *("EMAIL", "survey_thanks_sent", "survey_thanks", 0.0, "evening", "OUTBOUND"),
        is_follow_up=True,
    ),
)
KIND_OF = {kind.event: code for code, kind in enumerate(ACTIVITY_KINDS)}

# Weights of the 24 local hours. None is zero around midnight: answers and visits near
# the border of two days are what a wrong time zone gets wrong.
HOUR_WEIGHTS: dict[str, tuple[float, ...]] = {
    "evening": (
        *(3, 1.5, 0.8, 0.4, 0.3, 0.5, 1.2, 2.5, 3.5, 4, 4.2, 4.5),
        *(5.5, 5, 4.2, 4, 4.2, 4.8, 6, 7.5, 8.5, 8.5, 7, 5),
    ),
    "morning": (
        *(0.2, 0.1, 0.1, 0.1, 0.2, 1, 6, 14, 18, 16, 10, 6),
        *(4, 4, 4, 4, 3, 2, 2, 1.5, 1, 0.8, 0.5, 0.4),
    ),
    "office": (
        *(0.05, 0.02, 0.02, 0.02, 0.02, 0.1, 0.5, 2, 7, 11, 12, 11),
        *(7, 8, 11, 12, 11, 7, 3, 1.2, 0.6, 0.4, 0.2, 0.1),
    ),
    "shop": (
        *(0.02, 0.01, 0.01, 0.01, 0.01, 0.02, 0.1, 0.3, 1, 4, 7, 9),
        *(9, 8, 8, 9, 10, 11, 11, 8, 4, 1.5, 0.4, 0.1),
    ),
}
