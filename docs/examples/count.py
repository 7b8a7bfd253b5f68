#!/usr/bin/env python3
"""Counts to the number given. Says how far it is, and goes on where an earlier attempt stopped."""

import os
import sys
import time

whole = int(sys.argv[1])
kept = os.environ["AGENTMESH_CHECKPOINT"]

done = 0
if os.path.exists(kept):
    with open(kept) as file:
        done = int(file.read())

while done < whole:
    time.sleep(0.1)  # the work
    done += 1
    print(done, flush=True)
    print(f"::progress {done}/{whole} counting", flush=True)

    # Whole or not at all: a checkpoint that is half written would be a trap for the next attempt.
    with open(kept + ".new", "w") as file:
        file.write(str(done))
    os.replace(kept + ".new", kept)
