-- What must survive a restart, as all schemas together make it: a new ledger begins with this.
-- Times are microseconds since 1970 in UTC; names of files are bytes.

-- Files seen in the inbox, and what became of each.
CREATE TABLE arrivals (
    path             BLOB NOT NULL PRIMARY KEY,             -- relative to the inbox
    signature        TEXT NOT NULL,                         -- size, times and inode when it was taken
    hash             TEXT NOT NULL,                         -- BLAKE3 of its bytes, or '' when it was never read
    issue            TEXT,                                  -- the issue that it became, or whose duplicate it is
    fate             TEXT NOT NULL,                         -- published, duplicate, rejected
    reason           TEXT,                                  -- why it was rejected, or what it repeats
    at               INTEGER NOT NULL
) WITHOUT ROWID;

-- Every version of every issue. The row that is not out yet is the one the press was working on.
CREATE TABLE releases (
    publication      TEXT NOT NULL,
    issue            TEXT NOT NULL,
    version          INTEGER NOT NULL,
    manuscript       TEXT NOT NULL,                         -- BLAKE3 of the bytes that it was read from
    source           BLOB NOT NULL,                         -- the arrival that brought it
    published        INTEGER NOT NULL,                      -- when version 1 came out
    updated          INTEGER NOT NULL,                      -- when this version came out
    out              INTEGER NOT NULL,                      -- 1 once readers have it
    current          INTEGER NOT NULL,                      -- 1 for the version that readers have
    -- Known once it is out:
    name             TEXT,                                  -- what readers call it
    date             TEXT,                                  -- the day under which it is archived
    headlines        TEXT,                                  -- JSON list of its first headlines
    book_path        TEXT,
    book_length      INTEGER,
    status           TEXT NOT NULL DEFAULT 'usable',        -- usable, withheld, canceled
    embargo          INTEGER,                               -- withheld until then; none: until somebody lets it go
    ordinal          INTEGER,                               -- the how-many-th issue of its publication it is, from 1
    closed           INTEGER NOT NULL DEFAULT 0,            -- 1 once readers had all of it
    listing          TEXT,                                  -- as a line of a list, in JSON, once it is out
    -- Last, for whoever asks for anything else of many issues is not to go through the pages that texts take; see 006.sql.
    body             TEXT NOT NULL,                         -- the issue as JSON
    PRIMARY KEY (publication, issue, version)
);
CREATE INDEX releases_shelf ON releases (publication, published DESC, issue) WHERE current = 1 AND status = 'usable';
CREATE INDEX releases_archive ON releases (publication, date DESC, published DESC)
    WHERE current = 1 AND status = 'usable';
CREATE INDEX releases_corrected ON releases (publication, updated DESC)
    WHERE current = 1 AND status = 'usable' AND version > 1;
CREATE INDEX releases_ordinal ON releases (publication, ordinal) WHERE current = 1;
CREATE INDEX releases_newest ON releases (publication, published DESC) WHERE current = 1;
CREATE INDEX releases_open ON releases (publication) WHERE out = 0;
CREATE INDEX releases_manuscript ON releases (publication, manuscript) WHERE current = 1;
CREATE INDEX releases_unclosed ON releases (source) WHERE closed = 0;

-- The articles of the issues that readers have, each as a line of a list.
CREATE TABLE pieces (
    id               INTEGER PRIMARY KEY,
    publication      TEXT NOT NULL,
    issue            TEXT NOT NULL,
    place            INTEGER NOT NULL,
    date             TEXT NOT NULL,
    line             TEXT NOT NULL,                         -- JSON
    UNIQUE (publication, issue, place)
);

-- Under which authors and sections they are gathered.
CREATE TABLE facets (
    publication      TEXT NOT NULL,
    kind             TEXT NOT NULL,                         -- author, section
    slug             TEXT NOT NULL,
    date             TEXT NOT NULL,
    published        INTEGER NOT NULL,
    issue            TEXT NOT NULL,
    place            INTEGER NOT NULL,
    piece            INTEGER NOT NULL,
    PRIMARY KEY (publication, kind, slug, date, published, issue, place)
) WITHOUT ROWID;
CREATE INDEX facets_issue ON facets (publication, issue);
CREATE INDEX facets_newest ON facets (publication, kind, slug, published DESC, issue);

