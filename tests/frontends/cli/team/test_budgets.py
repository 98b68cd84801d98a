from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from consortium_mcp.frontends.cli.main import main
from tests.support.databases import ON_POSTGRES, DatabaseOfTest

pytestmark = ON_POSTGRES
ANN = ("--user", "ann", "--issuer", "https://id.example")


def command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["budgets", *arguments])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def team(database: DatabaseOfTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.url is not None
    monkeypatch.setenv("CONSORTIUM_DATABASE_URL", database.url)


def test_limits_are_set_listed_and_removed() -> None:
    assert command("list")[1].startswith("Nothing is limited.")
    assert command("set", "calls", "60", "--per", "day") == (0, "Set: each user: 60 calls a day.\n")
    command("set", "calls", "80", "--per", "day")
    command("set", "dollars", "200", "--per", "month", "--everybody")
    command("set", "runs", "3", *ANN)
    assert command("list")[1].splitlines() == [
        "all users together: $200 a month",
        "each user: 80 calls a day",
        "ann of https://id.example: 3 runs at once",
    ]
    assert command("remove", "calls", "--per", "day") == (0, "Removed.\n")
    assert command("remove", "calls", "--per", "day")[0] == 1
    told = json.loads(command("list", "--json")[1])
    assert [(each["who"], each["what"], each["most"]) for each in told] == [
        ("everybody", "dollars", 200), ("user", "runs", 3),
    ]  # fmt: skip


def test_what_a_user_has_left_is_shown() -> None:
    assert command("list", *ANN)[1] == "Nothing is limited for this user.\n"
    command("set", "calls", "60", "--per", "day")
    command("set", "runs", "1")
    assert command("list", *ANN)[1].splitlines() == [
        "each user: 60 calls a day: 60 calls left",
        "each user: 1 run at once: 1 run left",
    ]
    [calls, _] = json.loads(command("list", *ANN, "--json")[1])
    assert (calls["used"], calls["left"], calls["renewed_at"][-1]) == (0, 60, "Z")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set", "calls", "60"], "Say for which period: --per day or --per month."),
        (["set", "runs", "6", "--per", "day"], "leave --per out"),
        (["set", "runs", "6", "--user", "ann"], "Name a user by both"),
        (["set", "runs", "6", "--everybody", *ANN], "not for both"),
        (["set", "runs", "--", "-1"], "-1.0 is not in the range"),
    ],
)
def test_bad_input_is_told_with_the_remedy(arguments: list[str], said: str) -> None:
    code, output = command(*arguments)
    assert code != 0
    assert said in output


def test_one_persons_database_has_no_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSORTIUM_DATABASE_URL")
    assert "set CONSORTIUM_DATABASE_URL" in command("list")[1]


def test_what_was_changed_is_noted(database: DatabaseOfTest) -> None:
    for arguments in (["set", "runs", "3"], ["remove", "runs"], ["remove", "runs"]):
        command(*arguments)
    noted = database.execute("SELECT subject, action, target, detail FROM audit_log ORDER BY id")
    assert [(*each[:3], json.loads(each[3])["most"]) for each in noted] == [
        ("local", "budget_changed", "runs", 3), ("local", "budget_changed", "runs", None),
    ]  # fmt: skip
