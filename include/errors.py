"""The errors a person sees: one clear sentence each: what, where, what to do.

Anything else that is raised is a defect of the warehouse and keeps its traceback.
"""

from datetime import date

# Of a vendor's own words (headers, field names, file names) a sentence shows so much.
LONGEST_WORDS = 600


def make_printable(text: str, longest: int = LONGEST_WORDS) -> str:
    """Write text in one line, as pages, logs and the database can show it.

    Line ends become spaces; NUL, control characters, invisible ones and half surrogate
    pairs become escapes; what is longer than `longest` is cut.
    """
    shown = text if len(text) <= longest else f"{text[:longest]}…"
    if shown.isprintable():
        return shown
    return "".join(
        character
        if character.isprintable()
        else " "
        if character in "\r\n"
        else character.encode("unicode_escape").decode()
        for character in shown
    )


class WarehouseError(Exception):
    """Something a person can put right; the text says how."""


class SettingsError(WarehouseError):
    """A setting is missing or wrong."""


class ExportError(WarehouseError):
    """A vendor's export cannot be loaded.

    Parameters
    ----------
    feed : "<system>.<feed>", for example "hubspot.contacts"
    batch_date : the batch date of the load
    reason : what is wrong, without a full stop: "the column Record ID is missing"
    remedy : what to do, as an order, without a full stop: "export it again"
    file : path below the landing folder, when one file is to blame
    row : record number in that file, counted from 1 without header rows
    """

    def __init__(
        self,
        feed: str,
        batch_date: date,
        reason: str,
        remedy: str,
        file: str | None = None,
        row: int | None = None,
    ) -> None:
        self.feed = feed
        self.batch_date = batch_date
        self.reason = reason = make_printable(reason)
        self.remedy = remedy = make_printable(remedy)
        self.file = file = None if file is None else make_printable(file)
        self.row = row
        place = f"{feed} of {batch_date.isoformat()}"
        if file is not None:
            place += f", file {file}"
        if row is not None:
            place += f", row {row}"
        super().__init__(f"{place}: {reason}; {remedy}.")

    def __reduce__(self) -> tuple[type["ExportError"], tuple[object, ...]]:
        """Let the error cross process borders (its text alone would not rebuild it)."""
        return type(self), (
            self.feed,
            self.batch_date,
            self.reason,
            self.remedy,
            self.file,
            self.row,
        )


class MissingExportError(ExportError):
    """A required feed sent no file for the batch date."""


class GateError(WarehouseError):
    """A gate refused data that readers would have seen.

    Parameters
    ----------
    message : what was refused and what to do
    source : the system to blame ("qualtrics"), where the doubt belongs to one alone
    """

    def __init__(self, message: str, source: str | None = None) -> None:
        super().__init__(message)
        self.source = source


class BuildError(WarehouseError):
    """The models did not build."""


class PublishError(WarehouseError):
    """The checked build could not be copied into marts."""
