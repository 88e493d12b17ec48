"""The works, one a function: each does the same with gazetted, with its peers and with what no program can be quicker than."""

import contextlib
import datetime
import email.message
import http.client
import pathlib
import random
import shutil
import smtplib
import socket
import sqlite3
import struct
import subprocess
import time
import zipfile
import zlib

from measuring import LIMIT, OURS, PEER, ROOT, Figure, Work, cpu_of, memory_of, other, run, turns

book, growth, mail, reading, serving = (other(name) for name in ("book", "growth", "mail", "reading", "serving"))


# Books, feeds and pages


def picture(width, height, seed):
    """A picture as PNG: soft stripes with some grain, as a photograph has."""
    dice = random.Random(seed)
    rows = []
    for y in range(height):
        shade = [(x * 255 // width + y * 3 + dice.randrange(9)) % 256 for x in range(width)]
        rows.append(b"\0" + bytes(value for grey in shade for value in (grey, (grey * 2) % 256, 255 - grey)))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(rows), 6)) + chunk(b"IEND", b"")


def illustrated():
    """An issue of 20 articles and 110 kB, three of which begin with a picture."""
    text = book.issue(110_000, 20)
    parts = text.split("\n# ")
    for nth in (1, 7, 13):
        headline, rest = parts[nth].split("\n", 1)
        byline, body = rest.lstrip("\n").split("\n", 1)
        parts[nth] = f"{headline}\n\n{byline}\n\n![桥与灯](p{nth}.png)\n{body}"
    return "\n# ".join(parts), {f"p{nth}.png": picture(800, 600, nth) for nth in (1, 7, 13)}


def floor(texts, place):
    """The command that packs these texts by libdeflate, and does nothing else."""
    raw = place / "texts"
    raw.write_bytes(b"".join(texts))
    return ["libdeflate-gzip", "-6", "-k", "-f", raw]


def texts_of_book(path):
    with zipfile.ZipFile(path) as archive:
        return [archive.read(entry) for entry in archive.infolist() if entry.compress_type == zipfile.ZIP_DEFLATED]


def hugo_site(place, articles):
    """A site of Hugo's with a page an article, and its command."""
    for name, text in growth.HUGO.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for nth, article in enumerate(articles):
        page = place / "content/issues" / f"a{nth}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        headline, body = article.split("\n", 1)
        page.write_text(f'---\ntitle: "{headline}"\nnumber: {nth}\ndate: 2026-07-08\n---\n{body}')
    return ["hugo", "--quiet"]


def an_issue(options):
    """One issue to book, feeds and pages."""
    text, pictures = illustrated()
    made = {}

    def files(place):
        for name, data in pictures.items():
            (place / name).write_bytes(data)
        (place / "issue.md").write_text(text)

    def ours(place):
        subprocess.run([options.program, "init", place], check=True, stdout=subprocess.DEVNULL)
        folder = place / "inbox/2026-07-08"
        folder.mkdir()
        files(folder)
        (folder / "issue.md").rename(folder / "index.md")
        made["outbox"] = place / "outbox"
        return [options.program, "publish", "inbox/2026-07-08"]

    def glued(place):
        files(place)
        site = place / "site"
        command = " ".join(hugo_site(site, text.split("\n# ")[1:]))
        return ["sh", "-c", f"pandoc -f markdown --metadata title=issue -o book.epub issue.md && cd site && {command}"]

    def calibre(place):
        files(place)
        return ["ebook-convert", "issue.md", "book.epub"]

    def packed(place):
        outbox = made["outbox"]
        texts = [path.with_suffix("").read_bytes() for path in outbox.rglob("*.gz") if path.with_suffix("").exists()]
        return floor(texts + texts_of_book(next(outbox.glob("issues/*/*.epub"))), place)

    commands = {"gazetted publish": (OURS, ours), "pandoc + Hugo": (PEER, glued), "calibre": (PEER, calibre), "libdeflate": (LIMIT, packed)}
    figures, late = turns(options.runs, options.folder / "issue", commands)
    work = Work("one issue (20 articles, 110 kB, 3 pictures) to book, feeds and pages", "ms of CPU", figures)
    return promised(work, late, "pandoc + Hugo")


