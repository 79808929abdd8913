"""Adds up what was answered to whom, and fails when too few operations were ever done."""
import json
import os
import sys
from collections import Counter
from pathlib import Path

NEEDED = 0.9
METHODS = {"get", "put", "post", "patch", "delete"}

described = json.loads(Path("api-spec/openapi.json").read_text())
names = sorted(one["operationId"] for item in described["paths"].values() for method, one in item.items() if method in METHODS)
total, by_role, broken = Counter(), {}, []
done = set()
for file in sorted(Path(os.environ["LSTEST_COUNTS"]).glob("*.json")):
    counts = json.loads(file.read_text())
    for name, statuses in counts.items():
        by_role.setdefault(file.stem, Counter()).update(statuses)
        total.update(statuses)
        if any(status.startswith("2") for status in statuses):
            done.add(name)
        broken += [f"{file.stem} {name}: {count} x {status}" for status, count in statuses.items() if status in ("500", "502", "504")]
for role, statuses in by_role.items():
    print(f"{role:20} {sum(statuses.values()):6} calls  " + "  ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
never = [name for name in names if name not in done]
share = (len(names) - len(never)) / len(names)
print(f"{sum(total.values())} calls to {len(names)} operations; {len(names) - len(never)} ({share:.0%}) were done at least once; never: {', '.join(never) or 'none'}")
for line in broken:
    print("BROKEN", line)
sys.exit(1 if share < NEEDED or broken else 0)
