"""Draw the results of the benchmark: sweep results benchmark --format json | python plot.py."""

import json
import sys
from collections import defaultdict

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito (2008)

results = [each for each in json.loads(sys.stdin.read() or "[]") if each["outcome"] == "completed"]
if not results:
    sys.exit("plot.py: there is no result yet; run: sweep run benchmark")

checksums = defaultdict(set)
lines = defaultdict(list)
for each in results:
    parameters, metrics = each["parameters"], each["metrics"]
    rows = float(parameters["rows"])
    checksums[rows, float(parameters["groups"])].add(metrics["checksum"])
    name = parameters["backend"], parameters.get("threads", "")
    lines[name].append((rows, metrics["seconds"]))
for (rows, groups), found in checksums.items():
    if len(found) > 1:
        sys.exit(f"plot.py: the backends do not agree about {rows:,.0f} rows in {groups:,.0f} groups")

backends = sorted({backend for backend, _ in lines})
figure = Figure(figsize=(7.5, 4.5), dpi=120, layout="constrained")
axes = figure.subplots()
for backend, threads in sorted(lines, key=lambda name: max(lines[name]), reverse=True):
    points = sorted(lines[backend, threads])
    label = f"{backend}, {threads} thread{'s' if threads != '1' else ''}" if threads else backend
    axes.plot(
        *zip(*points, strict=True),
        color=COLORS[backends.index(backend) % len(COLORS)],
        linestyle="-" if threads in ("", "1") else "--",
        marker="o",
        markersize=4.5,
        label=label,
    )
axes.set(xscale="log", yscale="log", xlabel="rows")
axes.set_title("Group-by in memory, median time: lower is faster", loc="left")
axes.xaxis.set_major_formatter(EngFormatter(sep=""))
axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
axes.yaxis.set_major_formatter(EngFormatter("s"))
axes.set_xticks(sorted({rows for rows, _ in checksums}))
axes.minorticks_off()
axes.grid(alpha=0.25)
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
figure.savefig("benchmark.png")
print("wrote benchmark.png")
