"""The guides about people, mail and the due-queue say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.account_views import AccountView
from api.accounts import AccountOperations
from api.api_keys import ApiKeyOperations
from api.audit import AuditOperations
from api.auth import Claims
from api.contract import operations_of
from api.sign_in import SignInOperations
from autospot.domain.access import Scope
from autospot.domain.accounts import account, api_key, one_time_code, password, sign_in, vehicle
from autospot.services import passwords, postman
from autospot.services.accounts import sign_in as signing_in
from autospot.storage.due import DEAD_ROWS_KEPT

DOCS = Path(__file__).parents[3] / "docs"
ACCOUNTS, MAIL, DUE = ((DOCS / f"{name}.md").read_text() for name in ("accounts", "mail", "due-queue"))


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {account.LOTS_PER_PERSON} lots",
        f"{password.MIN_CHARACTERS} to {password.MAX_CHARACTERS} characters",
        f"{passwords.HashCost().memory_kib // 1024} MiB",
        f"{passwords.WAITING} waiting",
        f"{sign_in.ACCESS_LIFETIME.seconds // 60} minutes |",
        f"{sign_in.REFRESH_LIFETIME.days} days unused, {sign_in.FAMILY_LIFETIME.days} days in all",
        f"at most {sign_in.FAMILIES_PER_ACCOUNT} sign-ins",
        f"last {sign_in.RECENT_SIGN_IN.seconds // 60} minutes",
        f"else {vehicle.PLATE_MEMORY.days} days after",
        f"begins with `{api_key.API_KEY_PREFIX}`",
        " ".join(Scope),
        " ".join(name for name in ("iss", "aud", "exp", "iat", "jti", "sub", "typ", "fam", "roles", "lots")),
    ],
)
def test_figures_of_the_guide_are_those_of_the_code(sentence: str) -> None:
    assert sentence in ACCOUNTS


def test_numbers_in_words_are_still_right() -> None:
    assert (one_time_code.CODE_TRIES, one_time_code.CODES_PER_HOUR, one_time_code.CODES_PER_DAY) == (5, 3, 5)
    assert one_time_code.CODE_LIFETIME.seconds == 600
    assert (signing_in.TRIES_FROM_ONE_PLACE, signing_in.TRIES_FROM_ANYWHERE) == (5, 50)
    assert (signing_in.PLACE_WINDOW.seconds, signing_in.ANYWHERE_WINDOW.seconds) == (900, 3600)
    assert sign_in.REPEAT_GRACE.seconds == 10
    assert set(Claims.model_fields) == {"iss", "aud", "exp", "iat", "jti", "sub", "typ", "fam", "roles", "lots"}
    assert set(AccountView.model_fields) >= {"email", "name", "language"}


def test_every_path_in_the_guide_exists() -> None:
    classes = (SignInOperations, AccountOperations, ApiKeyOperations, AuditOperations)
    paths = {bound.operation.path for each in classes for bound in operations_of(each.__new__(each))}
    mentioned = set(re.findall(r"/v1/[a-z/-]+[a-z]", ACCOUNTS)) - {"/v1/auth"}
    assert mentioned
    assert mentioned <= paths


def test_the_guide_to_mail_lists_every_text_of_accounts() -> None:
    texts = {
        path.name.removesuffix(".txt.j2") for path in Path(DOCS.parent, "autospot/templates/mail").glob("*.txt.j2")
    }
    listed = set(re.findall(r"`([a-z_]+)`", MAIL.split("There are:")[1].split("\n")[0]))
    assert listed <= texts
    assert {"verify_email", "reset_password"} <= listed
    assert f"{postman.MAIL.backoff.attempts} times" in MAIL


def test_the_guide_to_the_due_queue_knows_how_long_dead_letters_stay() -> None:
    assert f"they go after {DEAD_ROWS_KEPT.days} days" in DUE
    assert f"stay {DEAD_ROWS_KEPT.days} days" in MAIL
