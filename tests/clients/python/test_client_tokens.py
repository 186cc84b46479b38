"""The Python client shows a token where the daemon asks for one, and holds on to none that others could have."""

import os

import pytest

from support.daemon import Daemon
from support.tokens import UNKNOWN, Tokens, new_token


@pytest.fixture(scope="module", name="tokens")
def fixture_tokens(privileged):  # pylint: disable=unused-argument
    tokens = Tokens(Daemon(profiles=["python"]))
    tokens.alpha = tokens.add("alpha")
    tokens.write()
    with tokens.daemon:
        yield tokens


def kept(path, text, mode=0o600):
    path.write_text(text)
    os.chmod(path, mode)
    return str(path)


def test_a_given_token_is_shown_with_every_call(connect, tokens):
    client = connect(tokens.address, token=tokens.alpha)
    assert client.server_info().tenant == "alpha"
    assert client.run("python", "print(1)").stdout_text == "1\n"
    run = client.create("python", "print(2)")
    assert [type(event).__name__ for event in client.follow(run.name)][-1] == "Finished"
    assert tokens.alpha not in repr(vars(client).get("_inner", client))


def test_the_file_of_the_environment_is_read(connect, tokens, tmp_path, monkeypatch):
    monkeypatch.setenv("CAISSON_TOKEN_FILE", kept(tmp_path / "token", tokens.alpha + "\n"))
    assert connect(tokens.address).server_info().tenant == "alpha"


@pytest.mark.parametrize("token, reason", [(None, "TOKEN_MISSING"), (UNKNOWN, "TOKEN_NOT_VALID")])
def test_without_a_token_that_holds_nothing_is_had(caisson, connect, tokens, token, reason):
    client = connect(tokens.address, token=token)
    for call in (client.server_info, lambda: client.run("python", "print(1)", main_file="main.py")):
        with pytest.raises(caisson.Unauthenticated) as error:
            call()
        assert error.value.reason == reason and isinstance(error.value, caisson.PermissionDenied)


@pytest.mark.parametrize("text, mode, words", [
    ("x", 0o600, "is not a token"), ("", 0o600, "is not a token"), (UNKNOWN + "\n\n", 0o600, "is not a token"),
    (UNKNOWN, 0o640, "others can use it"), (UNKNOWN, 0o604, "others can use it"), ("a" * 10_000, 0o600, "is not a token")])
def test_a_file_that_is_no_token_of_ones_own_is_refused(caisson, connect, tmp_path, monkeypatch, text, mode, words):
    monkeypatch.setenv("CAISSON_TOKEN_FILE", kept(tmp_path / "token", text, mode))
    with pytest.raises(caisson.InvalidToken, match=words) as error:
        connect("/nonexistent.sock")
    assert not text.strip() or text.strip() == "x" or text.strip() not in str(error.value)


def test_what_is_no_file_is_refused(caisson, connect, tmp_path, monkeypatch):
    for path, words in ((tmp_path, "is not a regular file"), (tmp_path / "none", "No such file")):
        monkeypatch.setenv("CAISSON_TOKEN_FILE", str(path))
        with pytest.raises(caisson.InvalidToken, match=words):
            connect("/nonexistent.sock")


def test_a_token_that_is_none_is_refused_and_not_repeated(caisson, connect):
    token = new_token()[:-1]
    with pytest.raises(caisson.InvalidToken) as error:
        connect("/nonexistent.sock", token=token)
    assert token not in str(error.value) and isinstance(error.value, ValueError)
