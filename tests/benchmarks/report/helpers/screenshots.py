"""Pictures of a page, small and grey, compared with committed ones."""

import base64
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "assets" / "report"
SCALE = 0.3
TILE = 24
NEAR, TILE_NEAR, TALLER = 1.0, 9.0, 0.02
"""Mean difference allowed in grey levels of 255, of the whole picture and of the worst tile, and in height."""
FONT = """
const sheet = new CSSStyleSheet();
sheet.replaceSync('*, svg text { font-family: "DejaVu Sans", sans-serif !important; }');
document.adoptedStyleSheets = [sheet];
return document.fonts.ready.then(() => document.documentElement.scrollHeight);
"""


def require_font():
    """Skip where the font of the pictures is missing, in CI fail: another one has other widths."""
    if not any(Path("/usr/share/fonts").rglob("DejaVuSans.ttf")):
        reason = "DejaVu Sans is not installed (apt install fonts-dejavu-core)"
        (pytest.fail if os.environ.get("PVTPP_REQUIRE_BROWSER") else pytest.skip)(reason)


def screenshot(driver, width):
    """The whole page at this width, grey, `SCALE` times its size; with one font whatever the machine prefers."""
    height = driver.execute_script(FONT)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    image = cv2.imdecode(np.frombuffer(base64.b64decode(shot["data"]), np.uint8), cv2.IMREAD_GRAYSCALE)
    size = round(image.shape[1] * SCALE), round(image.shape[0] * SCALE)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def difference(image, expected):
    """What is wrong with a picture in words, empty where it is near enough to the expected one."""
    if abs(image.shape[0] / expected.shape[0] - 1) > TALLER:
        return f"{image.shape[0]} pixels high, expected {expected.shape[0]}"
    same_size = cv2.resize(image, expected.shape[::-1], interpolation=cv2.INTER_AREA)
    # Letters that are a pixel aside are no difference.
    apart = np.abs(cv2.blur(same_size, (9, 9)).astype(float) - cv2.blur(expected, (9, 9)))
    rows, columns = (side // TILE * TILE for side in apart.shape)
    tiles = apart[:rows, :columns].reshape(rows // TILE, TILE, columns // TILE, TILE).mean(axis=(1, 3))
    if apart.mean() > NEAR or tiles.max() > TILE_NEAR:
        y, x = np.unravel_index(tiles.argmax(), tiles.shape)
        return (
            f"differs by {apart.mean():.1f} grey levels in the mean and {tiles.max():.1f} at "
            f"{x * TILE / SCALE:.0f},{y * TILE / SCALE:.0f}"
        )
    return ""
