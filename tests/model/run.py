#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py [--full] [WORD...]: checks drain.pml with spin, each configuration exhaustively.

First the protocol as it is: no assertion may fail and every run must come to a rest where nothing is left
undone; some configurations are also checked to have no endless run. Then, step by step, the protocol with
that step taken away: the check must fail. WORDs choose the checks whose names contain them; --full adds the
configurations that take a minute or some gigabytes. Exit code 77: spin or a C compiler is missing.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drain.pml")
MEGABYTES = 1900

WAITERS = ""
ONE_SLOT = "RS=1 PLACED=1"
LEAVER = "IMPATIENT"
CALLBACK = "NW=1 NT=2 CB=2 PLACED=1"
SUBMITTED = "NW=1 NT=2 CB=2"
TWO_CALLBACKS = "NW=0 NT=2 CB=3 RS=1"
CALLBACKS = "NW=0 NT=3 CB=7 RS=1"
BACKLOG = "NW=1 NT=3 RS=1 PLACED=3"
CHANNELS = "NC=2 RS=1 DEPENDS=0 PLACED=1"
BEHIND = "DEPENDS=1 PLACED=3 RING_NOW"
BALANCE = "NC=2 NW=1 NT=3 BALANCE PLACED=7"
CANCEL = "NW=1 NT=2 CANCEL=3"
CANCEL_ALONE = "NW=0 NT=2 RS=1 CANCEL=1 PLACED=1"
CANCEL_LEADER = "NW=1 NT=2 RS=1 CANCEL=1 DEPENDS=1 PLACED=2"
CANCEL_RING = "NW=0 NT=3 CANCEL=2 PLACED=3"
KILL = "NW=1 NT=1 CB=1 KILL"
KILL_TWO = "NW=1 NT=2 KILL PLACED=3"
KILL_CALLBACK = "NW=1 NT=2 CB=2 KILL PLACED=3"
FOLLOWERS = "NW=2 NT=3 CB=4 PLACED=7 RS=3"

# name, configuration, whether to look for endless runs too
HOLDS = [
    ("two waiters", WAITERS, True),
    ("two waiters, a ring of one slot", ONE_SLOT, False),
    ("two waiters, one gives up", LEAVER, True),
    ("a waiter and a callback", CALLBACK, False),
    ("callbacks only", CALLBACKS, True),
    ("a backlog", BACKLOG, False),
    ("two workers, one task waits for the other's waiter", CHANNELS, True),
    ("a result in front of a task that waits for its waiter", BEHIND, True),
    ("tasks move to an idle worker", BALANCE, True),
    ("both tasks are cancelled", CANCEL, False),
    ("a cancelled task fills the ring", CANCEL_ALONE, False),
    ("the leader's task is cancelled", CANCEL_LEADER, True),
    ("a cancelled task between two others", CANCEL_RING, False),
    ("a worker dies", KILL, True),
    ("a worker dies with two tasks", KILL_TWO, False),
    ("a worker dies with a waiter's task and a callback's", KILL_CALLBACK, False),
]
FULL = [
    ("two waiters, one slot, nothing submitted before", "RS=1", False),
    ("a waiter and a callback, nothing submitted before", SUBMITTED, False),
    ("a waiter and two callbacks", "NW=1 NT=3 CB=6 PLACED=3", False),
    ("two waiters and a callback", FOLLOWERS, False),
    ("three waiters", "NW=3 PLACED=7 RS=4", False),
    ("two workers, two waiters", "NC=2 RS=1 PLACED=1", False),
    ("two waiters, one task is cancelled", "CANCEL=1 PLACED=3", False),
    ("one of two workers dies", "NC=2 NW=1 NT=2 KILL PLACED=3", False),
]

