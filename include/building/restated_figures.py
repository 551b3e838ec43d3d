"""Which figures of a mart are final: `meta.restated` of a model, typed and checked.

In: the declaration in the model's YAML. Out: a `RestatedFigures`, kept in
``audit.models`` by each build and read by publish, which notes every change of such a
figure after its period was closed.

    restated:
      figures: [score, responses]          # numeric columns of the mart
      only_where: not is_confidential      # other rows are passed over
      closed_when: is_complete_period      # what a row says of itself when it is final
      closed_on: period_end                # the day with which it became final
      period: {key: period_key, start: period_start, end: period_end}
      broken_down_by: [metric, survey_kind]

`only_where` (left out: all rows), `closed_when`, `closed_on` and `period` are SQL over
a row of the mart. A row is closed when it meets `closed_when` and every source had
delivered `closed_on`.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.errors import BuildError

NUMERIC_TYPES = ("smallint", "integer", "bigint", "numeric")


class _Declaration(BaseModel):
    """Frozen, and a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RestatedPeriod(_Declaration):
    """SQL for a period's key and its first and last day, inclusive."""

    key: str = Field(min_length=1)
    start: str = Field(min_length=1)
    end: str = Field(min_length=1)


class RestatedFigures(_Declaration):
    """The figures of a mart that are final once their period is closed."""

    figures: tuple[str, ...] = Field(min_length=1)
    only_where: str = Field(default="true", min_length=1)
    closed_when: str = Field(min_length=1)
    closed_on: str = Field(min_length=1)
    period: RestatedPeriod
    broken_down_by: tuple[str, ...] = Field(min_length=1)


def read_restated_figures(
    model: str, declaration: object, columns: Mapping[str, str | None]
) -> RestatedFigures:
    """Check the declaration of a model.

    Parameters
    ----------
    columns : the types of the model's columns, by name

    Raises BuildError: which model, what is wrong, what to do.
    """
    try:
        restated = RestatedFigures.model_validate(declaration)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("restated", *first["loc"]))
        raise BuildError(
            f"The model {model}: meta.{place} is wrong ({first['msg']}): correct it in "
            f"{model}.yml; marts stay as they were."
        ) from error
    unknown = [
        name
        for name in (*restated.figures, *restated.broken_down_by)
        if name not in columns
    ]
    if unknown:
        raise BuildError(
            f"The model {model}: meta.restated names {unknown[0]}, which is no column "
            f"of it: correct it in {model}.yml; marts stay as they were."
        )
    for name in restated.figures:
        if columns[name] not in NUMERIC_TYPES:
            raise BuildError(
                f"The model {model}: meta.restated.figures names {name}, which is of "
                f"type {columns[name]} and no number: leave it out in {model}.yml; "
                "marts stay as they were."
            )
    return restated
