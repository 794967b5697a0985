"""Explains why there are no credentials and what to do about it; botocore's errors lack one or the other."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from botocore import exceptions as boto
from botocore.session import Session

from scanner.aws.failure import MISSING_CREDENTIALS, CredentialsError
from scanner.aws.patience import OutOfPatienceError

_SIGNED_OUT = (
    boto.SSOTokenLoadError,
    boto.TokenRetrievalError,
    boto.UnauthorizedSSOTokenError,
)
_MEND = "mend the AWS configuration"
_UNEXPECTED = (AttributeError, LookupError, OSError, TypeError, ValueError)
"""What botocore raises if a file or program of the user is broken."""
FAULTS = (boto.BotoCoreError, boto.ClientError, *_UNEXPECTED)
FIRST_CALL = (boto.NoCredentialsError, boto.InvalidConfigError, boto.SSLError)
"""What is raised only when a client is made, or when its first call is signed and sent."""
_LOGIN: Any = getattr(boto, "LoginError", ())  # not in the oldest supported botocore

_codes: dict[Any, Any] = {}
"""Credentials of roles that need an MFA code. A code is valid once, so all sessions of the process share them."""


class OwnCredentials:
    """How a session gets its own credentials, according to its configuration."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.profile: str = session.profile or "default"

    def prepare(self) -> None:
        """Make botocore ask for an MFA code only if there is a terminal, and only once."""
        provider = self._session.get_component("credential_provider").get_provider("assume-role")
        provider._prompter = self._ask_for_code  # botocore has no public way to set it for such a session
        if self._setting("mfa_serial"):
            provider.cache = _codes

    @contextmanager
    def explaining(self, faults: tuple[type[Exception], ...] = FAULTS) -> Iterator[None]:
        """Replace errors of botocore, or of the user's files and programs, by errors that explain more.

        Raises:
            CredentialsError: the credentials cannot be obtained.
        """
        try:
            yield
        except faults as error:
            explained = self._explained(error)
            if explained is error:
                raise
            raise explained from error

    def _explained(self, error: Exception) -> Exception:
        """The error to raise instead, or the error itself if it explains enough."""
        match error:
            case boto.SSLError():
                return self._without_authorities() or error
            case boto.HTTPClientError() | boto.ConnectionError() | CredentialsError() | OutOfPatienceError():
                return error
            case boto.ClientError():
                return self._refused(error)
            case boto.NoCredentialsError():
                return self._none()
            case boto.PartialCredentialsError():
                where = "the environment" if error.kwargs["provider"] == "env" else f"profile {self.profile}"
                what = f"{MISSING_CREDENTIALS}: {where} has no {error.kwargs['cred_var']}"
                return CredentialsError("NoCredentials", what, "complete it, or name another --profile")
        code = type(error).__name__.removesuffix("Error") if isinstance(error, boto.BotoCoreError) else _UNTOLD
        return CredentialsError(code, *self._cause_and_step(error))

    def _cause_and_step(self, error: Exception) -> tuple[str, str]:
        return (
            self._of_configuration(error)
            or self._of_session(error)
            or self._of_program(error)
            or self._of_endpoint(error)
            or ("the credentials cannot be had", "check the AWS configuration")
        )

    def _of_configuration(self, error: Exception) -> tuple[str, str] | None:
        match error:
            case boto.InfiniteLoopConfigError():
                circle = ", ".join((*error.kwargs["visited_profiles"], error.kwargs["source_profile"]))
                return f"the profiles take their credentials from each other in a circle: {circle}", _MEND
            case boto.InvalidConfigError():
                detail = str(error.kwargs["error_msg"]).rstrip(".").replace(";", ",")
                return f"the AWS configuration is wrong: {detail}", _MEND
            case boto.ParamValidationError():
                detail = " ".join(str(error.kwargs["report"]).split()).replace(";", ",")
                return f"the AWS configuration is wrong: {detail}", _MEND
            case OSError() if error.filename:
                return self._unusable_file(error)
        return None

    def _of_session(self, error: Exception) -> tuple[str, str] | None:
        """Cause and step for an expired or missing sign-in of a person; None for other errors."""
        sign_in = f"sign in: aws sso login --profile {shlex.quote(self.profile)}"
        if isinstance(error, boto.SSOTokenLoadError):
            return "nobody has signed in to IAM Identity Center here", sign_in
        if isinstance(error, _SIGNED_OUT):
            return "the sign-in to IAM Identity Center has expired", sign_in
        if isinstance(error, _LOGIN):
            return "the sign-in has expired, or there was none", sign_in.replace("sso ", "")
        if isinstance(error, boto.RefreshWithMFAUnsupportedError):
            return "the session that was begun with an MFA code has expired", "go on with --resume"
        return None

    def _of_program(self, error: Exception) -> tuple[str, str] | None:
        program = self._setting("credential_process")
        if program is None:
            return None
        if not program:
            return "the credential_process is empty", _MEND
        match error:
            case ExpiredOnArrivalError():
                detail = "gave credentials that have expired already"
            case json.JSONDecodeError() | UnicodeDecodeError() | AttributeError() | TypeError():
                detail = "printed no JSON"
            case boto.BotoCoreError():
                detail = "failed, or printed no credentials"
            case _:
                detail = "cannot be run"
        return f"the credential_process {_name(program)} {detail}", "run it by hand to see why"

    def _of_endpoint(self, error: Exception) -> tuple[str, str] | None:
        if isinstance(error, ExpiredOnArrivalError):
            return "the credentials that it gives have expired already", "see who renews them, and this machine's clock"
        if not isinstance(error, boto.CredentialRetrievalError | boto.MetadataRetrievalError | ValueError):
            return None
        source = self._setting("credential_source")
        if source:
            return f"the credential_source {source} gives no credentials", "see that there are some where the scan runs"
        whose = next((name for name in _CONTAINER if name in os.environ), None)
        if whose:
            return f"the endpoint that {whose} names gives no credentials", "see that it is right, and answers"
        return "the instance's metadata service gives no credentials", "see that the instance has a role"

    def _unusable_file(self, error: OSError) -> tuple[str, str]:
        why = error.strerror or type(error).__name__
        program = self._setting("credential_process")
        if program and error.filename == _name(program):
            return f"the credential_process {error.filename} cannot be run ({why})", _MEND
        whose = "web_identity_token_file" if self._is_web_identity(error.filename) else "file"
        return f"the {whose} {error.filename} cannot be read ({why})", "put it there, or mend the AWS configuration"

    def _is_web_identity(self, file: str) -> bool:
        return file in {self._setting("web_identity_token_file"), os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")}

    def _refused(self, error: boto.ClientError) -> Exception:
        """The error for a refused call; if IAM Identity Center refused, allowing an IAM action does not help."""
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error.operation_name != "GetRoleCredentials" or not 400 <= status < 429:
            return error
        role, account = self._setting("sso_role_name"), self._setting("sso_account_id")
        what = f"IAM Identity Center gives no credentials of role {role} in account {account}"
        return CredentialsError("GetRoleCredentials", what, "have the role assigned, or mend the AWS configuration")

    def _without_authorities(self) -> CredentialsError | None:
        """The error if the file of certificate authorities cannot be read; None if that is not the reason."""
        named = (
            ("AWS_CA_BUNDLE", os.environ.get("AWS_CA_BUNDLE")),
            ("ca_bundle", self._setting("ca_bundle")),
            ("REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")),
        )
        name, file = next(((name, file) for name, file in named if file), ("", None))
        if not file:
            return None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
                cafile=None if Path(file).is_dir() else file, capath=file if Path(file).is_dir() else None
            )
        except OSError as error:
            why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            what = f"the certificate authorities in {file}, which {name} names, cannot be read ({why})"
            return CredentialsError("SSL", what, "name a file that holds them by AWS_CA_BUNDLE")
        return None

    def _none(self) -> CredentialsError:
        """The error if no source has credentials."""
        if self._session.profile:
            where = f"profile {self.profile} names no keys, and no role, sign-in or program that gives any"
        else:
            where = "neither the environment nor the default profile has any, and no instance role answers"
        step = "sign in, or name --profile" if not self._session.profile else "add them, or name another --profile"
        return CredentialsError("NoCredentials", f"{MISSING_CREDENTIALS}: {where}", step)

    def _setting(self, name: str) -> str | None:
        """A setting of the profile, or of the first profile in its chain of source profiles that has it."""
        return next((str(profile[name]) for profile in self._chain() if name in profile), None)

    def _chain(self) -> Iterator[dict[str, Any]]:
        profiles = self._session.full_config.get("profiles", {})
        seen: set[str] = set()
        name = self.profile
        while name in profiles and name not in seen:
            seen.add(name)
            yield profiles[name]
            name = profiles[name].get("source_profile", "")

    def _ask_for_code(self, prompt: str) -> str:
        """Ask for an MFA code on the terminal, as botocore does.

        Raises:
            CredentialsError: there is no terminal.
        """
        code = getpass.getpass(prompt) if _has_terminal() else ""
        if code:
            return code
        elsewhere = f"aws configure export-credentials --profile {shlex.quote(self.profile)} --format env"
        raise CredentialsError(
            "MfaCode",
            f"the role of profile {self.profile} asks for an MFA code, and there is no terminal to type it at",
            f"begin the session where there is one, and hand its variables to the scan: {elsewhere}",
        )


class ExpiredOnArrivalError(ValueError):
    """New credentials have already expired."""


_UNTOLD = "CredentialRetrieval"
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def _name(command: str) -> str:
    """The program in a command, without its arguments, which may be secrets."""
    try:
        return next(iter(shlex.split(command)), command)
    except ValueError:
        return command.split(maxsplit=1)[0]


def _has_terminal() -> bool:
    """Whether getpass can ask somebody."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
            return True
    return sys.stdin is not None and sys.stdin.isatty()