def a_book(options):
    """A hundred articles to a book."""
    text = book.issue()
    made = {}

    def ours(place):
        book.newsroom(options.program, place, text)
        subprocess.run([options.program, "publish", "inbox/2026-07-08.md"], cwd=place, check=True, stdout=subprocess.DEVNULL)
        made["book"] = place / "book.epub"
        return [options.program, "bind", "--year", "2026", "-o", "book.epub"]

    def theirs(*command):
        def prepare(place):
            (place / "issue.md").write_text(text)
            return command

        return prepare

    commands = {
        "gazetted bind": (OURS, ours),
        "pandoc": (PEER, theirs("pandoc", "-f", "markdown", "--metadata", "title=issue", "-o", "book.epub", "issue.md")),
        "calibre": (PEER, theirs("ebook-convert", "issue.md", "book.epub")),
        "libdeflate": (LIMIT, lambda place: floor(texts_of_book(made["book"]), place)),
    }
    figures, late = turns(options.runs, options.folder / "book", commands)
    return promised(Work("100 articles (532 kB) to a book", "ms of CPU", figures), late, "pandoc")


def promised(work, late, peer):
    for who, why in late.items():
        work.promise(f"{who}: {why}", True)
    times, of_limit = work.of(peer) / work.ours(), work.ours() / max(work.of("libdeflate"), 0.1)
    work.promise(f"20 times less than {peer}: {times:.1f}", times >= 20)
    work.promise(f"at most 2 times the packing alone: {of_limit:.1f}", of_limit <= 2)
    return work


# Archives


def archives(options):
    """One more issue, by the length of the archive."""
    works = []
    for archive in options.archives:
        ours = [growth.ours(archive)[0] for _ in range(2)]
        folder = options.folder / f"hugo-{archive}"
        folder.mkdir()
        figures = [Figure("gazetted publish", OURS, ours), Figure("Hugo", PEER, [growth.hugos(archive, folder)[0]])]
        works.append(Work(f"one more issue in an archive of {archive:,}", "ms of CPU", figures))
    ratio = works[-1].ours() / works[0].ours()
    works[-1].promise(f"at most 1.2 times what it is at {options.archives[0]:,}: {ratio:.2f}", ratio <= 1.2)
    return works


# Reading


def a_long_text(options):
    """Twenty megabytes of plain text read."""
    extension, make, head = reading.KINDS["page"]
    text = options.folder / f"long.{extension}"
    reading.write(text, make, head, options.megabytes * 1_000_000)
    commands = {
        "gazetted proof": (OURS, lambda _: [options.program, "proof", "--json", text]),
        "pandoc": (PEER, lambda _: ["pandoc", "-f", "markdown", "-t", "json", "-o", "read.json", text]),
        "calibre": (PEER, lambda place: ["ebook-convert", text, place / "read.epub"]),
        "memchr (wc -l)": (LIMIT, lambda _: ["wc", "-l", text]),
    }
    figures, late = turns(min(options.runs, 3), options.folder / "reading", commands, patience=options.patience)
    work = Work(f"{options.megabytes} MB of plain text read", "ms of CPU", figures)
    for who, why in late.items():
        work.promise(f"{who}: {why}", True)
    return work


# Letters


