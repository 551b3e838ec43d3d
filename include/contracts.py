"""The contracts of the feeds, typed and checked.

In: the dbt source declarations ``models/staging/<system>/_<system>__sources.yml``,
read as plain YAML. Out: one `FeedContract` per table that declares a contract. The
loader, gate 1, the docs and privacy all read this one declaration.
"""

import codecs
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from include.errors import SettingsError, WarehouseError

STAGING_FOLDER = Path("dbt_project/models/staging")
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*")
# What the loader adds to every raw table; no export column may be called so.
LINEAGE_PREFIX = "_"
# The column of raw with the first part of a file's name, of feeds stored as records.
STEM_COLUMN = "_file_stem"
# The number that the loader gives to rows whose source numbers none.
IDENTITY_COLUMN = "_identity"
# What the loader adds to rows that are kept as records.
LOADER_COLUMNS = (STEM_COLUMN, IDENTITY_COLUMN)
# Between a system and the name of one of its instances.
INSTANCE_MARK = "@"
UTF_8_NAMES = ("utf-8", "utf-8-sig")
# What may be declared as a list, and where all but the first of it go.
CHOICES = {
    "path": "other_paths",
    "format": "other_formats",
    "encoding": "other_encodings",
    "delimiter": "other_delimiters",
}
# Keys that came later: where they are not declared, the hash is as it was without.
LATER_KEYS = frozenset(
    {
        *CHOICES.values(),
        *("mixed_encodings", "padded_rows", "footer"),
        *("valid_from", "valid_to", "without"),
        *("plain_headers", "header_options", "identity_of"),
    }
)

Role = Literal["crm", "survey", "ticket"]
Delivery = Literal["snapshot", "delta"]
Format = Literal["csv", "jsonl", "json", "xlsx", "parquet"]
# Of several formats a feed has only these: rows below a header, cell by cell.
TABLE_FORMATS: tuple[Format, ...] = ("csv", "xlsx", "parquet")
Storage = Literal["columns", "record"]
DateOrder = Literal["DMY", "MDY"]
PersonalData = Literal["none", "identifier", "contact", "free_text"]
Delimiter = Annotated[str, Field(min_length=1, max_length=1)]


