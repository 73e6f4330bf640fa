#!/usr/bin/env python3
"""Prints results of the suite side by side, as the tables of docs/CONFORMANCE.md.

totals.py NAME=RESULT.json…

A cell is "passed of run"; skipped cases are not counted. Exit status 0.
"""
import json
import sys

SEVERITIES = ("security", "must", "should")


def table(title, keys, results, of):
    names = list(results)
    print(f"| {title} | cases | " + " | ".join(names) + " |")
    print("|---|--:|" + "--:|" * len(names))
    for key in keys:
        cells, cases = [], 0
        for rows in results.values():
            mine = [r for r in rows if of(r, key) and r["status"] != "skipped"]
            cases = max(cases, len(mine))
            cells.append(str(sum(r["status"] == "passed" for r in mine)))
        print(f"| {key} | {cases} | " + " | ".join(cells) + " |")
    print()


def main(arguments):
    results = {}
    for argument in arguments:
        name, _, path = argument.partition("=")
        with open(path) as f:
            results[name] = json.load(f)["results"]
    groups = list(dict.fromkeys(r["group"] for rows in results.values() for r in rows))
    table("severity", [*SEVERITIES, "all"], results, lambda r, key: key in (r["severity"], "all"))
    table("group", groups, results, lambda r, key: r["group"] == key)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
