"""`check --parameter` and `--parameters`: the values of a template's parameters, in every form and from every place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scanner.declared.documents import parse
from scanner.declared.parameters import declared
from scanner.model.yamltree import Mistakes, Table
from tests.declared.checking import Check, findings, request

OPEN = "last-processor-fails-open"
SHAPE = """\
Parameters:
  Fallback: {Type: String, Default: ABORT, AllowedValues: [ABORT, CONTINUE]}
  Env: {Type: String, Default: dev, AllowedPattern: "[a-z]+", MaxLength: 5}
  Size: {Type: Number, Default: 1, MinValue: 1, MaxValue: 3}
  Arns: {Type: CommaDelimitedList, Default: "a,b"}
  Secret: {Type: String, Default: "", NoEcho: true, MaxLength: 3}
Resources:
  Flow:
    Type: AWS::Chime::ChannelFlow
    Properties:
      AppInstanceArn: arn:aws:chime:us-east-1:111122223333:app-instance/ab
      Name: !Sub "${Env}-${Size}-moderation"
      Processors:
        - Name: moderate
          ExecutionOrder: !Ref Size
          FallbackAction: !Ref Fallback
          Configuration:
            Lambda: {ResourceArn: "arn:aws:lambda:us-east-1:111122223333:function:f:1", InvocationType: ASYNC}
