"""Files that only their owner may read."""

from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a file, at once whole, that only its owner may read."""
    new_file = file.with_name(f"{file.name}.new")
    new_file.unlink(missing_ok=True)
    new_file.touch(mode=0o600)
    new_file.write_text(text)
    new_file.rename(file)
