"""Fingerprints of dbt nodes: has the code that a model was built with changed?

In: a parsed dbt manifest. Out: one `Node` per seed, function and model in the order of
their dependencies, with a SHA-256 over its text, its configuration, the macros that it
calls, the settings that its SQL reads, and the fingerprints of its parents. So a
changed seed or macro changes exactly the models that depend on it.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import FunctionNode, ModelNode, SeedNode
from dbt_common.contracts.constraints import (
    ColumnLevelConstraint,
)

from include.building.restated_figures import RestatedFigures, read_restated_figures

# What changes a relation when it changes; hooks are macros, and tests build nothing.
CONFIGURATION = ("materialized", "unique_key", "indexes", "schema", "column_types")

# What a source's declaration says to others than its staging views (macro `declared`).
NOT_STAGED = ("contract", "is_optional", "owner", "role")

# What is done with a model once it is built.
NOT_BUILT = ("is_published", "published_indexes", "restated")

BuiltNode = ModelNode | SeedNode | FunctionNode


@dataclass(frozen=True)
class Node:
    """One seed, function or model as the build keeps it in ``audit.models``.

    publish_by : the column whose values audit.unpublished_keys holds; in audit.models
        it is called rebuild_by
    published_indexes : the columns or expressions of each index that the table has in
        marts
    sources : the dbt sources that it reads itself, e.g. "hubspot.contacts"
    """

    name: str
    kind: str
    schema_name: str
    is_published: bool
    row_key: tuple[str, ...]
    publish_by: str | None
    is_static: bool
    fingerprint: str
    publish_where: str | None = None
    published_indexes: tuple[tuple[str, ...], ...] = ()
    parents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    restated: RestatedFigures | None = None


def read_nodes(manifest: Manifest, settings: Mapping[str, str]) -> list[Node]:
    """Return what the project builds, parents first.

    Parameters
    ----------
    settings : names and values of the settings that SQL depends on
    """
    nodes: dict[str, Node] = {}
    for unique_id in _order_by_dependency(manifest):
        node = _find(manifest, unique_id)
        parents = [nodes[parent] for parent in _parents(manifest, node)]
        nodes[unique_id] = _describe(manifest, node, parents, settings)
    return list(nodes.values())


def list_what_each_rests_on(
    nodes: Iterable[Node], made_by: Mapping[str, str]
) -> dict[str, set[str]]:
    """Return, by node, its name and those of all nodes and sources above it.

    Parameters
    ----------
    made_by : the nodes that make dbt sources, by the first part of the sources' names
    """
    by_name = {node.name: node for node in nodes}
    resting: dict[str, set[str]] = {}

    def resolve(name: str) -> set[str]:
        if name not in resting:
            node = by_name[name]
            makers = {
                made_by[system]
                for source in node.sources
                if (system := source.split(".")[0]) in made_by
            }
            resting[name] = {name, *node.sources}.union(
                *map(resolve, (*node.parents, *makers))
            )
        return resting[name]

    return {name: resolve(name) for name in by_name}


def list_changed_first(
    nodes: Iterable[Node], built: Mapping[str, str | None]
) -> list[str]:
    """Return the nodes whose code changed, without those that changed with one that
    they read."""
    nodes = list(nodes)
    changed = {node.name for node in nodes if built.get(node.name) != node.fingerprint}
    return [
        node.name
        for node in nodes
        if node.name in changed and not changed.intersection(node.parents)
    ]


def list_unchanged(
    nodes: list[Node], built: Mapping[str, str | None], missing: Container[str]
) -> list[str]:
    """Return the nodes that need no work: what they are made of is as it was built.

    Parameters
    ----------
    nodes : all of them, parents first
    built : fingerprints that they were last built with
    missing : views that were dropped together with a relation that they read
    """
    changed: set[str] = set()
    for node in nodes:
        if (
            built.get(node.name) != node.fingerprint
            or node.name in missing
            or changed.intersection(node.parents)
        ):
            changed.add(node.name)
    return [node.name for node in nodes if node.is_static and node.name not in changed]


def _describe(
    manifest: Manifest,
    node: BuiltNode,
    parents: list[Node],
    settings: Mapping[str, str],
) -> Node:
    meta = dict(node.config.meta or {})
    row_key = getattr(node.config, "unique_key", None) or meta.get("row_key", [])
    row_key = (row_key,) if isinstance(row_key, str) else tuple(row_key)
    kind = "seed" if isinstance(node, SeedNode) else node.config.materialized
    if isinstance(node, FunctionNode):
        kind = "function"
    content = {
        "text": node.raw_code or node.checksum.checksum,
        "checksum": node.checksum.checksum,
        "configuration": {
            name: node.config.get(name) for name in CONFIGURATION if name in node.config
        },
        "columns": [
            [
                column.name,
                column.data_type,
                _describe_constraints(column.constraints),
            ]
            for column in getattr(node, "columns", {}).values()
        ],
        "constraints": _describe_constraints(getattr(node, "constraints", [])),
        "meta": {key: meta[key] for key in sorted(meta) if key not in NOT_BUILT},
        "macros": sorted(_macro_texts(manifest, node)),
        "settings": dict(settings),
        **_read_declarations(manifest, node),
        "parents": sorted(parent.fingerprint for parent in parents),
    }
    if isinstance(node, FunctionNode):
        content["signature"] = [
            [argument.name, argument.data_type] for argument in node.arguments
        ] + [node.returns.data_type]
    text = json.dumps(content, sort_keys=True, default=str)
    return Node(
        name=node.name,
        kind=kind,
        schema_name=node.schema,
        is_published=bool(meta.get("is_published")),
        row_key=row_key,
        publish_by=meta.get("publish_by")
        or meta.get("rebuild_by", row_key[0] if row_key else None),
        # Nothing but seeds, functions and sources above it: it changes with the code
        # alone. A view over incremental models is made anew every night: its tests run
        # with it.
        is_static=kind in ("seed", "function")
        or (kind in ("table", "view") and all(parent.is_static for parent in parents)),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        publish_where=meta.get("publish_where"),
        published_indexes=_read_published_indexes(node, meta),
        parents=tuple(parent.name for parent in parents),
        sources=tuple(
            ".".join(unique_id.split(".")[-2:])
            for unique_id in getattr(node.depends_on, "nodes", [])
            if unique_id.startswith("source.")
        ),
        restated=_read_restated(node, meta),
    )


def _read_published_indexes(
    node: BuiltNode, meta: Mapping[str, Any]
) -> tuple[tuple[str, ...], ...]:
    """The indexes that a model declares for marts; if it declares none, its own."""
    indexes = meta.get("published_indexes")
    if indexes is None:
        indexes = [index["columns"] for index in node.config.get("indexes") or []]
    return tuple(tuple(columns) for columns in indexes)


def _read_declarations(manifest: Manifest, node: BuiltNode) -> dict[str, object]:
    """What the sources that a node reads say of themselves; nothing if it asks none."""
    if not isinstance(node, ModelNode) or not any(
        name.endswith(".declared") for name in node.depends_on.macros
    ):
        return {}
    metas = [
        manifest.sources[unique_id].config.meta
        for unique_id in sorted(node.depends_on.nodes)
        if unique_id in manifest.sources
    ]
    return {
        "declared": [
            {name: meta[name] for name in sorted(meta) if name not in NOT_STAGED}
            for meta in metas
        ]
    }


def _read_restated(
    node: BuiltNode, meta: Mapping[str, object]
) -> RestatedFigures | None:
    if "restated" not in meta:
        return None
    columns = {
        column.name: column.data_type
        for column in getattr(node, "columns", {}).values()
    }
    return read_restated_figures(node.name, meta["restated"], columns)


def _describe_constraints(
    constraints: Iterable[ColumnLevelConstraint],
) -> list[str]:
    return [f"{item.type} {item.name} {item.expression}" for item in constraints]


def _find(manifest: Manifest, unique_id: str) -> BuiltNode:
    node = manifest.functions.get(unique_id) or manifest.nodes[unique_id]
    assert isinstance(node, BuiltNode)
    return node


def _parents(manifest: Manifest, node: BuiltNode) -> list[str]:
    if isinstance(node, SeedNode):
        return []
    built = (*manifest.functions, *manifest.nodes)
    return [parent for parent in node.depends_on.nodes if parent in set(built)]


def _order_by_dependency(manifest: Manifest) -> list[str]:
    ordered: dict[str, None] = {}

    def visit(unique_id: str) -> None:
        if unique_id in ordered:
            return
        for parent in _parents(manifest, _find(manifest, unique_id)):
            visit(parent)
        ordered[unique_id] = None

    for unique_id in sorted(manifest.functions):
        visit(unique_id)
    for unique_id in sorted(manifest.nodes):
        if isinstance(manifest.nodes[unique_id], ModelNode | SeedNode):
            visit(unique_id)
    return list(ordered)


def _macro_texts(manifest: Manifest, node: BuiltNode) -> set[str]:
    """Texts of the project's own macros that a node's SQL calls, directly or not."""
    if isinstance(node, SeedNode):
        return set()
    texts: set[str] = set()
    seen: set[str] = set()
    waiting = list(node.depends_on.macros)
    while waiting:
        unique_id = waiting.pop()
        macro = manifest.macros.get(unique_id)
        if (
            unique_id in seen
            or macro is None
            or macro.package_name != node.package_name
        ):
            continue
        seen.add(unique_id)
        # How a model is replaced does not change what it contains.
        if macro.original_file_path.endswith("rebuild.sql"):
            continue
        texts.add(macro.macro_sql)
        waiting.extend(macro.depends_on.macros)
    return texts
