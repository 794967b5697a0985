"""No message repeats what may be a secret: it shows only the scheme of a URL, and nothing of a surplus argument."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner import cli
from scanner.terminal import masked

SECRET = "hunter2"
WEBHOOK = f"https://hooks.slack.com/services/T0/B0/{SECRET}"
DATABASE = f"postgresql+psycopg://user:{SECRET}@db/history"


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "--notify", "https://a.example/x", WEBHOOK),
        ("scan", "--history", "sqlite:///h.db", DATABASE),
        ("scan", "--history", "postgresql://user:a", f"{SECRET}@db/history"),
        ("history", "list", DATABASE),
        ("history", DATABASE),
        (DATABASE,),
        ("scan", "-o", WEBHOOK),
        ("scan", "-o", f"json:{WEBHOOK}"),
        ("scan", "-o", f"{WEBHOOK}.json"),
        ("scan", "--baseline", f"https://store.example/report.json?token={SECRET}"),
        ("scan", "--baseline", WEBHOOK, "--allow-no-baseline"),
        ("scan", "--config", DATABASE),
        ("scan", "--run-dir", DATABASE),
        ("scan", "--rules", WEBHOOK),
        ("scan", "--regions", WEBHOOK),
        ("scan", "--accounts", DATABASE),
        ("scan", "--fail-on", WEBHOOK),
        ("scan", "--workers", WEBHOOK),
        ("scan", "--max-runtime", WEBHOOK),
        ("scan", "--select", WEBHOOK),
        ("scan", f"--notfy={WEBHOOK}"),
        ("scan", "--external-id", f"{SECRET} with a space"),
        ("scan", "--external-id", "a", SECRET),
        ("scan", "--log-format", "json", "--baseline", WEBHOOK),
        ("check", WEBHOOK),
        ("check", DATABASE),
        ("report", DATABASE),
        ("diff", WEBHOOK, DATABASE),
        ("rules", "show", WEBHOOK),
        ("rules", "new", WEBHOOK),
        ("rules", "test", WEBHOOK),
    ],
)
def test_messages_do_not_repeat_what_may_be_a_secret(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code = cli.run(list(arguments))

    said = "".join(capsys.readouterr())
    assert (code, SECRET in said) == (2, False), said
    assert not list(tmp_path.iterdir())


def test_only_urls_of_the_command_line_are_masked() -> None:
    message = f"found {WEBHOOK} in a file; expected https://docs.aws.amazon.com/ or s3://bucket/key"

    assert masked(message, ["scan", "s3://bucket/key"]) == message
    assert masked(message, [f"--notify={WEBHOOK}"]) == message.replace(WEBHOOK, "https://***")