class _Declaration(BaseModel):
    """Frozen, and a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberContract(_Declaration):
    """The numbers that a column may hold; bounds are inclusive."""

    minimum: float | None = None
    maximum: float | None = None


class ColumnContract(_Declaration):
    """One column of a feed: its name in raw and what exports call it.

    What gate 1 looks for in its values: `values` lists all that there are, `number`
    bounds them, `refers_to` names the feed whose natural key they are.
    """

    name: str
    headers: tuple[str, ...]
    required: bool = False
    personal_data: PersonalData = "none"
    values: tuple[str, ...] = ()
    number: NumberContract | None = None
    refers_to: str | None = None
    description: str = ""

    @property
    def is_scale(self) -> bool:
        """Whether it holds scores, on a scale with two ends."""
        return self.number is not None and None not in (
            self.number.minimum,
            self.number.maximum,
        )


class ShapeContract(_Declaration):
    """Another shape that exports of the feed had or have.

    It is told by its first header, or by the batch dates `valid_from` to `valid_to`,
    inclusive, or by both. `rename` says what its headers are called today, `without`
    which required columns it lacks.
    """

    name: str
    first_header: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    header_rows: int = Field(default=1, ge=1)
    header_name_row: int = Field(default=1, ge=1)
    rename: dict[str, str] = {}
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.first_header is None and not (self.valid_from or self.valid_to):
            raise ValueError("a shape needs first_header, valid_from or valid_to")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self

    def is_valid_on(self, batch_date: date) -> bool:
        """Whether exports of the batch date may have this shape."""
        return (
            (self.valid_from or batch_date)
            <= batch_date
            <= (self.valid_to or batch_date)
        )


class HeaderOptionsContract(_Declaration):
    """A second header row, with the options of questions that take several columns.

    An export has it where its second row says nothing under the declared columns. The
    columns are then called "question - option" (`joined_by` stands between), and by the
    question alone where the option is one of `plain`: the answer itself.
    """

    joined_by: str = " - "
    plain: tuple[str, ...] = ()


class FeedContract(_Declaration):
    """What one feed promises: where its files are, how to read them, what they hold.

    `name` is "<source>.<feed>", `raw_table` "raw_<system>.<feed>". The source is the
    system, or one of several instances of it: "zendesk@acme". `record_prefix` stands
    before the numbers of its records in the star, `is_optional` says that only a
    setting switches the system on. `owner` is whom to
    ask about its source, or empty; `date_order` is the order of day and month in dates
    that do not begin with their year; `header_rows` counts the rows before the first
    record and `header_name_row` (from 1) the one with the names; `event_time` names the
    column or JSON field that says when it happened. Where a feed is a log, whose rows
    are states of a natural key one after another, `state_key` tells these apart.
    `ends_in` says where in the star a
    natural key (`staged.key`) is found, and `left_out` for which reasons one is not:
    queries that find a row, by the name of the model or the reason; the first that does
    accounts for the key.

    `path` and `format` may be lists, side by side: a file has the format of the first
    path that its name matches. `encoding` and `delimiter` may be lists, of which a file
    has the first that fits it;
    `mixed_encodings`: a file may have another one line by line. `padded_rows`: exports
    come out of a spreadsheet, whose rows gain or lose empty fields at their end.
    `footer`: patterns of what stands first in the lines after the last record.
    With `plain_headers` undeclared columns are called by their header without its
    markup and needless blanks.

    `identity_of` names the columns by which a row is known whose source numbers none:
    the loader makes `_identity` of them, for the natural key. Rows of a file that are
    alike in all of them are told apart by what else they say, never by their order.
    """

    system: str
    source_instance: str | None = None
    record_prefix: str = ""
    is_optional: bool = False
    feed: str
    role: Role
    time_zone: str = "UTC"
    date_order: DateOrder = "MDY"
    owner: str = ""
    description: str = ""
    delivery: Delivery
    required: bool = True
    path: str
    other_paths: tuple[str, ...] = ()
    format: Format
    other_formats: tuple[Format, ...] = ()
    storage: Storage
    record_path: str | None = None
    encoding: str = "utf-8"
    other_encodings: tuple[str, ...] = ()
    mixed_encodings: bool = False
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    other_delimiters: tuple[Delimiter, ...] = ()
    padded_rows: bool = False
    footer: tuple[str, ...] = ()
    header_rows: int = Field(default=1, ge=1)
    header_name_row: int = Field(default=1, ge=1)
    plain_headers: bool = False
    header_options: HeaderOptionsContract | None = None
    null_markers: tuple[str, ...] = ("",)
    natural_key: tuple[str, ...] = Field(min_length=1)
    state_key: tuple[str, ...] = ()
    identity_of: tuple[str, ...] = ()
    event_time: str | None = None
    ends_in: dict[str, str] = {}
    left_out: dict[str, str] = {}
    shapes: tuple[ShapeContract, ...] = ()
    columns: tuple[ColumnContract, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _default_storage(cls, values: dict[str, Any]) -> dict[str, Any]:
        is_json = values.get("format") in ("json", "jsonl")
        return {"storage": "record" if is_json else "columns", **values}

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Part a list of choices into the first and the others."""
        parted = dict(values)
        for one, others in CHOICES.items():
            match values.get(one):
                case [first, *rest]:
                    parted |= {one: first, others: rest}
        return parted

    @model_validator(mode="after")
    def _check(self) -> Self:
        for part in (self.system, self.feed):
            if not NAME_PATTERN.fullmatch(part):
                raise ValueError(f"{part!r} is no plain lower-case name")
        self._check_paths()
        if self.format in ("json", "jsonl") and self.storage != "record":
            raise ValueError(f"{self.format} is stored as records: storage: record")
        headers = [(self.header_name_row, self.header_rows)]
        headers += [(shape.header_name_row, shape.header_rows) for shape in self.shapes]
        if any(name_row > rows for name_row, rows in headers):
            raise ValueError("header_name_row lies below header_rows")
        self._check_choices()
        if self.format == "json" and self.record_path is None:
            raise ValueError("format json needs a record_path (empty: a list)")
        names = [column.name for column in self.columns]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"columns declared twice: {', '.join(sorted(repeated))}")
        # Fields of a record are no columns: MongoDB calls its key _id.
        reserved = [name for name in names if name.startswith(LINEAGE_PREFIX)]
        if self.storage == "record":
            reserved = [name for name in reserved if name in LOADER_COLUMNS]
        if reserved:
            raise ValueError(f"{reserved[0]!r}: names with _ belong to the loader")
        for column in self.columns:
            if (column.values or column.number) and column.personal_data != "none":
                raise ValueError(
                    f"{column.name}: personal data is not counted by value"
                )
        self._check_identity()
        wanted = {*self.natural_key, *([self.event_time] if self.event_time else [])}
        wanted |= {*self.state_key, *self.identity_of}
        made = {IDENTITY_COLUMN} if self.identity_of else set()
        if self.storage == "record":
            made.add(STEM_COLUMN)
        if unknown := sorted(wanted - set(names) - made):
            raise ValueError(f"{', '.join(unknown)}: used but not declared as a column")
        return self

    def _check_paths(self) -> None:
        for path in self.paths:
            pattern = PurePosixPath(path)
            if pattern.is_absolute() or ".." in pattern.parts or "\\" in path:
                raise ValueError(f"path {path!r} leaves the feed's folder")
        if len(self.paths) != len(self.formats):
            raise ValueError("path and format: each path has its format")
        if self.other_formats and not {*self.formats} <= {*TABLE_FORMATS}:
            raise ValueError(
                f"several formats: all of them are of {', '.join(TABLE_FORMATS)}"
            )

    def _check_choices(self) -> None:
        names = []
        for encoding in self.encodings:
            try:
                names.append(codecs.lookup(encoding).name)
            except LookupError as error:
                raise ValueError(f"{encoding!r} is no encoding") from error
        # Nearly every file fits windows-1252.
        if any(name in UTF_8_NAMES for name in names[1:]):
            raise ValueError("of several encodings, utf-8 comes first")
        if self.other_encodings and not {*self.formats} & {"csv", "jsonl"}:
            raise ValueError(f"{self.format} has one encoding")
        if self.mixed_encodings and (
            len(names) < 2
            or any(name.startswith(("utf-16", "utf-32")) for name in names)
        ):
            raise ValueError(
                "mixed_encodings needs several encodings, and none of them utf-16 or"
                " utf-32"
            )
        if (self.other_delimiters or self.padded_rows) and "csv" not in self.formats:
            raise ValueError(f"{self.format} has no delimiter, and no padded_rows")
        if self.footer and not {*self.formats} <= {"csv", "xlsx"}:
            raise ValueError(f"{self.format} has no footer")
        for pattern in self.footer:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern ({error})") from error
        lacked = {name for shape in self.shapes for name in shape.without}
        if unknown := sorted(lacked - {column.name for column in self.columns}):
            raise ValueError(
                f"{', '.join(unknown)}: lacked, but no column is so called"
            )

    def _check_identity(self) -> None:
        if IDENTITY_COLUMN in self.identity_of:
            raise ValueError(f"identity_of: {IDENTITY_COLUMN} is made of other columns")
        if self.identity_of and self.is_snapshot:
            raise ValueError("identity_of: rows of a whole list are known by their key")
        if self.identity_of and IDENTITY_COLUMN not in self.natural_key:
            raise ValueError(f"identity_of is for a natural_key with {IDENTITY_COLUMN}")
        if self.identity_of and {STEM_COLUMN} == {*self.identity_of}:
            raise ValueError("identity_of: the file's name alone tells no rows apart")

    @property
    def name(self) -> str:
        """Its name everywhere in audit: "<source>.<feed>"."""
        return f"{self.source}.{self.feed}"

    @property
    def source(self) -> str:
        """The system, or the instance of it: "zendesk", "zendesk@acme"."""
        if self.source_instance is None:
            return self.system
        return f"{self.system}{INSTANCE_MARK}{self.source_instance}"

    @property
    def paths(self) -> tuple[str, ...]:
        """The patterns of its files' names."""
        return (self.path, *self.other_paths)

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats of its files, one for each of `paths`."""
        return (self.format, *self.other_formats)

    def wants(self, path: str) -> bool:
        """Tell whether a file of this path or name is one of the feed's."""
        return any(PurePosixPath(path).match(pattern) for pattern in self.paths)

    def of_file(self, path: str) -> Self:
        """Return the contract of a file of this path or name: in its one format.

        A workbook has neither encoding nor delimiter to choose.
        """
        if not self.other_formats:
            return self
        pairs = zip(self.paths, self.formats, strict=True)
        pattern, file_format = next(
            (pair for pair in pairs if PurePosixPath(path).match(pair[0])),
            (self.path, self.format),
        )
        one: dict[str, object] = {"path": pattern, "format": file_format}
        one |= {"other_paths": (), "other_formats": ()}
        if file_format != "csv":
            one |= {"other_encodings": (), "mixed_encodings": False}
            one |= {"other_delimiters": (), "padded_rows": False}
        return self.model_copy(update=one)

    @property
    def encodings(self) -> tuple[str, ...]:
        """The encodings that files may have, the likeliest first."""
        return (self.encoding, *self.other_encodings)

    @property
    def delimiters(self) -> tuple[str, ...]:
        """The delimiters that files may have, the likeliest first."""
        return (self.delimiter, *self.other_delimiters)

    def narrow(
        self, encodings: Sequence[str] = (), delimiter: str | None = None
    ) -> Self:
        """Return the contract of one file, of whose encoding and delimiter is known.

        Several encodings stand for a file that has them line by line.
        """
        first, *others = encodings or self.encodings[:1]
        return self.model_copy(
            update={
                "encoding": first,
                "other_encodings": tuple(others),
                "delimiter": delimiter or self.delimiter,
                "other_delimiters": (),
            }
        )

    def on(self, batch_date: date) -> Self:
        """Return the contract without the shapes that no export of the date has."""
        valid = [shape for shape in self.shapes if shape.is_valid_on(batch_date)]
        return self.model_copy(update={"shapes": tuple(valid)})

    def list_lacked(self, batch_date: date) -> frozenset[str]:
        """The required columns that no export of the date has."""
        return frozenset(
            name
            for shape in self.on(batch_date).shapes
            if shape.first_header is None
            for name in shape.without
        )

    @property
    def schema_name(self) -> str:
        """The schema of its raw table."""
        return f"raw_{self.system}"

    @property
    def raw_table(self) -> str:
        """Its raw table, with the schema."""
        return f"{self.schema_name}.{self.feed}"

    @property
    def staging_model(self) -> str:
        """The model that types its rows."""
        return f"stg_{self.system}__{self.feed}"

    @property
    def is_snapshot(self) -> bool:
        """Whether each batch brings the whole list anew."""
        return self.delivery == "snapshot"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The declared columns, in the order of the declaration."""
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns (JSON: fields) without which an export is refused."""
        return tuple(column.name for column in self.columns if column.required)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over all that decides how files become raw rows, so not the prose."""
        prose = {"description", "personal_data", "values", "number", "refers_to"}
        content = self.model_dump(
            mode="json",
            exclude={
                **dict.fromkeys(
                    (
                        *("description", "role", "time_zone", "date_order", "owner"),
                        *("source_instance", "record_prefix", "is_optional"),
                        *("state_key", "event_time", "ends_in", "left_out"),
                    ),
                    True,
                ),
                "columns": {"__all__": prose},
            },
        )
        _forget_later_keys(content)
        for shape in content["shapes"]:
            _forget_later_keys(shape)
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _forget_later_keys(declared: dict[str, Any]) -> None:
    for name in LATER_KEYS & declared.keys():
        if not declared[name]:
            del declared[name]


def read_contracts(
    project_folder: Path, sources: Collection[str] = ()
) -> dict[str, FeedContract]:
    """Read the contracts of the sources that are on; keys are the feeds' names.

    Parameters
    ----------
    sources : systems, and instances of systems as zendesk@acme, in the order of their
        weight: the first of a role is the home of its record numbers. None: every
        system that is not declared optional.

    Raises WarehouseError: which file and feed, what is wrong; or a source that no file
    declares.
    """
    declared = _read_declared(project_folder)
    _check_references(declared)
    return _switch_on(declared.values(), sources)


def _switch_on(
    declared: Iterable[FeedContract], sources: Collection[str]
) -> dict[str, FeedContract]:
    by_system: dict[str, list[FeedContract]] = {}
    for contract in declared:
        by_system.setdefault(contract.system, []).append(contract)
    if not sources:
        sources = [
            system
            for system, feeds in by_system.items()
            if not any(feed.is_optional for feed in feeds)
        ]
    contracts: dict[str, FeedContract] = {}
    homes: dict[Role, str] = {}
    for source in sources:
        system, _, instance = source.partition(INSTANCE_MARK)
        if system not in by_system:
            raise SettingsError(
                f"CX_SOURCES names {source}, which no contract declares: use some of"
                f" {', '.join(by_system)}."
            )
        for contract in by_system[system]:
            is_home = homes.setdefault(contract.role, source) == source
            feed = contract.model_copy(
                update={
                    "source_instance": instance or None,
                    "record_prefix": "" if is_home else f"{source}/",
                    "columns": _refer_to_instance(contract, source, sources),
                }
            )
            contracts[feed.name] = feed
    return {
        name: feed.model_copy(update={"columns": _forget_references(feed, contracts)})
        for name, feed in contracts.items()
    }


def _forget_references(
    feed: FeedContract, contracts: Collection[str]
) -> tuple[ColumnContract, ...]:
    """Return the columns; what refers to a feed that is off refers to nothing."""
    return tuple(
        column
        if column.refers_to in contracts
        else column.model_copy(update={"refers_to": None})
        for column in feed.columns
    )


def _refer_to_instance(
    contract: FeedContract, source: str, sources: Collection[str]
) -> tuple[ColumnContract, ...]:
    """Return the columns; what refers to a feed of the system means the same source,
    and of another system its instance of the same name, where there is one."""
    _, mark, instance = source.partition(INSTANCE_MARK)
    columns = []
    for column in contract.columns:
        system, _, feed = (column.refers_to or "").partition(".")
        related = source if system == contract.system else f"{system}{mark}{instance}"
        if column.refers_to and related in sources:
            refers_to = f"{related}.{feed}"
            column = column.model_copy(update={"refers_to": refers_to})
        columns.append(column)
    return tuple(columns)


def _read_declared(project_folder: Path) -> dict[str, FeedContract]:
    contracts: dict[str, FeedContract] = {}
    pattern = str(STAGING_FOLDER / "*" / "_*__sources.yml")
    for path in sorted(project_folder.glob(pattern)):
        for contract in read_contract_file(path):
            if contract.name in contracts:
                raise WarehouseError(
                    f"{path.name}: {contract.name} is declared twice: remove one."
                )
            contracts[contract.name] = contract
    if not contracts:
        raise WarehouseError(
            f"No feed contract lies below {project_folder / STAGING_FOLDER}: declare "
            "a source in <system>/_<system>__sources.yml."
        )
    return contracts


def _check_references(contracts: Mapping[str, FeedContract]) -> None:
    for contract in contracts.values():
        for column in contract.columns:
            if column.refers_to and column.refers_to not in contracts:
                raise WarehouseError(
                    f"The contract of {contract.name} is wrong: {column.name} refers "
                    f"to {column.refers_to}, which no contract declares: correct it."
                )


def read_contract_file(path: Path) -> list[FeedContract]:
    """Read the contracts of one declaration file; tables without one are passed over.

    Raises WarehouseError: which file and feed, what is wrong.
    """
    return list(_parse_contracts(path, path.read_bytes()))


# A night asks for them at every step, and their files stay as they are.
@lru_cache(maxsize=64)
def _parse_contracts(path: Path, content: bytes) -> tuple[FeedContract, ...]:
    try:
        document = yaml.load(content, Loader=yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        words = " ".join(str(error).split())
        raise WarehouseError(f"{path} is no YAML ({words}): correct it.") from error
    contracts = []
    for source in document.get("sources", []):
        for table in source.get("tables", []):
            if "contract" not in _meta(table):
                continue
            try:
                contracts.append(_build_contract(source, table))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in first["loc"])
                raise WarehouseError(
                    f"{path.name}: the contract of {source['name']}.{table['name']} is "
                    f"wrong: {f'{place}: ' if place else ''}{first['msg']}: correct it."
                ) from error
    return tuple(contracts)


def _build_contract(
    source: Mapping[str, Any], table: Mapping[str, Any]
) -> FeedContract:
    meta = _meta(source)
    columns = []
    for column in table.get("columns", []):
        declared = dict(_meta(column))
        header = declared.pop("header", column["name"])
        columns.append(
            {
                "name": column["name"],
                "headers": [header] if isinstance(header, str) else header,
                "description": column.get("description", ""),
                **declared,
            }
        )
    return FeedContract.model_validate(
        {
            "system": source["name"],
            "feed": table["name"],
            "role": meta.get("role"),
            "is_optional": meta.get("is_optional", False),
            "time_zone": meta.get("time_zone", "UTC"),
            "date_order": meta.get("date_order", "MDY"),
            "owner": meta.get("owner", ""),
            "description": table.get("description", ""),
            "columns": columns,
            **_meta(table)["contract"],
        }
    )


def _meta(declaration: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (declaration.get("config") or {}).get("meta") or {}
    return meta
