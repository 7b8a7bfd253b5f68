#!/usr/bin/env python3
"""A receiver for 'cron add --notify': webhook.py PORT SECRET-FILE. Prints each run once, and refuses what is not signed with the secret."""
import base64, hashlib, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

OLDEST = 5 * 60  # seconds: what is older was recorded and is sent again by somebody else


def secrets():
    for line in open(sys.argv[2]).read().split("\n"):
        if line.strip():
            yield base64.b64decode(line.strip()[6:]) if line.strip().startswith("whsec_") else line.strip().encode()


def is_signed(headers, body):
    at, given = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split(" ")
    if not at.isdigit() or abs(time.time() - int(at)) > OLDEST:
        return False
    signed = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
    made = ["v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets()]
    return any(hmac.compare_digest(a.encode(), b.encode()) for a in given for b in made)


class Receiver(BaseHTTPRequestHandler):
    seen = set()

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1 << 20))
        if not is_signed(self.headers, body):
            return self.answer(401)
        if self.headers["webhook-id"] not in self.seen:  # at least once: the same run may come again
            self.seen.add(self.headers["webhook-id"])
            run = json.loads(body)["data"]
            print(run["schedule"], run["state"], run["exitCode"], repr(run["stdout"]), flush=True)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
