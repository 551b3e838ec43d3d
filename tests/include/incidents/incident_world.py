"""A warehouse where things go wrong, and a channel that writes down what it sends."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from include import audit
from include.errors import ExportError, MissingExportError
from include.incidents.findings import find_delays, find_faults
from include.incidents.kinds import KINDS
from include.incidents.ledger import Comparison, compare
from include.incidents.messages import Message, NotSentError, deliver
from include.settings import Settings, connect

NIGHT = date(2026, 11, 19)
# Eight in the morning after, in Sao Paulo.
MORNING = datetime(2026, 11, 20, 11, tzinfo=UTC)


@dataclass
class RecordingChannel:
    """Sends into a list, unless it is broken."""

    sent: list[Message] = field(default_factory=list)
    is_broken: bool = False

    def send(self, message: Message) -> None:
        if self.is_broken:
            raise NotSentError("ConnectionRefusedError; see the log.")
        self.sent.append(message)

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.sent]


class IncidentWorld:
    """Writes into audit what steps of a night would, and looks."""

    def __init__(self, settings: Settings) -> None:
        self.given_settings = settings
        self.owner = connect(settings)
        audit.migrate(self.owner)
        self.owner.commit()
        self.owner.autocommit = True
        self.begin_again()

    def begin_again(self) -> "IncidentWorld":
        """Forget all that was loaded, built, published and told."""
        self.settings = self.given_settings
        self.channels = {"mail": RecordingChannel()}
        self.owner.execute(
            "truncate audit.incidents, audit.feed_failures, audit.loads,"
            " audit.gate_results, audit.builds, audit.publishes, audit.as_of"
            " restart identity cascade"
        )
        return self

    @property
    def mail(self) -> RecordingChannel:
        return self.channels["mail"]

    def look(self, now: datetime | None = None, run_id: str = "run") -> Comparison:
        """Look at the end of a run; at what a clock tells at a moment that is given."""
        with connect(self.settings, "transformer") as connection:
            connection.autocommit = True
            findings = find_faults(connection, self.settings, run_id)
            if now is not None:
                findings += find_delays(connection, self.settings, now)
            kinds = [kind for kind in KINDS if now or not kind.needs_timetable]
            found = compare(
                connection, self.settings, findings, kinds, self.channels.keys()
            )
            deliver(connection, self.settings, self.channels)
        return found

    def rows(
        self, query: str, *values: object, **named: object
    ) -> list[tuple[Any, ...]]:
        return self.owner.execute(query, named or values).fetchall()

    def miss(self, feed: str, night: date = NIGHT) -> None:
        reason = f"no file has arrived in {feed}"
        error = MissingExportError(feed, night, reason, "ask for it")
        audit.record_feed_failure(self.owner, "run", feed, night, error)

    def refuse(self, feed: str, night: date = NIGHT) -> None:
        error = ExportError(feed, night, "a column is gone", "export it again")
        audit.record_feed_failure(self.owner, "run", feed, night, error)

    def arrive(self, feed: str, night: date = NIGHT) -> None:
        audit.resolve_feed_failures(self.owner, feed, night)

    def add_load(self, feed: str, status: str, night: date = NIGHT) -> int:
        ((load_id,),) = self.rows(
            "insert into audit.loads (feed, batch_date, status, held_reason,"
            " content_hash, contract_hash, run_id)"
            " values (%s, %s, %s, %s, '', '', 'run') returning load_id",
            *(
                feed,
                night,
                status,
                "the list is cut off." if status == "held" else None,
            ),
        )
        return load_id

    def judge(self, load_id: int, expectation: str, is_met: bool) -> None:
        self.owner.execute(
            "insert into audit.gate_results (run_id, gate, suite, subject,"
            " expectation, severity, is_met, observed, load_id)"
            " values ('run', 'raw', 'raw', 'x', %s, 'warning', %s,"
            "  '3 rows came where 300 are usual', %s)",
            [expectation, is_met, load_id],
        )

    def build(
        self, status: str = "succeeded", message: str | None = None, gated: bool = True
    ) -> int:
        ((build_id,),) = self.rows(
            "insert into audit.builds (run_id, status, loads_touched, models_rebuilt,"
            " finished_at, message) values ('run', %(status)s, 1, 1,"
            "  case when %(status)s <> 'running' then clock_timestamp() end,"
            "  %(message)s) returning build_id",
            status=status,
            message=message,
        )
        if gated:
            self.owner.execute(
                "update audit.builds set gated_at = clock_timestamp()"
                " where build_id = %s and status = 'succeeded'",
                [build_id],
            )
        return build_id

    def stop_at_gate_2(self) -> None:
        self.owner.execute(
            "insert into audit.gate_results (run_id, gate, suite, subject,"
            " expectation, severity, is_met, observed)"
            " values ('run', 'marts', 'marts', 'mart_nps_daily', 'adds up to its"
            " facts', 'critical', false, '12 more')"
        )

    def publish(self, build_id: int, at: datetime = MORNING) -> None:
        self.owner.execute(
            "insert into audit.publishes (run_id, build_id, published_at)"
            " values ('run', %s, %s)",
            [build_id, at],
        )

    def set_as_of(self, source: str, as_of: date) -> None:
        self.owner.execute(
            "insert into audit.as_of (source, role, as_of_date) values (%s, 'crm', %s)"
            " on conflict (source) do update set as_of_date = excluded.as_of_date",
            [source, as_of],
        )