class Letters:
    """A newsroom whose letters are measured."""

    def __init__(self, options, name, connections, more=""):
        self.options, self.name, self.connections, self.more = options, name, connections, more

    def send(self, at, n):
        """Letters a second, and microseconds of CPU of one."""
        folder = self.options.folder / f"{self.name}-{time.monotonic_ns()}"
        settings = f'server = "{at}"\nprotection = "none"\nconnections = {self.connections}\n'
        if self.more:
            # The keys are made in a newsroom of their own, which is thrown away.
            keys = self.options.folder / f"keys-{time.monotonic_ns()}"
            subprocess.run([self.options.program, "init", keys], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([self.options.program, "dkim", "new", "--domain", "example.org"], cwd=keys, check=True, stdout=subprocess.DEVNULL)
            found = sorted((keys / "data/dkim").glob("*.pem"))
            settings += f'from = "news@example.org"\ndkim_keys = [{", ".join(chr(34) + str(path) + chr(34) for path in found)}]\n'
        newsroom = mail.Newsroom(self.options.program, folder, settings, n)
        newsroom.start()
        newsroom.publish()
        newsroom.until(n // 10)
        before, cpu = newsroom.delivered()[0], newsroom.cpu()
        newsroom.until(n)
        micros = (newsroom.cpu() - cpu) / max(n - before, 1) * 1e6
        rate, memory = n / newsroom.span(), newsroom.memory()
        newsroom.stop()
        shutil.rmtree(folder, ignore_errors=True)
        return rate, micros, memory


def smtplib_rate(at, n, size):
    """How many letters a second Python's smtplib sends over one connection, each with its own head."""
    text = "渡口的灯。" * (size // 22)
    begin = time.monotonic()
    with smtplib.SMTP(*at.split(":")) as server:
        for nth in range(n):
            letter = email.message.EmailMessage()
            letter["From"], letter["To"], letter["Subject"] = "news@example.org", f"r{nth}@example.org", "渡口"
            letter.set_content(text)
            server.send_message(letter)
    return n / (time.monotonic() - begin)


def mlmmj_rate(folder, at, n, size):
    """How many letters a second mlmmj-send sends, a transaction each."""
    host, port = at.split(":")
    for name in ("control", "subscribers.d", "queue", "archive", "text"):
        (folder / name).mkdir(parents=True)
    for name, value in [("listaddress", "news@example.org"), ("relayhost", host), ("smtpport", port)]:
        (folder / "control" / name).write_text(value + "\n")
    (folder / "index").write_text("0\n")
    (folder / "subscribers.d/r").write_text("".join(f"r{nth}@reader{nth % 1000}.example\n" for nth in range(n)))
    letter = email.message.EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "news@example.org", "news@example.org", "渡口"
    letter.set_content("渡口的灯。" * (size // 22))
    (folder / "letter").write_bytes(bytes(letter))
    begin = time.monotonic()
    subprocess.run([shutil.which("mlmmj-send"), "-L", folder, "-m", folder / "letter", "-D"], check=True, stdout=subprocess.DEVNULL)
    return n / (time.monotonic() - begin)


def letters(options):
    """A digest on ten connections: unsigned, and signed twice."""
    size = mail.size_of_letter(options.program, options.folder / "size")
    n, few = options.letters, max(options.letters // 100, 100)
    plain, signed = Letters(options, "plain", 10), Letters(options, "signed", 10, more="dkim")
    runs = {name: [] for name in ("ours", "signed", "source", "smtplib", "mlmmj")}
    micros, memory = [], []
    for nth in range(options.rounds):
        with mail.sink() as at:
            runs["source"].append(mail.source(at, 10, n, size)[0])
        with mail.sink() as at:
            rate, cpu, resident = plain.send(at, n)
            runs["ours"].append(rate)
            micros.append(cpu)
            memory.append(resident)
        with mail.sink() as at:
            runs["signed"].append(signed.send(at, n // 4)[0])
        with mail.sink() as at:
            runs["smtplib"].append(smtplib_rate(at, few * 5, size))
        with mail.sink() as at:
            runs["mlmmj"].append(mlmmj_rate(options.folder / f"mlmmj-{nth}", at, few, size))
    peers = [Figure("Python's smtplib", PEER, runs["smtplib"], "one connection"), Figure("mlmmj-send", PEER, runs["mlmmj"]), Figure("smtp-source", LIMIT, runs["source"])]
    unsigned = Work(f"a digest to {n:,} readers, letters of {size // 1000} kB", "letters a second", [Figure("gazetted", OURS, runs["ours"]), *peers], more=True)
    ratio = unsigned.ours() / unsigned.of("smtp-source")
    unsigned.promise(f"at least 0.8 of smtp-source: {ratio:.2f}", ratio >= 0.8)
    unsigned.promise(f"at most 100 MB: {max(memory):.0f}", max(memory) <= 100)
    figures = [Figure("gazetted", OURS, runs["signed"]), Figure("smtp-source", LIMIT, runs["source"], "unsigned")]
    signing = Work("the same, signed with RSA and Ed25519", "letters a second", figures, more=True)
    ratio = signing.ours() / signing.of("smtp-source")
    signing.promise(f"at least 0.5 of smtp-source: {ratio:.2f}", ratio >= 0.5)
    cost = Work("one of those letters, unsigned", "µs of CPU", [Figure("gazetted", OURS, micros)])
    cost.promise(f"at most 60: {cost.ours():.0f}", cost.ours() <= 60)
    return [unsigned, signing, cost]


def far_letters(options):
    """Fifty connections to a server that answers each turn 50 ms late."""
    runs = []
    for _ in range(options.rounds):
        with mail.late_server(0.05) as at:
            runs.append(Letters(options, "late", 50).send(at, min(options.letters, 10_000))[0])
    limit = Figure("one turn a letter (RFC 2920)", LIMIT, [50 / 0.05])
    work = Work("letters to a server 50 ms away, 50 connections", "letters a second", [Figure("gazetted", OURS, runs), limit], more=True)
    work.promise(f"at least 800 a second: {work.ours():.0f}", work.ours() >= 800)
    return work


# Serving


def feeds(options):
    """A feed of 50 kB: CPU of a request."""
    works = []
    folder = options.folder / "serving"
    folder.mkdir()
    for what, figures in serving.compared(options.program, folder, options.seconds, options.rounds):
        if what not in ("200, br", "304"):
            continue
        ours, theirs = ([run[0] for run in figures[name]] for name in ("gazetted", "nginx"))
        work = Work(f"a feed of 50 kB, {what}", "µs of CPU", [Figure("gazetted", OURS, ours), Figure("nginx", PEER, theirs)])
        ratio = work.ours() / work.of("nginx")
        work.promise(f"at most 1.2 times nginx: {ratio:.2f}", ratio <= 1.2)
        works.append(work)
    return works


# From the folder to the feed


class Asker:
    """One connection that asks for the same address again and again."""

    def __init__(self, address, path):
        self.connection, self.path = http.client.HTTPConnection(address, timeout=30), path

    def says(self, word):
        try:
            self.connection.request("GET", self.path)
            return word in self.connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return False


def waits(asker, folder, n, text, patience=60):
    """Milliseconds from each of `n` files' being saved until the feed has it."""
    took = []
    for nth in range(n):
        word = f"issue-no-{nth:05}"
        (folder / f".n{nth}").write_text(text(word, nth))
        begin = time.monotonic()
        (folder / f".n{nth}").rename(folder / f"n{nth}.md")
        while not asker.says(word.encode()):
            if time.monotonic() - begin > patience:
                raise SystemExit(f"{word} did not come into the feed")
            time.sleep(0.002)
        took.append(1000 * (time.monotonic() - begin))
    return took


def p99(values):
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]


def drops(options):
    """A file is saved, and seen in the feed."""
    quiet = 50
    place = options.folder / "drops"
    for name in ("inbox", "config"):
        (place / name).mkdir(parents=True)
    address = f"127.0.0.1:{mail.port()}"
    (place / "config/gazetted.toml").write_text(
        f'[publication]\nkey = "bench"\n[inbox]\nsettle_after = "{quiet}ms"\n[http]\nlisten = "{address}"\n[desk]\nlisten = "off"\n'
    )
    # Day after day, as of a daily: no year has a thousand issues.
    first = datetime.date(2020, 1, 1)
    page = lambda word, nth: f"---\ndate: {first + datetime.timedelta(nth)}\n---\n\n# {word}\n\n" + "The lamps are lit again. " * 40
    with daemon(options, place):
        serving.wait(lambda: serving.ask(address, "/")[0], "the daemon")
        ours = waits(Asker(address, "/feed.xml"), place / "inbox", options.drops, page)
    site = options.folder / "hugo-watch"
    hugo_site(site, [])
    (site / "content/issues").mkdir(parents=True)
    at = mail.port()
    command = ["hugo", "server", "--watch", "--port", str(at), "--bind", "127.0.0.1", "--disableLiveReload", "--quiet"]
    watcher = subprocess.Popen(command, cwd=site, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        serving.wait(lambda: serving.ask(f"127.0.0.1:{at}", "/index.xml")[0] == 200, "Hugo")
        dated = lambda word, nth: f'---\ntitle: "{word}"\ndate: 2020-01-01T00:{nth // 60 % 60:02}:{nth % 60:02}Z\n---\n' + "The lamps are lit again. " * 40
        theirs = waits(Asker(f"127.0.0.1:{at}", "/index.xml"), site / "content/issues", min(options.drops, 100), dated)
    finally:
        watcher.kill()
        watcher.wait()
    figures = [Figure("gazetted", OURS, ours, f"with a quiet time of {quiet} ms"), Figure("Hugo's watch", PEER, theirs, "no quiet time"), Figure("the quiet time", LIMIT, [quiet])]
    work = Work("a file saved until it is in the feed", "ms", figures)
    work.promise(f"at most 50 ms more than the quiet time, 99 of 100: {p99(ours) - quiet:.0f} ms", p99(ours) <= quiet + 50)
    return work


@contextlib.contextmanager
def daemon(options, place):
    log = (place / "log").open("ab")
    process = subprocess.Popen([options.program, "run"], cwd=place, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


# At rest


def at_rest(options):
    """A start with a long archive and many readers; what it costs to do nothing."""
    place = options.folder / "rest"
    growth.bench("fill", options.archives[-1], place)
    address = f"127.0.0.1:{mail.port()}"
    settings = place / "config/gazetted.toml"
    settings.write_text(settings.read_text() + f'[http]\nlisten = "{address}"\n[desk]\nlisten = "127.0.0.1:{mail.port()}"\n')
    subprocess.run([options.program, "subscribers", "add", "first@reader0.example"], cwd=place, check=True, stdout=subprocess.DEVNULL)
    with contextlib.closing(sqlite3.connect(place / "data/ledger.db")) as db:
        row = db.execute("SELECT * FROM subscribers")
        names = [column[0] for column in row.description]
        first = dict(zip(names, row.fetchone()))
        del first["id"]
        sql = f"INSERT INTO subscribers ({', '.join(first)}) VALUES ({', '.join('?' * len(first))})"
        rows = ({**first, "identity": f"r{k}@example.org", "address": f"r{k}@example.org"} for k in range(options.subscribers))
        db.executemany(sql, (tuple(row.values()) for row in rows))
        db.commit()
    starts, idle, memory = [], [], []
    for nth in range(options.rounds + 1):
        begin = time.monotonic()
        with daemon(options, place) as process:
            while True:
                with contextlib.suppress(OSError):
                    if serving.ask(address, "/healthz")[0] == 200:
                        break
                time.sleep(0.002)
            # The first start prints what the archive lacks, which was made in the ledger alone.
            if nth > 0:
                starts.append(1000 * (time.monotonic() - begin))
            time.sleep(5)
            cpu = cpu_of(process.pid)
            time.sleep(options.idle)
            idle.append(100 * (cpu_of(process.pid) - cpu) / options.idle)
            memory.append(memory_of(process.pid))
    name = f"with {options.archives[-1]:,} issues and {options.subscribers:,} readers"
    start = Work(f"a start {name}", "ms", [Figure("gazetted", OURS, starts)])
    start.promise(f"at most 500 ms: {start.ours():.0f}", start.ours() <= 500)
    rest = Work(f"at rest {name}", "% of a core", [Figure("gazetted", OURS, idle), Figure("nothing", LIMIT, [0])])
    rest.promise(f"at most 0.1 %: {rest.ours():.2f}", rest.ours() <= 0.1)
    room = Work(f"memory at rest {name}", "MB", [Figure("gazetted", OURS, memory)])
    room.promise(f"at most 40 MB: {room.ours():.0f}", room.ours() <= 40)
    return [start, rest, room]


ALL = {
    "issue": an_issue,
    "book": a_book,
    "archives": archives,
    "reading": a_long_text,
    "letters": letters,
    "far": far_letters,
    "feeds": feeds,
    "drops": drops,
    "rest": at_rest,
}
