"""What the works share: a process measured, figures with their spread, the other benchmarks as modules, tables and bars."""

import dataclasses
import html
import importlib.machinery
import importlib.util
import os
import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
OURS, PEER, LIMIT = "ours", "peer", "limit"


def other(name):
    """The benchmark `benches/NAME/run` as a module."""
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(ROOT / "benches" / name / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@dataclasses.dataclass
class Figure:
    """What one program took for a work: the runs, in one unit; less is better unless `more`."""

    who: str
    role: str
    runs: list
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.runs)

    @property
    def spread(self):
        return min(self.runs), max(self.runs)


@dataclasses.dataclass
class Work:
    """A work, who did it and what it took."""

    name: str
    unit: str
    figures: list
    more: bool = False
    # What is promised of it: text, and whether it is kept.
    promises: list = dataclasses.field(default_factory=list)

    def of(self, who):
        return next((figure.median for figure in self.figures if figure.who == who), None)

    def ours(self):
        return next(figure.median for figure in self.figures if figure.role == OURS)

    def promise(self, text, kept):
        self.promises.append((text, bool(kept)))


def run(command, folder, patience=900):
    """Milliseconds of CPU (user and system) and megabytes of a whole process with its children; `None` when it took too long."""
    child = subprocess.Popen([str(part) for part in command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + patience
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > end:
            child.kill()
            os.wait4(child.pid, 0)
            return None
        time.sleep(0.001)
    if status != 0:
        raise SystemExit(f"{command} failed: {child.stderr.read().decode(errors='replace')[-800:]}")
    return 1000 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1000


def turns(n, folder, commands, patience=900):
    """CPU of each command, by its name, in `n` turns. `commands` maps a name to a role and a function that makes folder and command."""
    runs = {who: [] for who in commands}
    late = set()
    for nth in range(n):
        for who, (_, prepare) in commands.items():
            if who in late:
                continue
            place = folder / f"{who}-{nth}".replace(" ", "-").replace("/", "-").replace(",", "")
            place.mkdir(parents=True)
            took = run(prepare(place), place, patience)
            if took is None:
                late.add(who)
            else:
                runs[who].append(took[0])
    figures = [Figure(who, role, runs[who]) for who, (role, _) in commands.items() if runs[who]]
    return figures, {who: f"not done in {patience} s" for who in late}


def cpu_of(pid):
    """Seconds of CPU of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_of(pid):
    """Resident megabytes of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000


def number(value):
    if value == 0:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(works):
    """All works as Markdown: medians, spreads, and how many times ours each is."""
    lines = ["| work | who | | median | least to most | against ours |", "| --- | --- | --- | ---: | ---: | ---: |"]
    for work in works:
        ours = work.ours()
        for nth, figure in enumerate(work.figures):
            low, high = figure.spread
            ratio = figure.median / ours if ours else float("nan")
            against = "" if figure.role == OURS else f"{ratio:.2f} ×"
            name = f"{work.name}, {work.unit}" if nth == 0 else ""
            role = {OURS: "**", PEER: "", LIMIT: "*"}[figure.role]
            who = f"{role}{figure.who}{role}" + (f" ({figure.note})" if figure.note else "")
            kind = "limit" if figure.role == LIMIT else ""
            lines.append(f"| {name} | {who} | {kind} | {number(figure.median)} | {number(low)} to {number(high)} | {against} |")
    return "\n".join(lines)


def bars(work):
    """A work as an SVG: a bar for each, on one scale that begins at 0, with the spread as a line."""
    row, left, width, top = 34, 220, 760, 44
    height = top + row * len(work.figures) + 16
    most = max(figure.spread[1] for figure in work.figures) or 1
    x = lambda value: left + (width - left - 90) * value / most
    colours = {OURS: "#0a7d5a", PEER: "#b0532b", LIMIT: "#8a8f98"}
    better = "more is better" if work.more else "less is better"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14" role="img">',
        f'<title>{html.escape(work.name)}</title><rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="24" font-weight="bold">{html.escape(work.name)}</text>',
        f'<text x="{width - 12}" y="24" text-anchor="end" fill="#555">{html.escape(work.unit)}; {better}</text>',
    ]
    for nth, figure in enumerate(work.figures):
        y = top + row * nth
        low, high = figure.spread
        end = x(figure.median)
        out += [
            f'<text x="{left - 10}" y="{y + 19}" text-anchor="end">{html.escape(figure.who)}</text>',
            f'<rect x="{left}" y="{y + 4}" width="{max(end - left, 1):.1f}" height="22" fill="{colours[figure.role]}"/>',
            f'<path d="M{x(low):.1f} {y + 15}H{x(high):.1f}" stroke="#222" stroke-width="1.5"/>',
            f'<text x="{max(x(high), end) + 8:.1f}" y="{y + 20}">{number(figure.median)}</text>',
        ]
    out.append("</svg>")
    return "\n".join(out)
