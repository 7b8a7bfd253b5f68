"""Answers two actions: "count WORDS..." and "caller". Kept here and shown in docs/plugins.md."""
import json
import os
import sys

for line in sys.stdin:
    request = json.loads(line)
    action, _, rest = request["arguments"].partition(" ")
    answer = {"id": request["id"]}
    if action == "count":
        answer["result"] = str(len(rest.split()))
    elif action == "caller":
        answer["result"] = request["callerName"]
    elif action == "die":
        os._exit(1)
    else:
        answer["error"] = f"unknown action '{action}'"
        answer["next"] = "use count or caller"
    print(json.dumps(answer), flush=True)
