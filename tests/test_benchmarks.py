"""benchmarks/engine.py still runs; its figures depend on the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "engine.py"


def test_the_benchmark_judges_every_default_rule_and_a_fifth_of_the_flows_fail() -> None:
    command = [sys.executable, str(BENCHMARK), "--json", "--flows", "300"]

    figures = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)

    assert figures["evaluations_per_second"] > 0
    assert figures["rules"] > 20
    assert figures["failing_flows"] == 60
