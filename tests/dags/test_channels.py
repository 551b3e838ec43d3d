"""Incidents reach people: Airflow's notifiers, real servers of mail and web."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from include import audit
from include.errors import MissingExportError
from include.settings import Settings, connect
from tests.dags.mail_server import Mailbox, open_mailbox
from tests.dags.read_dags import AirflowShell
from tests.include.incidents.incident_world import NIGHT, IncidentWorld

LOOK = "from dags.watch import look; look.function()"
SECRET = "b7f1-the-secret-part"


@dataclass
class Hook:
    """Keeps what a web server is sent; answers with a status."""

    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    with open_mailbox() as opened:
        yield opened


@pytest.fixture
def hook() -> Iterator[tuple[Hook, int]]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.posts.append((self.path, json.loads(content)))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield hook, server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(settings: Settings) -> Iterator[IncidentWorld]:
    world = IncidentWorld(settings)
    yield world
    world.owner.close()


@pytest.fixture
def environment(
    world: IncidentWorld, mailbox: tuple[Mailbox, int], hook: tuple[Hook, int]
) -> dict[str, str]:
    """What .env.example describes, for servers on loopback."""
    mail = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mailbox[1],
        "extra": {
            "from_email": "warehouse@example.com",
            "disable_ssl": True,
            "disable_tls": True,
        },
    }
    web = {"conn_type": "http", "host": f"http://127.0.0.1:{hook[1]}/cx/{SECRET}"}
    return {
        "CX_DATABASE_URL": world.settings.database_url,
        "CX_LANDING_URL": world.settings.landing_url,
        "CX_KEY_SECRET": world.settings.key_secret,
        "CX_REPORT_FOLDER": str(world.settings.report_folder),
        "CX_RUNBOOK_URL": "https://docs.example.com/runbook.md",
        "CX_ALERT_EMAILS": "data@example.com, cx@example.com",
        "AIRFLOW_CONN_CX_MAIL": json.dumps(mail),
        "AIRFLOW_CONN_CX_WEBHOOK": json.dumps(web),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def test_an_incident_is_one_mail_and_one_post_when_it_opens_and_when_it_is_over(
    airflow_shell: AirflowShell,
    world: IncidentWorld,
    environment: dict[str, str],
    mailbox: tuple[Mailbox, int],
    hook: tuple[Hook, int],
) -> None:
    box, web = mailbox[0], hook[0]
    # What a vendor has written is text: no markup, no template.
    reason = "no file matches *.csv, but there is {{ 7 * 7 }}<b>.csv"
    error = MissingExportError("hubspot.orders", NIGHT, reason, "rename the files")
    world.refuse("zendesk.tickets")
    audit.record_feed_failure(world.owner, "run", "hubspot.returns", NIGHT, error)
    world.owner.execute(
        "update audit.feed_failures set message = %s where feed = 'zendesk.tickets'",
        [str(error)],
    )
    for _ in range(2):
        airflow_shell.run(LOOK, environment)
    assert sorted(str(mail["Subject"]) for mail in box.mails) == [
        "Open: Export late or missing, hubspot",
        "Open: Export unreadable, zendesk.tickets",
    ]
    mail = box.mails[1]
    assert mail["From"] == "warehouse@example.com"
    assert mail["To"] == "data@example.com, cx@example.com"
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/html")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    html = content.decode()
    assert "but there is {{ 7 * 7 }}&lt;b&gt;.csv; rename the files." in html
    assert "Owner: customer support" in html
    link = "https://docs.example.com/runbook.md#export-unreadable"
    assert f"What to do: {link}" in html

    (_, missing), (path, unreadable) = web.posts
    assert path == f"/cx/{SECRET}"
    assert {key: value for key, value in missing.items() if key != "text"} == {
        "incident": 1,
        "event": "opened",
        "kind": "export_missing",
        "subject": "hubspot",
        "owner": "sales operations",
        "runbook": "https://docs.example.com/runbook.md#export-late-or-missing",
    }
    assert "but there is {{ 7 * 7 }}<b>.csv; rename the files." in unreadable["text"]

    world.arrive("hubspot.returns")
    world.arrive("zendesk.tickets")
    for _ in range(2):
        airflow_shell.run(LOOK, environment)
    assert sorted(str(mail["Subject"]) for mail in box.mails[2:]) == [
        "Over: Export late or missing, hubspot",
        "Over: Export unreadable, zendesk.tickets",
    ]
    assert [post["event"] for _, post in web.posts[2:]] == ["closed", "closed"]


def test_servers_that_fail_are_tried_again_at_the_next_look_and_give_nothing_away(
    airflow_shell: AirflowShell,
    world: IncidentWorld,
    environment: dict[str, str],
    mailbox: tuple[Mailbox, int],
    hook: tuple[Hook, int],
) -> None:
    box, web = mailbox[0], hook[0]
    box.is_refusing, web.status = True, 503
    world.miss("hubspot.orders")
    airflow_shell.run(LOOK, environment)
    assert (box.mails, web.posts) == ([], [])
    # Nothing listens there any more.
    gone = json.loads(environment["AIRFLOW_CONN_CX_WEBHOOK"])
    gone["host"] = f"http://127.0.0.1:9/cx/{SECRET}"
    airflow_shell.run(LOOK, environment | {"AIRFLOW_CONN_CX_WEBHOOK": json.dumps(gone)})
    owed = world.rows(
        "select channel, attempts, last_error, notified_at"
        " from audit.incident_messages order by 1"
    )
    assert [(channel, attempts) for channel, attempts, _, _ in owed] == [
        ("mail", 2),
        ("webhook", 2),
    ]
    assert all(error and notified_at is None for _, _, error, notified_at in owed)
    log = airflow_shell.read_log()
    assert "by webhook is still to be sent: ConnectionError" in log
    assert SECRET not in str(owed) + log
    assert "example.com" not in str(owed)

    box.is_refusing, web.status = False, 200
    airflow_shell.run(LOOK, environment)
    assert len(box.mails) == len(web.posts) == 1


def test_without_a_channel_incidents_are_kept_and_nobody_is_told(
    airflow_shell: AirflowShell, world: IncidentWorld, environment: dict[str, str]
) -> None:
    world.miss("hubspot.orders")
    channels = dict.fromkeys(("CX_ALERT_EMAILS", "AIRFLOW_CONN_CX_WEBHOOK"), "")
    airflow_shell.run(LOOK, environment | channels)
    with connect(world.settings) as connection:
        assert connection.execute(
            "select kind, subject from audit.incidents"
        ).fetchall() == [("export_missing", "hubspot")]
        assert not connection.execute("select from audit.incident_messages").fetchall()
