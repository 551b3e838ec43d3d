"""HubSpot's CSV files: their headers and places.

In: feed, night, lines. Out: <landing>/hubspot/<feed>/<batch date>/<feed>.csv.
"""

from collections.abc import Iterable

from include.sample_exports.export.landing_writer import LandingWriter
from include.sample_exports.plan.plan import Plan

HEADERS: dict[str, tuple[str, ...]] = {
    "contacts": (
        "Record ID",
        "First Name",
        "Last Name",
        "Email",
        "Phone Number",
        "Document Number",
        "Country/Region",
        "City",
        "Preferred Language",
        "Lifecycle Stage",
        "Customer Segment",
        "Preferred Channel",
        "Associated Company ID",
        "Original Source",
        "Create Date",
        "Became a Customer Date",
        "Unsubscribed from all email",
        "Survey Opt-out",
        "Merged object IDs",
        "Last Modified Date",
    ),
    "companies": (
        "Record ID",
        "Company name",
        "Company Domain Name",
        "Industry",
        "Country/Region",
        "Number of Employees",
        "Create Date",
        "Last Modified Date",
    ),
    "deals": (
        "Record ID",
        "Deal Name",
        "Pipeline",
        "Deal Stage",
        "Amount",
        "Currency",
        "Associated Contact ID",
        "Create Date",
        "Close Date",
        "Last Modified Date",
    ),
    "deal_stage_history": (
        "Deal ID",
        "Deal Stage",
        "Date Entered",
        "Date Exited",
        "Source",
    ),
    "orders": (
        "Record ID",
        "Order Name",
        "Associated Contact ID",
        "Order Status",
        "Sales Channel",
        "Store",
        "Product Line",
        "Total Amount",
        "Net Amount",
        "Currency",
        "Order Date",
        "Last Modified Date",
    ),
    "deliveries": (
        "Record ID",
        "Order ID",
        "Associated Contact ID",
        "Delivery Method",
        "Carrier",
        "Shipped Date",
        "Promised Date",
        "Delivered Date",
        "Delivery Status",
        "Last Modified Date",
    ),
    "returns": (
        "Record ID",
        "Order ID",
        "Associated Contact ID",
        "Reason",
        "Refund Amount",
        "Currency",
        "Return Date",
        "Last Modified Date",
    ),
    "activities": (
        "Record ID",
        "Activity Type",
        "Event",
        "Direction",
        "Activity Date",
        "Associated Contact ID",
        "Visitor ID",
        "Subject",
        "Page URL",
        "Store",
        "Assigned To",
        "Last Modified Date",
    ),
}


def write_file(
    plan: Plan,
    landing: LandingWriter,
    feed: str,
    night: int,
    chunks: Iterable[bytes | memoryview],
) -> None:
    day = plan.days.dates[night].isoformat()
    landing.write(f"hubspot/{feed}/{day}/{feed}.csv", chunks)


def write_header(feed: str) -> bytes:
    return (",".join(HEADERS[feed]) + "\n").encode()
