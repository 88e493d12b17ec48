-- The text of an issue comes last in its row: whoever asks for anything else of many issues, as every list does, goes through none of
-- the pages that texts take. A table WITHOUT ROWID has a quarter of a page for a row before it must.
CREATE TABLE releases_by_number (
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
    body             TEXT NOT NULL,                         -- the issue as JSON
    PRIMARY KEY (publication, issue, version)
);
INSERT INTO releases_by_number
    SELECT publication, issue, version, manuscript, source, published, updated, out, current, name, date, headlines, book_path,
           book_length, status, embargo, ordinal, closed, listing, body
    FROM releases;
DROP TABLE releases;
ALTER TABLE releases_by_number RENAME TO releases;
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
