#!/usr/bin/env python3
"""Judges a result of the suite against the failures that docs/CONFORMANCE.md explains.

accepted.py RESULT.json CONFORMANCE.md

A case is explained where a line of the page's tables begins with its id in code quotes: | `id` | … or | `lane/id` | …
Prints what failed without being explained, and what is explained but passes (the line can go).
Last line: "N passed, N failed, N skipped (N explained failures)". Exit status 1 when an unexplained case failed.
"""
import json
import re
import sys


def main(result, page):
    with open(result) as f:
        results = json.load(f)["results"]
    with open(page) as f:
        explained = set(re.findall(r"^\| *`([^`]+)` *\|", f.read(), re.M))
    failed, accepted, passed, seen = [], 0, 0, {}
    for r in results:
        names = {r["id"], f'{r["lane"]}/{r["id"]}'}
        hit = names & explained
        for n in hit:
            seen.setdefault(n, []).append(r["status"])
        if r["status"] == "passed":
            passed += 1
        elif r["status"] == "failed" and hit:
            accepted += 1
        elif r["status"] == "failed":
            failed.append(r)
    skipped = sum(r["status"] == "skipped" for r in results)
    for r in failed:
        print(f'FAIL {r["severity"]:8} {r["lane"]}/{r["id"]}: {r.get("reason", "")}'[:240])
    for n in sorted(explained):
        if n in seen and "failed" not in seen[n]:
            print(f"explained in {page}, but passes: {n}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped ({accepted} explained failures)")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
