"""docker-compose.yml: nothing is open beyond this machine, no secret has a default."""

import re
from typing import Any

import pytest
import yaml

from include.settings import PROJECT_FOLDER

FILE = PROJECT_FOLDER / "docker-compose.yml"
SECRET = re.compile(r"PASSWORD|SECRET|FERNET|_KEY$")
# Optional: a landing zone that is no S3 store needs none.
OPTIONAL = {"AWS_SECRET_ACCESS_KEY"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def test_every_published_port_is_on_loopback(compose: dict[str, Any]) -> None:
    ports = {
        name: service["ports"]
        for name, service in compose["services"].items()
        if "ports" in service
    }
    assert set(ports) == {"postgres", "api-server"}
    for published in ports.values():
        assert all(str(port).startswith("127.0.0.1:") for port in published)
    assert not [
        name
        for name, service in compose["services"].items()
        if "network_mode" in service
    ]


def test_no_secret_has_a_default_and_none_stands_in_a_command(
    compose: dict[str, Any],
) -> None:
    secrets = {
        name: default
        for name, default in re.findall(r"\$\{(\w+)(:[^}]*)?\}", FILE.read_text())
        if SECRET.search(name) and name not in OPTIONAL
    }
    assert {"POSTGRES_PASSWORD", "CX_BI_READER_PASSWORD", "CX_AGENT_PASSWORD"} <= set(
        secrets
    )
    for name, default in secrets.items():
        assert default in ("", ":?set it in .env"), name
    for service in compose["services"].values():
        for key in ("command", "healthcheck"):
            assert not re.search(r"\$\{?\w*(PASSWORD|SECRET)", str(service.get(key)))


def test_every_variable_is_described_in_the_example(compose: dict[str, Any]) -> None:
    described = set(
        re.findall(
            r"^#? ?(\w+)=", (PROJECT_FOLDER / ".env.example").read_text(), re.MULTILINE
        )
    )
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert used - described == {"COMPOSE_PROJECT_NAME"}
