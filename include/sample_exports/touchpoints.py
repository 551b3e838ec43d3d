"""The touchpoints of the company, and which activities lead to them.

Constants only. A touchpoint belongs to one journey stage and one channel.
"""

from dataclasses import dataclass

UNKNOWN = "(unknown)"
UNMAPPED = "(unmapped)"


@dataclass(frozen=True)
class Touchpoint:
    """One place where customer and company meet."""

    name: str
    stage: str
    channel: str


TOUCHPOINTS = (
    Touchpoint("blog_article", "discovery", "blog"),
    Touchpoint("social_post", "discovery", "social"),
    Touchpoint("newsletter", "discovery", "e-mail"),
    Touchpoint("landing_page", "recognition", "web"),
    Touchpoint("product_page", "recognition", "web"),
    Touchpoint("price_page", "consideration", "web"),
    Touchpoint("sales_call", "consideration", "phone"),
    Touchpoint("demo_meeting", "consideration", "meeting"),
    Touchpoint("sales_chat", "consideration", "chat"),
    Touchpoint("sales_whatsapp", "consideration", "WhatsApp"),
    Touchpoint("store_visit", "consideration", "store"),
    Touchpoint("checkout", "purchase", "web"),
    Touchpoint("order_web", "purchase", "web"),
    Touchpoint("order_app", "purchase", "app"),
    Touchpoint("order_store", "purchase", "store"),
    Touchpoint("order_phone", "purchase", "phone"),
    Touchpoint("order_whatsapp", "purchase", "WhatsApp"),
    Touchpoint("delivery_notice", "delivery", "SMS"),
    Touchpoint("parcel_delivered", "delivery", "courier"),
    Touchpoint("store_pickup", "delivery", "store"),
    Touchpoint("product_return", "support", "courier"),
    Touchpoint("app_session", "use", "app"),
    Touchpoint("account_page", "use", "web"),
    Touchpoint("help_article", "support", "self-service"),
    Touchpoint("ticket_email", "support", "e-mail"),
    Touchpoint("ticket_web", "support", "web"),
    Touchpoint("ticket_chat", "support", "chat"),
    Touchpoint("ticket_whatsapp", "support", "WhatsApp"),
    Touchpoint("ticket_phone", "support", "phone"),
    Touchpoint("ticket_social", "support", "social"),
    Touchpoint("ticket_app", "support", "app"),
    Touchpoint("ticket_other", "support", "other"),
    Touchpoint("loyalty_programme", "loyalty", "app"),
    Touchpoint("referral_invitation", "loyalty", "e-mail"),
    Touchpoint("recommendation", "loyalty", "social"),
    Touchpoint(UNMAPPED, UNKNOWN, UNKNOWN),
)
CODE_OF = {touchpoint.name: code for code, touchpoint in enumerate(TOUCHPOINTS)}


@dataclass(frozen=True)
class ActivityKind:
    """One kind of CRM activity.

    per_customer : events per customer and night
    hours : which profile of the day it follows
    anonymous : share of the visitors whom nobody knows
    """

    type: str
    event: str
    touchpoint: str
    per_customer: float
    hours: str = "evening"
    direction: str = "INBOUND"
    anonymous: float = 0.0


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
    ActivityKind("CALL", "sales_call", "sales_call", 0.006, "office", "OUTBOUND"),
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
