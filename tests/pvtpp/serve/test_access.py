"""Who may come in: decided from the headers alone."""

import pytest

from pvtpp.errors import InputError
from pvtpp.serve.access import Access, Request
from pvtpp.serve.config import ServeConfig

TOKEN = "a-token-of-20-letters"
HERE = "127.0.0.1:8080"


def status(token, request):
    refusal = Access(token).refuse(request)
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.1"])
def test_on_this_machine_no_token_is_needed(host):
    assert status(None, Request(host)) == 200
    assert status(None, Request(host, origin=f"http://{host}", site="same-origin")) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "", None, "[::", "10.0.0.1:8080"])
def test_another_name_that_leads_here_is_refused(host):
    assert status(None, Request(host)) == 403


WITH_TOKEN = {
    "in the address": Request(HERE, query=TOKEN),
    "in the cookie": Request(HERE, cookie=TOKEN),
    "as bearer": Request(HERE, authorization=f"Bearer {TOKEN}"),
    "with any name": Request("drone.local:8080", cookie=TOKEN),
}


@pytest.mark.parametrize("case", WITH_TOKEN)
def test_the_token_lets_in(case):
    assert status(TOKEN, WITH_TOKEN[case]) == 200


WITHOUT = {
    "none": Request(HERE),
    "empty": Request(HERE, query="", cookie="", authorization=""),
    "a part": Request(HERE, query=TOKEN[:-1]),
    "longer": Request(HERE, query=TOKEN + "x"),
    "other letters": Request(HERE, cookie="ä" * 20),
    "another scheme": Request(HERE, authorization=f"Basic {TOKEN}"),
    "from this machine": Request("localhost:8080", origin="http://localhost:8080"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_without_it_nobody_comes_in(case):
    assert status(TOKEN, WITHOUT[case]) == 401


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:8081", "file://", "https://127.0.0.1", "", "127.0.0.1:8080"],
)
def test_other_pages_are_refused_whatever_they_know(token, origin):
    assert status(token, Request(HERE, origin=origin, cookie=token)) == 403
    assert status(token, Request(HERE, origin=origin, cookie=token, page=True)) == 403


def test_a_link_may_lead_to_the_page_and_no_other_page_may_ask_for_more():
    assert status(None, Request(HERE, site="cross-site", page=True)) == 200
    for site in ("cross-site", "same-site"):
        assert status(None, Request(HERE, site=site)) == 403


def test_a_service_for_others_must_have_a_token_and_not_a_short_one():
    with pytest.raises(InputError, match=r"host is '0.0.0.0', allowed is an address of this machine alone"):
        ServeConfig(host="0.0.0.0")
    assert ServeConfig(host="0.0.0.0", token=TOKEN).token == TOKEN
    for token in ("short", "with spaces in it, long", "ümlaut-umlaut-umlaut"):
        with pytest.raises(InputError, match="token is .*allowed is None or 16 or more"):
            ServeConfig(token=token)
    for host in ("127.0.0.1", "localhost", "::1"):
        assert ServeConfig(host=host).host == host
    with pytest.raises(InputError, match="port is 70000"):
        ServeConfig(port=70000)