"""


def message(ended: Any, rule: str = OPEN) -> str:
    return str(findings(ended)[rule]["message"])


def test_allowed_values_are_judged_one_by_one_and_a_given_one_alone(check: Check) -> None:
    every = check(t__yaml=SHAPE)
    good = check("--parameter", "Fallback=ABORT", t__yaml=SHAPE)
    bad = check("--parameter", "Fallback=CONTINUE", t__yaml=SHAPE)

    assert (every.code, good.code, bad.code) == (1, 0, 1)
    assert message(every).endswith(", if Fallback is CONTINUE")
    assert message(bad).endswith("cannot be reached")
    fingerprints = {findings(each)[OPEN]["fingerprint"] for each in (every, bad)}
    assert len(fingerprints) == 1
    assert every.report["coverage"]["observed"]["channel_flows"] == 1


def test_allowed_values_of_a_list_are_judged_in_each_of_its_items(check: Check) -> None:
    of_list = "{Type: CommaDelimitedList, Default: 'x,ABORT', AllowedValues: [x, ABORT, CONTINUE]}"
    text = SHAPE.replace("{Type: String, Default: ABORT, AllowedValues: [ABORT, CONTINUE]}", of_list)
    text = text.replace("!Ref Fallback", "!Select [1, !Ref Fallback]")

    ended, alone = check(stack__yaml=text), check("--parameter", "Fallback=CONTINUE,ABORT", stack__yaml=text)

    assert 'if Fallback is "x,CONTINUE", "ABORT,CONTINUE" or "CONTINUE,CONTINUE"' in message(ended)
    assert 'found "x"; expected CONTINUE or ABORT, if Fallback is "x,x"' in ended.stderr
    assert (ended.code, alone.code) == (2, 0)


def test_a_value_that_is_wrong_in_one_branch_names_it(check: Check) -> None:
    text = SHAPE.replace("[ABORT, CONTINUE]", "[ABORT, CONTNUE]")

    ended = check(stack__yaml=text)

    assert (ended.code, ended.stderr.splitlines()[-2]) == (
        2,
        'error: stack.yaml:16:27: found "CONTNUE"; expected CONTINUE or ABORT, if Fallback is CONTNUE',
    )


def test_what_rests_on_a_default_says_so(check: Check) -> None:
    ended = check(t__yaml=SHAPE.replace("Default: ABORT, AllowedValues: [ABORT, CONTINUE]", "Default: CONTINUE"))

    assert message(ended).endswith(" cannot be reached, by the default of Fallback")
    told = ended.report["coverage"]["not_examined"]
    assert "t.yaml: other values of Env, Fallback, Size than the defaults; --parameter gives them." in told


DEPLOY = "version = 0.1\n[{}.deploy.parameters]\nparameter_overrides = "
FORMS = {
    "list.json": json.dumps(
        [
            {"ParameterKey": "Fallback", "ParameterValue": "CONTINUE"},
            {"ParameterKey": "Env", "UsePreviousValue": True},
            {"ParameterKey": "Size", "ParameterValue": "1", "ResolvedValue": "1"},
        ]
    ),
    "words.json": json.dumps(["Fallback=CONTINUE", "Env=a"]),
    "pipeline.json": json.dumps({"Parameters": {"Fallback": "CONTINUE"}, "Tags": {"a": "b"}}),
    "plain.json": json.dumps({"Fallback": "CONTINUE", "Size": 1, "Arns": ["a", "b"]}),
    "plain.yaml": "Fallback: CONTINUE\nSize: 1\n",
    "cdk.yaml": "ChatStack:Fallback: CONTINUE\n",
    "samconfig.toml": f"{DEPLOY.format('prod')}'Fallback=CONTINUE Env=\"a\"'\n",
    "sam-list.toml": '[prod.global.parameters]\nparameter_overrides = ["Fallback=CONTINUE"]\n',
    "sam-keys.yaml": "prod:\n  deploy:\n    parameters:\n"
    "      parameter_overrides: ParameterKey=Fallback,ParameterValue=CONTINUE ParameterKey=Env,ParameterValue=a\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_every_form_is_a_set_which_the_finding_names(check: Check, name: str) -> None:
    check(t__yaml=SHAPE, **{name.replace(".", "__"): FORMS[name]})  # writes them

    ended = check("t.yaml", "--parameters", name)

    assert ended.code == 1
    environment = ":prod" if "sam" in name else ""
    assert message(ended).endswith(f", with {name}{environment}")


def test_each_set_is_judged_and_a_parameter_of_the_command_line_wins_over_all(check: Check) -> None:
    files = {"dev__json": {"Fallback": "ABORT"}, "prod__json": {"Fallback": "CONTINUE", "Env": "prod"}}
    check(t__yaml=SHAPE, **files)
    both = ("t.yaml", "--parameters", "dev.json", "--parameters", "prod.json")

    ended = check(*both)
    overridden = check(*both, "--parameter", "Fallback=ABORT")

    assert message(ended).endswith(", with prod.json")
    assert overridden.code == 0


def test_environments_of_a_samconfig_are_sets(check: Check) -> None:
    config = "".join(
        f'[{name}.deploy.parameters]\nparameter_overrides = "Fallback={value}"\n'
        for name, value in (("dev", "CONTINUE"), ("test", "CONTINUE"), ("prod", "ABORT"))
    )
    check(t__yaml=SHAPE, samconfig__toml=config)

    ended = check("t.yaml", "--parameters", "samconfig.toml")

    assert message(ended).endswith(", with samconfig.toml:dev or samconfig.toml:test")


def test_the_configuration_gives_sets_by_pattern_of_the_template(check: Check) -> None:
    config = 'parameters:\n  "t*.yaml": [dev.json, {Fallback: CONTINUE}]\n  "*.yaml": {Nothing: x}\n'
    check(t__yaml=SHAPE, dev__json={"Fallback": "ABORT"}, chimeaudit__yaml=config)

    ended = check("t.yaml")
    overridden = check("t.yaml", "--parameters", "dev.json")

    assert message(ended).endswith(", with chimeaudit.yaml:2")
    assert overridden.code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("Evn=a",), 'no template has the parameter "Evn"; did you mean "Env"?'),
        (("Env=a", "Env=b"), "Env is given two values"),
        (("Env",), "'Env' assigns nothing"),
        (("=a",), "'=a' assigns nothing"),
        (("Fallback=ABORT_NOT",), 'found "ABORT_NOT" for Fallback, given by --parameter; expected ABORT or CONTINUE'),
        (("Env=A",), 'found "A" for Env, given by --parameter; expected text of the form [a-z]+'),
        (("Env=abcdef",), 'found "abcdef" for Env, given by --parameter; expected a length of at most 5'),
        (("Size=4",), 'found "4" for Size, given by --parameter; expected a number of at most 3'),
        (("Size=0",), 'found "0" for Size, given by --parameter; expected a number of at least 1'),
        (("Size=x",), 'found "x" for Size, given by --parameter; expected a number'),
        (("Secret=hunter2",), "found a value for Secret, given by --parameter; expected a length of at most 3"),
    ],
)
def test_a_bad_value_is_one_line(check: Check, options: tuple[str, ...], told: str) -> None:
    check(t__yaml=SHAPE)

    ended = check("t.yaml", *(word for each in options for word in ("--parameter", each)))

    assert ended.code == 2
    assert told in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.json", '{"Evn": "a"}', 'p.json:1:2: no template has the parameter "Evn"; did you mean "Env"?'),
        ("p.json", '["Env=a", "Env=b"]', "p.json:1:11: found a second value for Env; expected one"),
        ("p.json", '{"Env": {"a": 1}}', "p.json:1:9: found a mapping; expected the value of Env"),
        ("p.json", "[1]", "p.json:1:2: found the number 1; expected parameters"),
        ("p.json", '"Env=a"', 'p.json:1:1: found "Env=a"; expected parameters'),
        ("p.yaml", "a b: c", 'p.yaml:1:1: found "a b"; expected parameters'),
        ("p.json", '[{"ParameterKey": "Env"}]', "p.json:1:2: found a mapping; expected parameters"),
        ("p.json", "{", "p.json:1:2: found"),
        ("p.json", "", "p.json:1:1: found an empty file"),
        ("p.toml", "a = ", "p.toml:1:1: found something that is not TOML"),
        (
            "p.toml",
            '[a.deploy.parameters]\nparameter_overrides = "Env"',
            'p.toml:1:1: found "Env"; expected NAME=VALUE',
        ),
        (
            "p.toml",
            "[a.deploy.parameters]\nparameter_overrides = 'Env=\"'",
            "expected NAME=VALUE, with quotes in pairs",
        ),
        ("p.json", '{"Fallback": "x"}', 'found "x" for Fallback, given by p.json; expected ABORT or CONTINUE'),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(check: Check, name: str, text: str, told: str) -> None:
    check(t__yaml=SHAPE, **{name.replace(".", "__"): text})

    ended = check("t.yaml", "--parameters", name)

    assert ended.code == 2
    assert told in ended.stderr


def test_a_file_that_is_not_there_is_one_line(check: Check) -> None:
    check(t__yaml=SHAPE)

    ended = check("t.yaml", "--parameters", "missing.json")

    assert ended.code == 2
    assert "missing.json: cannot be read (No such file or directory)" in ended.stderr


def test_a_strange_parameter_in_the_configuration_is_a_mistake_only_where_a_template_fits(check: Check) -> None:
    check(t__yaml=SHAPE, chimeaudit__yaml='parameters:\n  "t.yaml": {Evn: a}\n  "other/*": {Nothing: x}\n')

    ended = check("t.yaml")

    assert ended.code == 2
    assert 'chimeaudit.yaml:2:14: no template has the parameter "Evn"; did you mean "Env"?' in ended.stderr
    assert "Nothing" not in ended.stderr


def test_values_are_not_for_requests(check: Check) -> None:
    ended = check("--parameter", "Env=a", r__json=request())

    assert ended.code == 2
    assert 'no template has the parameter "Env"' in ended.stderr


@pytest.mark.parametrize(
    ("limits", "accepted", "refused"),
    [
        ("{Type: String, AllowedValues: [a, 1, true]}", ["a", "1", "true"], ["b", ""]),
        ("{Type: String, AllowedPattern: '(a'}", ["anything"], []),
        ("{Type: String, MinLength: 2}", ["ab"], ["a"]),
        ("{Type: Number, MinValue: x}", ["1", "-2.5"], ["", "a"]),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", ["a", "a, b"], ["a,c"]),
        ("{Type: 'List<Number>'}", ["1,2"], ["1,a"]),
        ("{}", ["", "a"], []),
        ("[]", ["a"], []),
    ],
)
def test_a_value_has_to_fit_what_the_parameter_allows(limits: str, accepted: list[str], refused: list[str]) -> None:
    root = parse(f"Parameters: {{P: {limits}}}".encode(), Mistakes("t"))
    assert isinstance(root, Table)
    parameter = declared(root)["P"]

    assert [value for value in accepted if parameter.expected(value) is not None] == []
    assert [value for value in refused if parameter.expected(value) is None] == []
