"""Addresses of sockets are read whole, or not at all."""

from __future__ import annotations

import pytest

from pvtpp.addresses import parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8765", ("127.0.0.1", 8765)), ("board.local:1", ("board.local", 1)), ("[::1]:65535", ("::1", 65535))],
)
def test_an_address_is_a_host_and_a_port(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "8765", "host", ":8765", "host:", "host:0", "host:65536", "host:٨", "::1:80", "a b:80", "host:80\n"]
)
def test_what_is_no_address_is_none(text):
    assert parse_address(text) is None
