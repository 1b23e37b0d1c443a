"""The site: builds without a warning, holds every page, and its pages fit a phone and a wide screen."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
for package in ("mkdocs", "material", "mkdocstrings"):
    pytest.importorskip(package)
sys.path.append(str(ROOT / "tests" / "pvtpp" / "serve" / "helpers"))
from browser import chromium  # noqa: E402

PAGES = sorted(path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md"))
SHOWN = ("", "getting-started/roboticist/", "results/trackers/", "reference/api/live/")
WIDTHS = (390, 1440)
STICKS_OUT = """
const width = document.documentElement.clientWidth, found = [];
for (const each of document.querySelectorAll("article h1, article h2, article p, article li, article img, pre")) {
  const box = each.getBoundingClientRect();
  if (box.width && box.right > width + 1 && !each.closest("table")) found.push(each.textContent.slice(0, 40));
}
return [document.documentElement.scrollWidth - width, found];
"""
BROKEN_IMAGES = "return [...document.images].filter((each) => !each.naturalWidth).map((each) => each.src);"
ELSEWHERE = """
return performance.getEntriesByType("resource").map((each) => each.name)
  .filter((name) => !name.startsWith(location.origin) && !name.startsWith("data:"));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def test_every_page_is_in_the_site_and_api_pages_hold_docstrings(site):
    for page in PAGES:
        made = site / page.parent / "index.html" if page.name == "index" else site / page / "index.html"
        assert made.is_file(), page
    live = (site / "reference" / "api" / "live" / "index.html").read_text(encoding="utf-8")
    assert "pvtpp.live.live_tracker.LiveTracker" in live and "submit" in live


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page or "front page")
def test_a_page_fits_loads_nothing_from_elsewhere_and_logs_no_error(driver, address, page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(address + page)
    assert driver.execute_script(STICKS_OUT) == [0, []]
    assert driver.execute_script(BROKEN_IMAGES) == []
    assert driver.execute_script(ELSEWHERE) == []
    assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
