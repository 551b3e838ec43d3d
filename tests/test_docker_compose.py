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


def test_no_service_may_do_more_than_it_needs(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert service["restart"] == ("no" if name == "prepare" else "unless-stopped")
        assert "healthcheck" in service or name == "prepare", name
        # Else the image says who it is, and it is nobody's root.
        assert service.get("user", "airflow") != "root", name
    dockerfile = (PROJECT_FOLDER / "Dockerfile").read_text()
    assert re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE)[-1] == "airflow"
    assert compose["services"]["postgres"]["user"] == "postgres"


def test_every_setting_that_the_code_reads_reaches_the_containers(
    compose: dict[str, Any],
) -> None:
    read = {
        name
        for folder in ("include", "dags")
        for file in (PROJECT_FOLDER / folder).rglob("*.py")
        # Those of dbt's own profile are set by the build itself.
        for name in re.findall(r'"(CX_(?!DBT_)[A-Z_]+)"', file.read_text())
    }
    assert "CX_KEY_SECRET" in read
    assert read == {
        name for name in compose["x-airflow"]["environment"] if name.startswith("CX_")
    }


def test_every_variable_is_described_in_the_example(compose: dict[str, Any]) -> None:
    described = set(
        re.findall(
            r"^#? ?(\w+)=", (PROJECT_FOLDER / ".env.example").read_text(), re.MULTILINE
        )
    )
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert used - described == {"COMPOSE_PROJECT_NAME"}