-- How many issues (kind 'issue', slug '') or articles there are of a year, so that nobody has to count them all.
CREATE TABLE tallies (
    publication      TEXT NOT NULL,
    kind             TEXT NOT NULL,
    slug             TEXT NOT NULL,
    year             INTEGER NOT NULL,
    name             TEXT NOT NULL,
    count            INTEGER NOT NULL,
    PRIMARY KEY (publication, kind, slug, year)
) WITHOUT ROWID;

-- The words of each piece; its rowid is the piece's id.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 0'
);

CREATE TABLE subscribers (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    identity         TEXT NOT NULL UNIQUE,                  -- the address in lower case
    address          TEXT NOT NULL,
    standing         TEXT NOT NULL,                         -- pending, confirmed, left, suppressed
    consent_at       INTEGER NOT NULL,
    consent_how      TEXT NOT NULL,
    left_at          INTEGER,
    pace             TEXT NOT NULL DEFAULT 'each',          -- each, daily, weekly, monthly
    form             TEXT NOT NULL DEFAULT 'html',          -- html, text, book, kindle
    sections         TEXT NOT NULL DEFAULT '[]',            -- JSON list of slugs in order; none: all
    language         TEXT NOT NULL DEFAULT '',              -- of the words around the articles; none: the issue's
    device           TEXT,                                  -- the address of an e-reader
    consent_from     TEXT,
    confirmed_at     INTEGER,
    suppression      TEXT,                                  -- bounced, complained, operator
    suppressed_at    INTEGER,
    suppression_text TEXT
);
CREATE INDEX subscribers_wishes ON subscribers (pace, form, sections, language) WHERE standing = 'confirmed';
CREATE INDEX subscribers_standing ON subscribers (standing);

-- Links by which readers could leave in letters of the program that wrote to them before.
CREATE TABLE old_links (
    link             TEXT NOT NULL PRIMARY KEY,             -- path and query, or a word in its path that no other has
    subscriber       INTEGER NOT NULL REFERENCES subscribers (id)
) WITHOUT ROWID;
CREATE INDEX old_links_subscriber ON old_links (subscriber);

-- Addresses that were erased at their owners' wish, by a hash of each.
CREATE TABLE forgotten (
    hash             TEXT NOT NULL PRIMARY KEY,
    at               INTEGER NOT NULL
) WITHOUT ROWID;

-- One digest a publication, pace and period: made twice it is still one.
CREATE TABLE digests (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    publication      TEXT NOT NULL,
    pace             TEXT NOT NULL,                         -- each, daily, weekly, monthly, confirmation
    period           TEXT NOT NULL,                         -- the issue's key, or the day, week or month
    frozen           INTEGER NOT NULL,
    issues           TEXT NOT NULL DEFAULT '[]',            -- JSON list of keys
    since            INTEGER NOT NULL DEFAULT 0,            -- what came out after that
    until            INTEGER NOT NULL DEFAULT 0,            -- and until then is in it
    status           TEXT NOT NULL DEFAULT 'open',          -- open, paused, asking
    stale            INTEGER NOT NULL DEFAULT 0,            -- 1 where an issue was withdrawn: to be printed anew
    finished         INTEGER,                               -- when nothing of it waited any more
    UNIQUE (publication, pace, period)
);
CREATE INDEX digests_latest ON digests (publication, pace, until DESC);
CREATE INDEX digests_unfinished ON digests (id) WHERE finished IS NULL AND pace <> 'confirmation';

-- A digest in the words of those who wish the same.
CREATE TABLE printings (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    digest           INTEGER NOT NULL REFERENCES digests (id),
    form             TEXT NOT NULL,
    sections         TEXT NOT NULL,
    language         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    text             TEXT NOT NULL,
    html             TEXT NOT NULL,
    books            TEXT NOT NULL DEFAULT '[]',            -- JSON
    UNIQUE (digest, form, sections, language)
);

-- Which issues a digest tells of.
CREATE TABLE digest_issues (
    publication      TEXT NOT NULL,
    issue            TEXT NOT NULL,
    digest           INTEGER NOT NULL REFERENCES digests (id),
    PRIMARY KEY (publication, issue, digest)
) WITHOUT ROWID;

