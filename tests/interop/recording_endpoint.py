"""A token endpoint that records the assertions posted to it, so that a library which did not sign them can judge them."""

import http.server
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass


@dataclass
class Posted:
    """One token request as it arrived."""

    assertion: str
    form: dict[str, str]
    user_agent: str
    received_at: float


class RecordingEndpoint:
    """`with RecordingEndpoint() as endpoint:` gives `endpoint.url` and, later, `endpoint.posted`."""

    def __init__(self):
        self.posted: list[Posted] = []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
                endpoint.posted.append(
                    Posted(form.get("assertion", ""), form, self.headers.get("User-Agent", ""), time.time())
                )
                answer = json.dumps(
                    {
                        "access_token": "00D000000000001!recorded.by.the.endpoint",
                        "scope": "api",
                        "instance_url": endpoint.url,
                        "id": f"{endpoint.url}/id/00D000000000001EAA/005000000000001AAA",
                        "token_type": "Bearer",
                    }
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json;charset=UTF-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
