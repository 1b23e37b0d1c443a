"""Who may come in: the token, the page that a request comes from, and the name by which the service was called."""

from __future__ import annotations

import hmac
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from pvtpp.serve.config import is_loopback


class Request(NamedTuple):
    """What a decision is made from; each None where a request does not have it.

    Attributes
    ----------
    host
        Header ``Host``.
    origin
        Header ``Origin``: the page that a browser's request comes from.
    site
        Header ``Sec-Fetch-Site``, which newer browsers send.
    authorization
        Header ``Authorization``.
    query, cookie
        The token in the address, and in the cookie that the page was given.
    page
        Whether the page itself is asked for, or a file of it: a link from elsewhere may lead there.
    """

    host: Optional[str]
    origin: Optional[str] = None
    site: Optional[str] = None
    authorization: Optional[str] = None
    query: Optional[str] = None
    cookie: Optional[str] = None
    page: bool = False


class Refusal(NamedTuple):
    """Why a request is turned down: HTTP status, and a sentence."""

    status: int
    text: str


class Access:
    """Decides on requests.

    Parameters
    ----------
    token
        What a visitor must know. None: nothing, but then the service must have been called by a name of this machine,
        since any page's name may be made to lead here (DNS rebinding).
    """

    def __init__(self, token: Optional[str]):
        self._token = None if token is None else token.encode("ascii")

    def refuse(self, request: Request) -> Optional[Refusal]:
        """Say why a request is turned down; None where it is not."""
        if self._token is None:
            if not _of_this_machine(request.host):
                return Refusal(403, "call this service by 127.0.0.1 or localhost")
        elif not self.knows_token(request):
            return Refusal(401, "a token is needed: open the address that pvtpp serve has printed")
        if request.origin is not None and not _same(request.origin, request.host):
            return Refusal(403, "requests from other pages are not taken")
        if request.site not in (None, "same-origin", "none") and not request.page:
            return Refusal(403, "requests from other pages are not taken")
        return None

    def knows_token(self, request: Request) -> bool:
        """Whether the request has the token; each comparison takes the same time, whatever is right in it."""
        scheme, _, given = (request.authorization or "").partition(" ")
        bearer = given.strip() if scheme.lower() == "bearer" else ""
        known = [self.is_token(each) for each in (bearer, request.query or "", request.cookie or "")]
        return any(known)

    def is_token(self, text: str) -> bool:
        """Whether this is the token."""
        return self._token is not None and hmac.compare_digest(text.encode("utf-8", "replace"), self._token)


def _of_this_machine(host: Optional[str]) -> bool:
    try:
        name = urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name)


def _same(origin: str, host: Optional[str]) -> bool:
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and bool(host) and rest.lower() == (host or "").lower()
