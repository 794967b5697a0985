"""A hostile checkout: it holds code under names that Python imports or runs."""

from __future__ import annotations

from pathlib import Path

from tests.declared.checking import processor, request, write

MODULES = (
    *("venv", "ensurepip", "pip", "setuptools", "hatchling", "sitecustomize", "usercustomize"),
    *("encodings", "site", "runpy", "multiprocessing", "json", "random", "secrets"),
    *("click", "msgspec", "yaml", "boto3", "scanner", "chimeaudit"),
)


def hostile(folder: Path) -> Path:
    """Make a hostile checkout; any of its files that is imported or run writes a file `pwned` beside it."""
    code = f"open({str(folder.with_name('pwned'))!r}, 'a').write(__name__ + '\\n')\n"
    for name in MODULES:
        (folder / name).mkdir(parents=True)
        for module in (f"{name}.py", f"{name}/__init__.py", f"{name}/__main__.py"):
            write(folder / module, code)
    site = folder / ".chimeaudit" / "lib" / "python3.13" / "site-packages"
    site.mkdir(parents=True)
    for file in (folder / "evil.pth", site / "evil.pth"):
        write(file, f"import sys; {code}")
    write(folder / ".chimeaudit" / "ensurepip.py", code)
    write(folder / "create.json", request(processor(FallbackAction="CONTINUE")))
    return folder
