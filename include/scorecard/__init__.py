"""The scorecard: one static page that a customer-experience team reads.

In: the published scores, what moved them, the journey funnel and
``marts.data_status``. Out: ``<report folder>/scorecard.html``, complete in itself: no
script, no font and no address from elsewhere, so that it can be mailed, printed and
read offline.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from include.scorecard import (
    bars,
    charts,
    journey,
    moves,
    sources,
    summaries,
    verdicts,
    words,
)
from include.scorecard.content import read_scorecard
from include.settings import Settings, connect

FILE_NAME = "scorecard.html"


def write_scorecard(settings: Settings) -> Path:
    """Write the page and return where it lies; readers never see half of it."""
    with connect(settings, "bi_reader") as connection:
        scorecard = read_scorecard(connection)
    page = _load_template().render(scorecard=scorecard)
    settings.report_folder.mkdir(parents=True, exist_ok=True)
    path = settings.report_folder / FILE_NAME
    unfinished = path.with_suffix(".part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)
    return path


@cache
def _load_template() -> Template:
    """Compile the page's template, once in a process."""
    environment = Environment(
        loader=PackageLoader("include.scorecard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        bars=bars,
        charts=charts,
        journey=journey,
        moves=moves,
        sources=sources,
        summaries=summaries,
        verdicts=verdicts,
        words=words,
    )
    return environment.get_template("scorecard.html.j2")
