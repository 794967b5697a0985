"""Reads AWS's service models and our rules when imported: a process forked from this one need not read them again."""

from __future__ import annotations

from scanner import resources
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.session import _loader
from scanner.language import rule

rule.load([resources.rules()])
for _service in (IDENTITY, MESSAGING, "events", "iam", "lambda", "organizations", "sts"):
    for _kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        _loader(None).load_service_model(_service, _kind)
for _data in ("_retry", "endpoints", "partitions", "sdk-default-configuration"):
    _loader(None).load_data(_data)
