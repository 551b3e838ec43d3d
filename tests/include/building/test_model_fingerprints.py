"""Which nodes a build may leave alone."""

import pytest

from include.building.model_fingerprints import (
    Node,
    list_changed_first,
    list_unchanged,
    list_what_each_rests_on,
)
from include.building.restated_figures import read_restated_figures
from include.errors import BuildError


def make_node(
    name: str, *parents: str, kind: str = "view", sources: tuple[str, ...] = ()
) -> Node:
    return Node(
        name=name,
        kind=kind,
        schema_name="warehouse",
        is_published=False,
        row_key=(),
        publish_by=None,
        is_static=kind in ("seed", "view"),
        fingerprint=f"code of {name}",
        parents=parents,
        sources=sources,
    )


NODES = [
    make_node("seed", kind="seed"),
    make_node("staging", "seed"),
    make_node("on_staging", "staging"),
    make_node("facts", "staging", kind="incremental"),
]
BUILT = {node.name: node.fingerprint for node in NODES}


def test_what_is_as_it_was_built_is_left_alone() -> None:
    # An incremental model looks for its keys every night.
    assert list_unchanged(NODES, BUILT, ()) == ["seed", "staging", "on_staging"]


def test_what_changed_is_built_and_what_reads_it() -> None:
    assert list_unchanged(NODES, BUILT | {"staging": "old code"}, ()) == ["seed"]


def test_a_view_that_went_with_a_relation_below_it_is_built_again() -> None:
    assert list_unchanged(NODES, BUILT, {"on_staging"}) == ["seed", "staging"]
    assert list_unchanged(NODES, BUILT, {"staging"}) == ["seed"]


def test_on_an_empty_warehouse_everything_is_built() -> None:
    assert list_unchanged(NODES, {}, ()) == []


def test_code_that_changed_first_is_named_without_what_changed_with_it() -> None:
    changed = BUILT | {"seed": "old", "staging": "old", "on_staging": "old"}
    assert list_changed_first(NODES, changed) == ["seed"]
    assert list_changed_first(NODES, BUILT | {"facts": None}) == ["facts"]
    assert list_changed_first(NODES, BUILT) == []


def test_a_model_rests_on_all_that_is_above_it_also_through_what_python_makes() -> None:
    nodes = [
        make_node("stg_orders", sources=("shop.orders",)),
        make_node("stg_people", sources=("shop.people",)),
        make_node("sums", "stg_orders"),
        make_node("scores", "stg_people", sources=("weights.of_sums",)),
        make_node("weights", "sums"),
    ]
    resting = list_what_each_rests_on(nodes, {"weights": "weights"})
    assert resting["sums"] == {"sums", "stg_orders", "shop.orders"}
    assert resting["scores"] == {
        *("scores", "stg_people", "shop.people", "weights.of_sums"),
        *("weights", "sums", "stg_orders", "shop.orders"),
    }


DECLARATION: dict[str, object] = {
    "figures": ["score"],
    "closed_when": "is_complete",
    "closed_on": "day",
    "period": {"key": "day", "start": "day", "end": "day"},
    "broken_down_by": ["metric"],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"figures": []}, "meta.restated.figures is wrong"),
        ({"figures": ["skore"]}, "names skore, which is no column"),
        ({"figures": ["metric"]}, "names metric, which is of type text and no number"),
        ({"broken_down_by": ["kind"]}, "names kind, which is no column"),
        ({"closed_if": "true"}, "meta.restated.closed_if is wrong"),
        ({"closed_on": None}, "meta.restated.closed_on is wrong"),
        ({"period": {"key": "day"}}, "meta.restated.period.start is wrong"),
    ],
)
def test_a_declaration_of_final_figures_that_is_wrong_is_named(
    change: dict[str, object], words: str
) -> None:
    columns: dict[str, str | None] = {"score": "numeric", "metric": "text"}
    assert read_restated_figures("m", DECLARATION, columns).only_where == "true"
    with pytest.raises(
        BuildError, match=r"in m\.yml; marts stay as they were"
    ) as caught:
        read_restated_figures("m", DECLARATION | change, columns)
    assert words in str(caught.value)
