-- Tokens of programs, and what programs of others are told.

-- By which programs use the API of the desk.
CREATE TABLE tokens (
    name        TEXT NOT NULL PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE,
    scope       TEXT NOT NULL,                 -- read, write
    made        INTEGER NOT NULL,
    used        INTEGER                        -- when last, to some minutes
) WITHOUT ROWID;

-- What has happened, in the order in which it did; gone once everybody is told who is to be.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,                 -- by which who is told twice knows it again: random
    kind        TEXT NOT NULL,                 -- issue.published, issue.corrected, issue.withdrawn, digest.finished
    publication TEXT NOT NULL,
    issue       TEXT,
    version     INTEGER,
    digest      INTEGER,
    at          INTEGER NOT NULL,
    body        TEXT                           -- what is told of it, once that is written
);
CREATE INDEX events_unwritten ON events (id) WHERE body IS NULL;

-- Who is told of what: one row an event and webhook.
CREATE TABLE tellings (
    event       INTEGER NOT NULL REFERENCES events (id),
    webhook     TEXT NOT NULL,                 -- its address
    state       TEXT NOT NULL,                 -- waiting, told, failed
    attempts    INTEGER NOT NULL DEFAULT 0,
    due         INTEGER NOT NULL,
    said        TEXT,                          -- the last that was heard
    settled     INTEGER,                       -- when
    PRIMARY KEY (event, webhook)
) WITHOUT ROWID;
CREATE INDEX tellings_due ON tellings (due) WHERE state = 'waiting';
CREATE INDEX tellings_webhook ON tellings (webhook, state, settled);

-- Webhooks that wanted to be told nothing more.
CREATE TABLE ended_webhooks (
    webhook     TEXT NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL
) WITHOUT ROWID;

ALTER TABLE digests ADD COLUMN finished INTEGER;                            -- when nothing of it waited any more
UPDATE digests SET finished = frozen;
CREATE INDEX digests_unfinished ON digests (id) WHERE finished IS NULL AND pace <> 'confirmation';

-- Releases that readers have not all of yet, by the file that brought them.
CREATE INDEX releases_unclosed ON releases (source) WHERE closed = 0;
