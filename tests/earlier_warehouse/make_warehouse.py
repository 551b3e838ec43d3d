"""Run in a checkout of the early commit: makes warehouse.dump and the landing files.

Six nights of the smallest sample, loaded as one range; a record of the fifth night has
too few fields; the third night is corrected and loaded again. The seventh night is left
for the code of today.
"""

import csv
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import psycopg

from include import night
from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings

SAMPLE = SampleParameters(customers=100, nights=7, seed=5)
KEY_SECRET = "a fixed secret, so that customer keys are the same in every test"


def main(out: Path) -> None:
    landing = out / "landing"
    write_sample_exports(landing, SAMPLE)
    nights = [SAMPLE.first_night + timedelta(days=day) for day in range(7)]
    (activities,) = (landing / "hubspot" / "activities" / str(nights[4])).iterdir()
    with activities.open("a") as file:
        file.write("too,few,fields\n")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres", is_durable=False)
        server.start()
        try:
            settings = Settings(
                database_url=server.url(),
                landing_url=str(landing),
                key_secret=KEY_SECRET,
                reporting_time_zone="America/Sao_Paulo",
                report_folder=Path(folder) / "report",
            )
            print(night.run_nights(settings, nights[0], nights[5], "six nights", print))
            correct(landing / "qualtrics" / "responses" / str(nights[2]))
            print(night.run_nights(settings, nights[2], nights[2], "corrected", print))
            dump(server, out / "warehouse.dump")
            with psycopg.connect(server.url()) as connection:
                for query in QUERIES:
                    print(query, connection.execute(query).fetchall())
        finally:
            server.stop()


QUERIES = [
    "select status, count(*) from audit.loads group by 1",
    "select count(*) from audit.rejects",
    "select count(*) from audit.published_changes",
    "select count(*) from marts.fct_survey_responses",
    "select count(*) from marts.fct_touchpoints",
    "select name from audit.migrations",
]


def correct(folder: Path) -> None:
    """Raise one relational score of the night."""
    (path,) = folder.glob("SV_NPS_RELATIONAL__*")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    column = rows[0].index("Q_NPS")
    row = next(row for row in rows[3:] if row[column] in set("12345678"))
    row[column] = str(int(row[column]) + 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def dump(server: EmbeddedPostgres, target: Path) -> None:
    command = [server.program("pg_dump"), "--format=custom", "--compress=none"]
    command += [f"--file={target}", f"--dbname={server.url()}"]
    subprocess.run(command, check=True)


main(Path(sys.argv[1]))
