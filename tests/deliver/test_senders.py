"""scanner.deliver.senders: by the installed command if that is quick, in this process if it waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.deliver import senders
from scanner.deliver.destinations import Webhook
from scanner.deliver.notice import Notice, notice
from scanner.errors import OutputError
from scanner.model.report import Report
from tests.command import Ended, chimeaudit
from tests.deliver.conftest import one_line
from tests.deliver.fake_webhook import SECRET, Answer, listening
from tests.render import sample

BUSY = Answer(429, {"Retry-After": "0"})
ILL = Answer(503, {"Retry-After": "0"})


def notified(home: Path, url: str, *arguments: str, saved: str = "rich.json") -> Ended:
    """Run `chimeaudit report` on a saved report, with the webhook in the environment."""
    ended = chimeaudit("report", saved, *arguments, home=home, variables={"CHIMEAUDIT_NOTIFY": url})
    assert SECRET not in ended.stdout + ended.stderr
    return ended


def test_the_notice_is_in_slacks_format(home: Path) -> None:
    with listening() as slack:
        ended = notified(home, slack.url)

    (message,) = slack.posted
    assert ended.code == 0, ended.stderr
    assert "Notified  webhook 127.0.0.1" in ended.stderr
    assert message["text"].startswith("chimeaudit: ")
    assert message["blocks"][0]["text"] == {"type": "mrkdwn", "text": f"*{message['text']}*", "verbatim": True}
    assert any("NOT complete" in block["text"]["text"] for block in message["blocks"])


def test_the_notice_is_posted_again_while_the_webhook_is_busy_or_fails(home: Path) -> None:
    with listening(BUSY, ILL, Answer()) as slack:
        ended = notified(home, slack.url)

    assert ended.code == 0, ended.stderr
    assert len(slack.posted) == 3


@pytest.mark.parametrize(
    ("answer", "posts", "complaint"),
    [
        (BUSY, 3, "it answered with status 429"),
        (ILL, 3, "it answered with status 503"),
        (Answer(429, {"Retry-After": "3600"}), 1, "it answered with status 429"),
        (Answer(404), 1, "it answered with status 404"),
        (
            Answer(302, {"Location": f"http://127.0.0.1:1/{SECRET}"}),
            1,
            "it answered with a redirect (status 302), which is not",
        ),
    ],
)
def test_70_if_the_webhook_refuses_the_notice(home: Path, answer: Answer, posts: int, complaint: str) -> None:
    with listening(answer) as slack:
        ended = notified(home, slack.url, "-v", "-o", "r.md")

    assert ended.code == 70
    one_line(ended, f"the webhook 127.0.0.1 was not notified: {complaint}")
    assert len(slack.posted) == posts
    assert (home / "r.md").exists()


def test_a_redirect_within_loopback_is_not_followed(home: Path) -> None:
    with listening() as other, listening(Answer(307, {"Location": other.url})) as slack:
        assert notified(home, slack.url).code == 70

    assert not other.posted


def test_70_where_nobody_listens_and_the_others_are_told(home: Path) -> None:
    with listening() as slack:
        ended = notified(home, f"http://127.0.0.1:1/{SECRET} {slack.url}")

    assert ended.code == 70
    one_line(ended, "the webhook 127.0.0.1 was not notified: it could not be reached [EndpointConnection]")
    assert len(slack.posted) == 1


@pytest.mark.parametrize("value", [f"https//{SECRET}", f"http://hooks.slack.com/{SECRET}", f"https://u@h/{SECRET}"])
def test_2_for_a_url_that_cannot_be_used_which_is_not_repeated(home: Path, value: str) -> None:
    ended = chimeaudit("scan", "--demo", "--notify", value, home=home)

    assert ended.code == 2
    assert SECRET not in ended.error + ended.stderr


def test_no_report_holds_the_url_of_the_webhook(home: Path) -> None:
    with listening() as slack:
        ended = chimeaudit(
            "scan",
            "--demo",
            "--regions",
            "eu-central-1",
            "--notify",
            slack.url,
            "-o",
            "json:-",
            "-o",
            "r.html",
            home=home,
        )

    assert slack.posted
    assert ended.report["run"]["options"]
    journals = [path.read_text() for path in home.rglob("run.json")]
    assert journals
    for text in (ended.stdout, ended.stderr, (home / "r.html").read_text(), *journals):
        assert SECRET not in text


@pytest.mark.parametrize("slow", ["hangs", "drips"])
def test_a_webhook_that_hangs_is_given_up(slow: str) -> None:
    with (
        listening(Answer(drips=True), hangs=slow == "hangs") as slack,
        pytest.raises(OutputError, match=r"127\.0\.0\.1 was not notified: there was no answer in time") as caught,
    ):
        senders.post(Webhook(slack.url, "127.0.0.1"), Notice(headline="h", lines=()), deadline=1)

    assert SECRET not in f"{caught.value!r}"


def test_a_webhook_that_stays_busy_gets_no_more_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with (
        listening(Answer(503, {"Retry-After": "20"}), Answer(503, {"Retry-After": "31"})) as slack,
        pytest.raises(OutputError, match="status 503"),
    ):
        senders.post(Webhook(slack.url, "127.0.0.1"), Notice(headline="h", lines=()))

    assert waits == [20.0]
    assert len(slack.posted) == 2


@pytest.mark.parametrize("told", [None, "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 5000])
def test_the_wait_doubles_if_the_webhook_gives_none(told: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    ill = Answer(500, {"Retry-After": told} if told else {})

    with listening(ill, ill, Answer()) as slack:
        senders.post(Webhook(slack.url, "127.0.0.1"), Notice(headline="h", lines=()))

    assert waits == [2, 4]


@pytest.mark.parametrize("report", [sample.rich(), sample.hostile(), sample.incomplete(), sample.many(200)])
def test_a_message_keeps_to_slacks_limits(report: Report) -> None:
    told = notice(report, None, [f"s3://bucket/{'k' * 900}{number}.json" for number in range(20)])
    assert told

    message = senders.message(told)

    assert len(message["blocks"]) <= 50
    for text in (message["text"], *(block["text"]["text"] for block in message["blocks"])):
        assert 0 < len(text) <= 3000


def test_names_do_nothing_in_slack() -> None:
    nasty = "<!channel> <https://evil.example|click> & <@U1>"
    told = notice(sample.report([sample.fails_open(sample.flow(nasty))]), None, [])
    assert told

    texts = [block["text"]["text"] for block in senders.message(told)["blocks"]]

    assert any("&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; &lt;@U1&gt;" in text for text in texts)
    assert not any(char in text for text in texts for char in "<>")
