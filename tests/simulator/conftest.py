from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_chime_sdk_identity import ChimeSDKIdentityClient
from mypy_boto3_chime_sdk_messaging import ChimeSDKMessagingClient
from mypy_boto3_sts import STSClient

from scanner.simulator.organisation import Organisation, load
from scanner.simulator.server import SimulatedAWS, start

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Caller:
    """A caller with credentials, in a region."""

    url: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    region: str = "us-east-1"

    @classmethod
    def of(cls, aws: SimulatedAWS) -> Caller:
        return cls(aws.url, aws.access_key_id, aws.secret_access_key)

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(self.access_key_id, self.secret_access_key, self.session_token, self.region)

    @cached_property
    def identity(self) -> ChimeSDKIdentityClient:
        return self.session.client("chime-sdk-identity", endpoint_url=self.url, config=ONE_ATTEMPT)

    @cached_property
    def messaging(self) -> ChimeSDKMessagingClient:
        return self.session.client("chime-sdk-messaging", endpoint_url=self.url, config=ONE_ATTEMPT)

    @cached_property
    def sts(self) -> STSClient:
        return self.session.client("sts", endpoint_url=self.url, config=ONE_ATTEMPT)

    @cached_property
    def functions(self) -> Any:
        return self.client("lambda")

    @cached_property
    def iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def events(self) -> Any:
        return self.client("events")

    @cached_property
    def organizations(self) -> Any:
        return self.client("organizations")

    def client(self, service: str) -> Any:
        open_client: Any = self.session.client
        return open_client(service, endpoint_url=self.url, config=ONE_ATTEMPT)

    def assuming(self, account_id: str, role: str = "chimeaudit") -> Caller:
        answer = self.sts.assume_role(RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName="audit")
        key = answer["Credentials"]
        return replace(
            self,
            access_key_id=key["AccessKeyId"],
            secret_access_key=key["SecretAccessKey"],
            session_token=key["SessionToken"],
        )

    def at(self, region: str) -> Caller:
        return replace(self, region=region)

    def names(self) -> list[str]:
        return [instance["Name"] for instance in self.identity.list_app_instances()["AppInstances"]]


@pytest.fixture(scope="session")
def demo() -> Organisation:
    return load()


# Not for the session: a server uses the process's only moto, and other modules start servers, too.
@pytest.fixture(scope="module")
def aws(demo: Organisation) -> Iterator[SimulatedAWS]:
    with start(demo) as running:
        yield running


@pytest.fixture(scope="module")
def caller(aws: SimulatedAWS) -> Caller:
    return Caller.of(aws)
