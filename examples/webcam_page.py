"""A page for the browser from Python: `python examples/webcam_page.py 0` serves a camera at http://127.0.0.1:8080.

Without an argument a generated clip is the camera, and this program draws the target, as a visitor of the page does.
"""

import json
import sys
import tempfile
import time
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pvtpp
from pvtpp.cli.sources import open_source
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.service import Service
from pvtpp.serve.session import Session
from pvtpp.sources.recorded import Played
from pvtpp_benchmarks.synthetic import AerialClip, render

camera, picture, folder = sys.argv[1:], None, tempfile.TemporaryDirectory()
if camera:
    source = open_source(camera[0])
else:
    render(AerialClip(seconds=3.0, width=320, height=180, agility=0.0, occlusions=())).save(f"{folder.name}/clip")
    source = Played(open_source(f"{folder.name}/clip/img"))
config = ServeConfig(port=8080 if camera else 0)  # this machine alone; another host needs a token
session = Session(lambda it: pvtpp.LiveTracker("csrt", on_result=it), source, ["ensemble"], config, "recorded", print)
with Service(session, config) as service:
    address = service.addresses[0]
    print(f"open {address} and draw the target", flush=True)
    while camera:
        time.sleep(1)
    while picture is None:
        with suppress(HTTPError):  # no picture came yet
            picture = urlopen(f"{address}api/picture.jpg")
    drawn = {"t_ns": picture.headers["X-Capture-Time-Ns"], "box": [160, 90, 30, 24]}
    urlopen(Request(f"{address}api/init", json.dumps(drawn).encode(), {"Content-Type": "application/json"}))
    print("{status}: the target is at {box}".format(**json.load(urlopen(f"{address}api/state"))))
