"""deploy/ci/Jenkinsfile: the shell in it is run by sh."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.ci.shell import ROOT, run
from tests.declared.checking import processor, request, write

SCRIPTS = re.findall(r"sh '''(.*?)'''", (ROOT / "deploy" / "ci" / "Jenkinsfile").read_text(), re.DOTALL)


def test_install_and_check(tmp_path: Path) -> None:
    install, check, scan = SCRIPTS
    write(tmp_path / "create.json", request(processor(FallbackAction="CONTINUE")))
    temporary = str(tmp_path.with_name(f"{tmp_path.name}@tmp"))
    variables = {"CHIMEAUDIT_PACKAGE": str(ROOT), "CHIMEAUDIT_PATH": ".", "WORKSPACE_TMP": temporary}

    installed = run(("sh", "-xe"), install, home=tmp_path, variables=variables)
    checked = run(("sh", "-xe"), check, home=tmp_path, variables=variables)

    assert installed.code == 0, installed.stderr
    assert checked.code == 1
    assert ET.parse(tmp_path / "reports" / "check.xml").findall(".//failure")  # noqa: S314 - our own report
    assert "-I -m scanner scan --org --external-id" in scan
