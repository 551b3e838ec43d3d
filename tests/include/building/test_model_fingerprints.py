"""Which nodes a build may leave alone."""

from include.building.model_fingerprints import Node, list_unchanged


def make_node(name: str, *parents: str, kind: str = "view") -> Node:
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
