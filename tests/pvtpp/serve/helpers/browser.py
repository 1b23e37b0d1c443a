"""A real browser for tests of the page, and a network that is slow: a proxy that delays what the service sends."""

import asyncio
import contextlib
import os
import shutil
import threading

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=412,915",
)
PATIENCE_S = 60


@contextlib.contextmanager
def chromium(profile):
    """A headless Chromium by selenium; skipped where it is missing, but in CI required (PVTPP_REQUIRE_BROWSER)."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    try:
        from selenium import webdriver
    except ImportError:
        missing.append("selenium")
    if missing:
        reason = f"not installed: {', '.join(missing)} (apt install chromium chromium-driver; pip install selenium)"
        (pytest.fail if os.environ.get("PVTPP_REQUIRE_BROWSER") else pytest.skip)(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_script_timeout(PATIENCE_S)
    try:
        yield driver
    finally:
        driver.quit()


class SlowNetwork:
    """Passes connections on to a port of this machine; what comes back is `delay_s` late."""

    def __init__(self, port, delay_s):
        self._to, self._delay_s = port, delay_s
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE_S)

    def _run(self, ready):
        async def begin():
            self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(begin())
        self._loop.run_forever()

    async def _pass_on(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self._to)

        async def answers():
            late = []
            while True:
                data = await there.read(1 << 16)
                late.append(self._loop.call_later(self._delay_s, self._write, writer, data))
                if not data:
                    return

        task = asyncio.ensure_future(answers())
        with contextlib.suppress(OSError):
            while True:
                data = await reader.read(1 << 16)
                if not data:
                    break
                back.write(data)
        back.close()
        task.cancel()

    @staticmethod
    def _write(writer, data):
        with contextlib.suppress(OSError, RuntimeError):
            if data:
                writer.write(data)
            else:
                writer.close()

    def close(self):
        def end():
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(PATIENCE_S)
