"""The ways to tell people: Airflow's notifiers for mail and webhooks.

No DAG of its own. A channel is on when its environment variables are set: for mail
`CX_ALERT_EMAILS` (and the connection `AIRFLOW_CONN_CX_MAIL`), for a webhook
`AIRFLOW_CONN_CX_WEBHOOK`. The notifiers take a second to import: a night that has
nothing to tell does without them.
"""

import logging
import os
from html import escape

from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowException

from include.incidents.messages import Channel, Message, NotSentError

MAIL_CONNECTION = "cx_mail"
WEBHOOK_CONNECTION = "cx_webhook"
TIMEOUT_SECONDS = 20

# Warnings of the hook repeat the address, whose path is often the secret.
webhook_log = logging.getLogger(f"{__name__}.webhook")
webhook_log.setLevel(logging.ERROR)


def find_channels() -> dict[str, Channel]:
    """Return the channels that are switched on, by name."""
    channels: dict[str, Channel] = {}
    recipients = os.environ.get("CX_ALERT_EMAILS", "").replace(",", " ").split()
    if recipients:
        channels["mail"] = MailChannel(recipients)
    if os.environ.get("AIRFLOW_CONN_CX_WEBHOOK"):
        channels["webhook"] = WebhookChannel()
    return channels


class MailChannel:
    """Mail to everybody who is to hear of incidents."""

    def __init__(self, recipients: list[str]) -> None:
        self.recipients = recipients

    def send(self, message: Message) -> None:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in message.lines)
        notifier = SmtpNotifier(
            smtp_conn_id=MAIL_CONNECTION,
            to=self.recipients,
            subject=message.title,
            html_content=paragraphs,
        )
        _notify(notifier)


class WebhookChannel:
    """One JSON object per message; `text` is what chat tools show."""

    def send(self, message: Message) -> None:
        from airflow.providers.http.notifications.http import HttpNotifier

        notifier = HttpNotifier(
            http_conn_id=WEBHOOK_CONNECTION,
            json={
                "text": "\n".join([message.title, *message.lines]),
                "incident": message.incident_id,
                "event": "closed" if message.closed_at else "opened",
                "kind": message.kind,
                "subject": message.subject,
                "owner": message.owner,
                "runbook": message.runbook,
            },
            extra_options={"timeout": TIMEOUT_SECONDS},
        )
        notifier.hook._log = webhook_log
        _notify(notifier)


def _notify(notifier: BaseNotifier) -> None:
    """Send, without rendering: what a vendor wrote is never a template.

    Raises NotSentError that names the kind of error alone: its text may hold an address
    or the secret part of a webhook's.
    """
    try:
        notifier.notify({})
    except (AirflowException, OSError, ValueError, RuntimeError) as error:
        status = getattr(error, "status_code", None) or getattr(error, "smtp_code", "")
        reason = f"{type(error).__name__} {status}".strip()
        raise NotSentError(f"{reason}; see the log, and the connection.") from error
