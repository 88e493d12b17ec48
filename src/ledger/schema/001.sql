-- What must survive a restart. Times are microseconds since 1970 in UTC; names of files are bytes.

-- Files seen in the inbox, and what became of each.
CREATE TABLE arrivals (
    path       BLOB NOT NULL PRIMARY KEY,  -- relative to the inbox
    signature  TEXT NOT NULL,              -- size, times and inode when it was taken
    hash       TEXT NOT NULL,              -- BLAKE3 of its bytes, or '' when it was never read
    issue      TEXT,                       -- the issue that it became, or whose duplicate it is
    fate       TEXT NOT NULL,              -- published, duplicate, rejected
    reason     TEXT,                       -- why it was rejected, or what it repeats
    at         INTEGER NOT NULL
) WITHOUT ROWID;

-- Every version of every issue. The row that is not out yet is the one the press was working on.
CREATE TABLE releases (
    publication TEXT NOT NULL,
    issue       TEXT NOT NULL,
    version     INTEGER NOT NULL,
    manuscript  TEXT NOT NULL,             -- BLAKE3 of the bytes that it was read from
    source      BLOB NOT NULL,             -- the arrival that brought it
    body        TEXT NOT NULL,             -- the issue as JSON
    published   INTEGER NOT NULL,          -- when version 1 came out
    updated     INTEGER NOT NULL,          -- when this version came out
    out         INTEGER NOT NULL,          -- 1 once readers have it
    current     INTEGER NOT NULL,          -- 1 for the version that readers have
    -- Known once it is out:
    name        TEXT,                      -- what readers call it
    date        TEXT,                      -- the day under which it is archived
    headlines   TEXT,                      -- JSON list of its first headlines
    book_path   TEXT,
    book_length INTEGER,
    PRIMARY KEY (publication, issue, version)
) WITHOUT ROWID;
CREATE INDEX releases_shelf ON releases (publication, published DESC, issue) WHERE current = 1;
CREATE INDEX releases_archive ON releases (publication, date DESC) WHERE current = 1;
CREATE INDEX releases_open ON releases (publication) WHERE out = 0;
CREATE INDEX releases_manuscript ON releases (publication, manuscript) WHERE current = 1;

CREATE TABLE subscribers (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    identity    TEXT NOT NULL UNIQUE,      -- the address in lower case
    address     TEXT NOT NULL,
    standing    TEXT NOT NULL,             -- confirmed, left
    consent_at  INTEGER NOT NULL,
    consent_how TEXT NOT NULL,
    left_at     INTEGER
);
CREATE INDEX subscribers_confirmed ON subscribers (id) WHERE standing = 'confirmed';

-- One digest a publication, pace and period: made twice it is still one.
CREATE TABLE digests (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    publication TEXT NOT NULL,
    pace        TEXT NOT NULL,             -- each
    period      TEXT NOT NULL,             -- the issue's key
    issue       TEXT NOT NULL,
    frozen      INTEGER NOT NULL,
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    html        TEXT NOT NULL,
    UNIQUE (publication, pace, period)
);

-- One row a letter, from the moment the digest is frozen.
CREATE TABLE deliveries (
    digest      INTEGER NOT NULL REFERENCES digests (id),
    subscriber  INTEGER NOT NULL REFERENCES subscribers (id),
    address     TEXT NOT NULL,
    state       TEXT NOT NULL,             -- queued, claimed, delayed, delivered, failed, canceled
    attempts    INTEGER NOT NULL DEFAULT 0,
    due         INTEGER NOT NULL,          -- when it may be offered; 0: at once
    queued      INTEGER NOT NULL,
    reply       TEXT,                      -- what the server said last
    settled     INTEGER,                   -- when
    PRIMARY KEY (digest, subscriber)
) WITHOUT ROWID;
CREATE INDEX deliveries_open ON deliveries (due) WHERE state IN ('queued', 'delayed');
CREATE INDEX deliveries_claimed ON deliveries (digest) WHERE state = 'claimed';
CREATE INDEX deliveries_reader ON deliveries (subscriber);
