"""`make up` with the service's programs replaced by tiny ones; the servers, the supervisor and the steps are real."""

import sys

from config.up import run, stack
from config.up.programs import Program

HTTP = """
import http.server, os, sys
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *arguments): pass
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
"""
IDLE = "import time; print('idle', flush=True); time.sleep(600)"
MANAGE = """
import json, os, pathlib, sys, time
if sys.argv[1] == os.environ.get("SLOW_STEP"):
    print("slow", flush=True)
    time.sleep(600)
if sys.argv[1] == "seed_demo":
    facts = {"admin_user": "ada", "admin_password": "pass", "api_key": "ak_demo", "tenant": "demo"}
    pathlib.Path(sys.argv[-1]).write_text(json.dumps(facts))
"""


def services(self: stack.Stack, _webhook_secret: str = "") -> list[Program]:
    """Return programs that answer or idle where the service's own would work."""
    idle = [sys.executable, "-c", IDLE]
    commands = dict.fromkeys(("relay", "worker", "notifier", "analyst", "beat"), idle)
    commands["web"] = [sys.executable, "-c", HTTP, str(self.ports.web)]
    commands["inbox"] = [sys.executable, "-c", HTTP, str(self.ports.inbox)]
    return [Program(name, command, self.env(), self.layout.root) for name, command in commands.items()]


def manage(*arguments: str) -> list[str]:
    """Return a command that only seeds."""
    return [sys.executable, "-c", MANAGE, *arguments]


if __name__ == "__main__":
    stack.Stack.services = services  # type: ignore[method-assign]
    run.manage = manage  # type: ignore[attr-defined]
    sys.exit(run.main())
