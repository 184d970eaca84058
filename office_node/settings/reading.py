"""Reads the file, and turns whatever is wrong with it into findings."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from office_node.settings.findings import Finding, SettingsFaulty
from office_node.settings.sections import Settings


def load(path: Path) -> Settings:
    """The settings in `path`. Raises `SettingsFaulty` with every fault of the file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        where = Finding("N001", path.name, "file", f"{path}: {exc.strerror}", "name it with --config FILE")
        raise SettingsFaulty([where]) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        where = Finding("N002", path.name, "file", f"not TOML: {exc}", "strings stand in quotes, one key a line")
        raise SettingsFaulty([where]) from exc
    content.setdefault("database", {})
    try:
        return Settings.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as exc:
        raise SettingsFaulty([_finding(path.name, error) for error in exc.errors(include_url=False)]) from exc


def _finding(file: str, error: ErrorDetails) -> Finding:
    number, what, hint = _explain(error)
    return Finding(number, file, _place(error["loc"]), what, hint)


def _place(location: tuple[int | str, ...]) -> str:
    """`[section] key`, and which entry where the value is a list."""
    words = [part if isinstance(part, str) else f"#{part + 1}" for part in location]
    entry = f" {words.pop()}" if location and isinstance(location[-1], int) else ""
    if not words:
        return "file"
    sections, key = (words[:-1], f" {words[-1]}") if len(words) > 1 else (words, "")
    return f"[{'.'.join(sections)}]{key}{entry}"


def _explain(error: ErrorDetails) -> tuple[str, str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "office_node":
            return context["number"], context["what"], context["hint"]
        case "missing":
            return "N012", "missing", _description(error["loc"]) or "add it"
        case "extra_forbidden":
            return _unknown_key(error["loc"])
        case kind if kind.endswith(("_type", "_parsing", "_from_float")):
            return "N013", _plain(error), _description(error["loc"]) or "see the shipped example"
        case _:
            return "N014", _plain(error), _description(error["loc"]) or "see the shipped example"


def _plain(error: ErrorDetails) -> str:
    match error["type"]:
        case "path_type":
            return "must be a path in quotes"
        case "tuple_type":
            return "must be a list"
        case "model_type":
            return "must be a section with keys of its own"
    return re.sub(r"^\w+ should", "must", error["msg"].partition(", unable to")[0])


def _unknown_key(location: tuple[int | str, ...]) -> tuple[str, str, str]:
    known = _fields_at(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    number, noun = ("N011", "section") if len(location) == 1 else ("N010", "key")
    return number, f"unknown {noun}", f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    section = _section_at(location)
    return list(section.model_fields) if section else []


def _section_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    model: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model


def _description(location: tuple[int | str, ...]) -> str:
    *section, key = location
    model = _section_at(tuple(section)) if isinstance(key, str) else None
    field = model.model_fields.get(str(key)) if model else None
    return (field.description or "").split("\n")[0] if field else ""


def masked(settings: Settings) -> dict[str, Any]:
    """The settings as plain data to show. They hold no secret, only paths to secrets; a URL's user is left out too."""
    shown = settings.model_dump(mode="json", exclude_none=True)
    url = urlsplit(settings.database.url)
    if url.username:
        # Asterisks, so that the line stays an address that can be read again.
        shown["database"]["url"] = settings.database.url.replace(f"//{url.username}", "//***", 1)
    return shown
