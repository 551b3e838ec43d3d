"""Make the pages of Great Expectations readable offline, and keep them few.

In: the pages and results that Great Expectations writes. Out: the same pages without
the scripts, styles, pictures and newsletter that they fetch from other servers,
with a style sheet of ours inside; an index of the runs; old runs removed.
"""

import json
import re
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

KEPT_RUNS = 30
SITE = "data_docs"
RESULTS = ".gate_results"

# Whole elements that name an address elsewhere.
EXTERNAL = re.compile(
    r"<script[^>]*\ssrc=[\"']?https?:[^>]*>.*?</script>"
    r"|<(?:link|img)\b[^>]*https?://[^>]*>"
    r"|<footer\b.*?</footer>"
    r"|<[^<>]*great-expectations-web-assets[^<>]*>"
    r"|url\([\"']?https?://[^)]*\)",
    re.DOTALL | re.IGNORECASE,
)
# The pages of the suites are not written: the rules are in expectations/.
DEAD_LINK = re.compile(r"<a\b[^>]*expectations/[^>]*>(.*?)</a>", re.DOTALL)
LINK = re.compile(r"(href=[\"'])https?://[^\"']*", re.IGNORECASE)
STYLE = """<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 0 auto;
  padding: 16px 24px; }
nav { height: auto !important; position: static; }
table { border-collapse: collapse; margin: 8px 0 20px; }
td, th { text-align: left; vertical-align: top; padding: 5px 14px 5px 0;
  border-bottom: 1px solid #8885; overflow-wrap: anywhere; }
h4, h5, h6 { font-size: 17px; margin: 22px 0 4px; }
pre, code { white-space: pre-wrap; }
.fa-times, .text-danger { color: #b3361b; } .text-success { color: #1d7a48; }
.text-danger::before { content: "✗ "; } .text-success::before { content: "✓ "; }
.ge-breadcrumbs, .navbar-brand img { list-style: none; padding: 0; }
.collapse, .modal, [id^=ge-cta-footer] { display: none; }
</style>
"""


def forget_old_runs(report_folder: Path) -> None:
    """Keep the results and pages of the last runs of each suite, with room for one."""
    # <root>/<suite>/<run name>/<time>/: the time sorts as text.
    for root in (report_folder / RESULTS, report_folder / SITE / "validations"):
        for suite in root.glob("*/"):
            times = sorted(suite.glob("*/*/"), key=lambda folder: folder.name)
            for folder in times[: max(0, len(times) - KEPT_RUNS + 1)]:
                shutil.rmtree(folder)
                if not any(folder.parent.iterdir()):
                    folder.parent.rmdir()


def finish_pages(report_folder: Path) -> None:
    """Make the pages written since the last time self-contained; write the index."""
    site = report_folder / SITE
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if STYLE not in text and page != site / "index.html":
            page.write_text(make_self_contained(text), encoding="utf-8")
    rows = "".join(
        f'<tr><td><a href="{escape(page)}">{escape(time)}</a></td>'
        f"<td>{escape(suite)}</td><td>{escape(run)}</td><td>{status}</td></tr>"
        for time, suite, run, status, page in sorted(
            _list_runs(report_folder), reverse=True
        )
    )
    (site / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Data Docs of the gates</title>{STYLE}</head><body>"
        "<h1>What the gates checked</h1><table><thead><tr><th>Checked</th>"
        "<th>Suite</th><th>Run</th><th>Outcome</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>",
        encoding="utf-8",
    )


def make_self_contained(page: str) -> str:
    """Remove what a page would fetch from elsewhere; put our style sheet in."""
    page = DEAD_LINK.sub(r"\1", LINK.sub(r"\1#", EXTERNAL.sub("", page)))
    return page.replace("</head>", f"{STYLE}</head>", 1)


def _list_runs(report_folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """List time, suite, run, outcome and page of every kept run."""
    site = report_folder / SITE
    for page in site.glob("validations/*/*/*/*.html"):
        suite, run, time = page.relative_to(site / "validations").parts[:3]
        kept = report_folder / RESULTS / suite / run / time / f"{page.stem}.json"
        if not kept.exists():
            continue
        statistics = json.loads(kept.read_text(encoding="utf-8"))["statistics"]
        failed = statistics["unsuccessful_expectations"]
        met = statistics["successful_expectations"]
        status = f"{met} met, <b>{failed} not met</b>" if failed else f"all {met} met"
        yield (
            f"{time[:4]}-{time[4:6]}-{time[6:8]} {time[9:11]}:{time[11:13]} UTC",
            suite,
            run,
            status,
            page.relative_to(site).as_posix(),
        )
