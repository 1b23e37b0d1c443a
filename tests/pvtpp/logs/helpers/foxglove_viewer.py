"""A viewer of Foxglove's WebSocket protocol (foxglove.sdk.v1), as far as it subscribes and reads JSON messages."""

import base64
import json
import os
import socket
import struct

PATIENCE_S = 60
TEXT, BINARY, MESSAGE_DATA = 1, 2, 1


class Viewer:
    """Connects to a server on loopback, and subscribes to every topic that it offers."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET / HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: foxglove.sdk.v1",
        )
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.stream = self.socket.makefile("rb")
        assert b"101" in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass
        self.topics, self.schemas = {}, {}

    def subscribe(self, count):
        """Subscribe to so many topics, as they are offered."""
        while len(self.topics) < count:
            kind, data = self._frame()
            said = json.loads(data) if kind == TEXT else {}
            if said.get("op") == "advertise":
                for channel in said["channels"]:
                    self.topics[channel["id"]] = channel["topic"]
                    self.schemas[channel["topic"]] = (channel["schemaName"], json.loads(channel["schema"]))
        asked = [{"id": each, "channelId": each} for each in self.topics]
        self._send(json.dumps({"op": "subscribe", "subscriptions": asked}).encode())

    def messages(self):
        """Topic and content of each message, as long as the server is there."""
        while True:
            try:
                kind, data = self._frame()
            except (OSError, struct.error):
                return
            if kind == BINARY and data[0] == MESSAGE_DATA:
                (number,) = struct.unpack("<I", data[1:5])
                yield self.topics[number], json.loads(data[13:])
            elif kind == 8:
                return

    def close(self):
        self.stream.close()
        self.socket.close()

    def _send(self, data):
        size = struct.pack(">BBH", 0x81, 0x80 | 126, len(data))
        # Masked by zeros.
        self.socket.sendall(size + bytes(4) + data)

    def _frame(self):
        first, size = struct.unpack(">BB", self.stream.read(2))
        if size == 126:
            (size,) = struct.unpack(">H", self.stream.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.stream.read(8))
        return first & 15, self.stream.read(size)