-- One row a letter, from the moment the digest is frozen.
CREATE TABLE deliveries (
    digest           INTEGER NOT NULL REFERENCES digests (id),
    subscriber       INTEGER NOT NULL REFERENCES subscribers (id),
    address          TEXT NOT NULL,
    state            TEXT NOT NULL,                         -- queued, claimed, delayed, delivered, failed, canceled
    attempts         INTEGER NOT NULL DEFAULT 0,
    due              INTEGER NOT NULL,                      -- when it may be offered; 0: at once
    queued           INTEGER NOT NULL,
    reply            TEXT,                                  -- what the server said last
    settled          INTEGER,                               -- when
    printing         INTEGER NOT NULL DEFAULT 0,
    domain           TEXT NOT NULL DEFAULT '',              -- of the address
    lease            INTEGER,                               -- until when a lane has it
    phase            TEXT,                                  -- of the last answer: connect, mail, rcpt, data, text
    code             INTEGER,                               -- its code, if there was an answer
    status           TEXT,                                  -- its enhanced code
    PRIMARY KEY (digest, subscriber)
) WITHOUT ROWID;
CREATE INDEX deliveries_open ON deliveries (due, domain) WHERE state IN ('queued', 'delayed');
CREATE INDEX deliveries_claimed ON deliveries (lease) WHERE state = 'claimed';
CREATE INDEX deliveries_reader ON deliveries (subscriber);

-- Reports that letters did not reach their readers.
CREATE TABLE bounces (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber       INTEGER NOT NULL REFERENCES subscribers (id),
    digest           INTEGER,
    at               INTEGER NOT NULL,
    kind             TEXT NOT NULL,                         -- hard, soft, complaint
    source           TEXT NOT NULL,                         -- smtp, report, complaint, or a provider's name
    status           TEXT,
    text             TEXT NOT NULL
);
CREATE INDEX bounces_subscriber ON bounces (subscriber, id);
CREATE UNIQUE INDEX bounces_once ON bounces (subscriber, digest, source, kind) WHERE digest IS NOT NULL;

-- How many times claimed letters were taken back from their lanes.
CREATE TABLE counters (
    name             TEXT NOT NULL PRIMARY KEY,
    value            INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('taken back', 0);

-- By which programs use the API of the desk.
CREATE TABLE tokens (
    name             TEXT NOT NULL PRIMARY KEY,
    hash             TEXT NOT NULL UNIQUE,
    scope            TEXT NOT NULL,                         -- read, write
    made             INTEGER NOT NULL,
    used             INTEGER                                -- when last, to some minutes
) WITHOUT ROWID;

-- What has happened, in the order in which it did; gone once everybody is told who is to be.
CREATE TABLE events (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL,                         -- by which who is told twice knows it again: random
    kind             TEXT NOT NULL,                         -- issue.published, issue.corrected, issue.withdrawn, digest.finished
    publication      TEXT NOT NULL,
    issue            TEXT,
    version          INTEGER,
    digest           INTEGER,
    at               INTEGER NOT NULL,
    body             TEXT                                   -- what is told of it, once that is written
);
CREATE INDEX events_unwritten ON events (id) WHERE body IS NULL;

-- Who is told of what: one row an event and webhook.
CREATE TABLE tellings (
    event            INTEGER NOT NULL REFERENCES events (id),
    webhook          TEXT NOT NULL,                         -- its address
    state            TEXT NOT NULL,                         -- waiting, told, failed
    attempts         INTEGER NOT NULL DEFAULT 0,
    due              INTEGER NOT NULL,
    said             TEXT,                                  -- the last that was heard
    settled          INTEGER,                               -- when
    PRIMARY KEY (event, webhook)
) WITHOUT ROWID;
CREATE INDEX tellings_due ON tellings (due) WHERE state = 'waiting';
CREATE INDEX tellings_webhook ON tellings (webhook, state, settled);

-- Webhooks that wanted to be told nothing more.
CREATE TABLE ended_webhooks (
    webhook          TEXT NOT NULL PRIMARY KEY,
    at               INTEGER NOT NULL
) WITHOUT ROWID;
