-- Whether readers may have an issue, the order in which issues came out, and what readers look for.

ALTER TABLE releases ADD COLUMN status TEXT NOT NULL DEFAULT 'usable';  -- usable, withheld, canceled
ALTER TABLE releases ADD COLUMN embargo INTEGER;      -- withheld until then; none: until somebody lets it go
ALTER TABLE releases ADD COLUMN ordinal INTEGER;      -- the how-many-th issue of its publication it is, from 1
ALTER TABLE releases ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;     -- 1 once readers had all of it
ALTER TABLE releases ADD COLUMN listing TEXT;         -- as a line of a list, in JSON, once it is out

UPDATE releases SET closed = out;

DROP INDEX releases_shelf;
DROP INDEX releases_archive;
CREATE INDEX releases_shelf ON releases (publication, published DESC, issue) WHERE current = 1 AND status = 'usable';
CREATE INDEX releases_archive ON releases (publication, date DESC, published DESC)
    WHERE current = 1 AND status = 'usable';
CREATE INDEX releases_corrected ON releases (publication, updated DESC)
    WHERE current = 1 AND status = 'usable' AND version > 1;
CREATE INDEX releases_ordinal ON releases (publication, ordinal) WHERE current = 1;
CREATE INDEX releases_newest ON releases (publication, published DESC) WHERE current = 1;

-- The articles of the issues that readers have, each as a line of a list.
CREATE TABLE pieces (
    id          INTEGER PRIMARY KEY,
    publication TEXT NOT NULL,
    issue       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    date        TEXT NOT NULL,
    line        TEXT NOT NULL,             -- JSON
    UNIQUE (publication, issue, place)
);

-- Under which authors and sections they are gathered.
CREATE TABLE facets (
    publication TEXT NOT NULL,
    kind        TEXT NOT NULL,             -- author, section
    slug        TEXT NOT NULL,
    date        TEXT NOT NULL,
    published   INTEGER NOT NULL,
    issue       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    piece       INTEGER NOT NULL,
    PRIMARY KEY (publication, kind, slug, date, published, issue, place)
) WITHOUT ROWID;
CREATE INDEX facets_issue ON facets (publication, issue);
CREATE INDEX facets_newest ON facets (publication, kind, slug, published DESC, issue);

-- How many issues (kind 'issue', slug '') or articles there are of a year, so that nobody has to count them all.
CREATE TABLE tallies (
    publication TEXT NOT NULL,
    kind        TEXT NOT NULL,
    slug        TEXT NOT NULL,
    year        INTEGER NOT NULL,
    name        TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (publication, kind, slug, year)
) WITHOUT ROWID;

-- The words of each piece; its rowid is the piece's id.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 0'
);