# the step that is left out (or done wrong), a configuration that needs it
FAILS = [
    ("WORKER_NO_RELOOK", WAITERS, "a worker that says it sleeps does not look at its ring once more"),
    ("SUBMIT_NO_BELL", WAITERS, "a submitter does not look whether the worker sleeps"),
    ("LEADER_NO_RELOOK", WAITERS, "a leader that has armed the bells does not look once more"),
    ("LEAVE_NO_WAKE", WAITERS, "a leader that leaves wakes no follower"),
    ("LEAVE_NO_SETTLE", CALLBACK, "a leader that leaves does not see to the engine's bell"),
    ("FOLLOWER_NO_RETRY", WAITERS, "a follower does not try the drain lock again once it is registered"),
    ("CHOSEN_NO_PASS", FOLLOWERS, "a follower that was chosen, and whose task has ended, does not pass it on"),
    ("TRY_IGNORED", WAITERS, "one drains without the lock"),
    ("ONE_BELL", CALLBACK, "leader and engine sleep on the same bell"),
    ("SETTLE_NO_RELOOK", TWO_CALLBACKS, "whoever settles has armed the bells and does not look once more"),
    ("SETTLE_NO_AFTERLOOK", TWO_CALLBACKS, "whoever settles has let the lock go and does not look once more"),
    ("SETTLE_NO_FOLLOWERS", SUBMITTED, "whoever settles has let the lock go and wakes no follower"),
    ("ARMED_AFTER", TWO_CALLBACKS, "the bells are armed before engine_armed says so"),
    ("ENGINE_KEEPS_ARMED", TWO_CALLBACKS, "the engine was rung and leaves engine_armed as it is"),
    ("NEW_CHANNEL_UNARMED", KILL_CALLBACK, "a new worker's bell is silent and engine_armed stays as it is"),
    ("ARM_BUSY_ONLY", CHANNELS, "only the channels of busy workers are armed"),
    ("SLEEP_NO_RING", CANCEL_ALONE, "a worker goes to sleep and still owes a ring"),
    ("PUT_OFF", BEHIND, "a bell is put off before a task that waits for the result (here the slices help)"),
    ("SKIP_SILENT", CANCEL_ALONE, "a worker that has skipped tasks does not ring"),
    ("PASSED_BELIEVED", CANCEL_RING, "`passed` goes over a task whose result was not read yet"),
    ("TAKE_NO_CAS", BALANCE, "a task is taken back without a compare-exchange"),
    ("WAKE_NO_LEADER", CANCEL_LEADER, "who ends a task wakes the followers, but not the leader"),
    ("NOTE_NO_L", KILL, "a death is noted and the leader not rung"),
    ("JUDGED_FIRST", KILL, "a dead worker's tasks are judged before its results are read"),
    ("NO_REQUEUE", KILL_CALLBACK, "what a dead worker had not begun is forgotten"),
    ("CLAIMED_REQUEUED", KILL, "what a dead worker had begun is run again"),
]


class Broken(Exception):
    pass


def run(command, where):
    done = subprocess.run(command, cwd=where, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check(defines, compiler, endless, large):
    """How many errors pan found, its states, the first error; or Broken."""
    with tempfile.TemporaryDirectory(prefix="drain-model-") as where:
        code, said = run(["spin", "-a"] + ["-D" + d for d in defines] + [MODEL], where)
        if code != 0 or not os.path.exists(where + "/pan.c"):
            raise Broken("spin: " + said.strip())
        code, said = run([compiler, "-O2" if large else "-O0", "-w", "-DNP" if endless else "-DSAFETY",
                          f"-DMEMLIM={MEGABYTES}", "-DVECTORSZ=512", "-o", "pan", "pan.c"], where)
        if code != 0:
            raise Broken(compiler + ": " + said.strip()[-500:])
        code, said = run(["./pan", "-m100000", "-w22"] + (["-l"] if endless else []), where)
        errors = re.search(r"errors: (\d+)", said)
        states = re.search(r"([\d.e+]+) states, stored", said)
        whole = "Search not completed" not in said and "too small" not in said and "reached -DMEMLIM" not in said
        if not errors or not states:
            raise Broken("pan: " + said.strip()[-500:])
        if not whole and int(errors[1]) == 0:
            raise Broken(f"pan did not finish within {MEGABYTES} MB: {states[1]} states")
        why = re.search(r"pan:\d*:? (.*?) \(at depth", said)
        return int(errors[1]), int(float(states[1])), why[1] if why else ""


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    compiler = next((c for c in ("gcc", "cc", "clang") if shutil.which(c)), None)
    if not shutil.which("spin") or not compiler:
        print("skipped: this needs spin (https://spinroot.com, package `spin`) and a C compiler")
        return 77
    plan = [(name, config.split(), finite, False, False) for name, config, finite in HOLDS]
    if "--full" in sys.argv:
        plan += [(name, config.split(), finite, False, True) for name, config, finite in FULL]
    plan += [(f"{step}: {what}", config.split() + ["BREAK_" + step], False, True, False)
             for step, config, what in FAILS]
    passed = failed = 0
    for name, defines, endless, must_fail, large in plan:
        if words and not any(w in name for w in words):
            continue
        began = time.monotonic()
        try:
            errors, states, why = check(defines, compiler, endless, large)
            good = (errors > 0) == must_fail
            verdict = f"{states} states"
            if errors:
                verdict += (", found: " if must_fail else ", ERROR: ") + why
            elif must_fail:
                verdict += ", NOT FOUND"
            elif endless:
                verdict += ", no endless run"
        except Broken as problem:
            good, verdict = False, str(problem)
        passed, failed = passed + good, failed + (not good)
        print(f"{'ok' if good else 'FAILED'}  {name}  [{' '.join(defines)}]  {verdict},"
              f" {time.monotonic() - began:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
