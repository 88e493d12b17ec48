-- What readers wish, digests of every pace in several printings, and what servers said.

ALTER TABLE subscribers ADD COLUMN pace TEXT NOT NULL DEFAULT 'each';       -- each, daily, weekly, monthly
ALTER TABLE subscribers ADD COLUMN form TEXT NOT NULL DEFAULT 'html';       -- html, text, book, kindle
ALTER TABLE subscribers ADD COLUMN sections TEXT NOT NULL DEFAULT '[]';     -- JSON list of slugs in order; none: all
ALTER TABLE subscribers ADD COLUMN language TEXT NOT NULL DEFAULT '';       -- of the words around the articles; none: the issue's
ALTER TABLE subscribers ADD COLUMN device TEXT;                             -- the address of an e-reader
ALTER TABLE subscribers ADD COLUMN consent_from TEXT;
ALTER TABLE subscribers ADD COLUMN confirmed_at INTEGER;
ALTER TABLE subscribers ADD COLUMN suppression TEXT;                        -- bounced, complained, operator
ALTER TABLE subscribers ADD COLUMN suppressed_at INTEGER;
ALTER TABLE subscribers ADD COLUMN suppression_text TEXT;
UPDATE subscribers SET confirmed_at = consent_at;
DROP INDEX subscribers_confirmed;
CREATE INDEX subscribers_wishes ON subscribers (pace, form, sections, language) WHERE standing = 'confirmed';
CREATE INDEX subscribers_standing ON subscribers (standing);

-- Addresses that were erased at their owners' wish, by a hash of each.
CREATE TABLE forgotten (
    hash        TEXT NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL
) WITHOUT ROWID;

-- A digest in the words of those who wish the same.
CREATE TABLE printings (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    digest      INTEGER NOT NULL REFERENCES digests (id),
    form        TEXT NOT NULL,
    sections    TEXT NOT NULL,
    language    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    html        TEXT NOT NULL,
    books       TEXT NOT NULL DEFAULT '[]',    -- JSON
    UNIQUE (digest, form, sections, language)
);
INSERT INTO printings (id, digest, form, sections, language, subject, text, html)
    SELECT id, id, 'html', '[]', '', subject, text, html FROM digests;

ALTER TABLE digests ADD COLUMN issues TEXT NOT NULL DEFAULT '[]';           -- JSON list of keys
ALTER TABLE digests ADD COLUMN since INTEGER NOT NULL DEFAULT 0;            -- what came out after that
ALTER TABLE digests ADD COLUMN until INTEGER NOT NULL DEFAULT 0;            -- and until then is in it
ALTER TABLE digests ADD COLUMN status TEXT NOT NULL DEFAULT 'open';         -- open, paused, asking
ALTER TABLE digests ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;            -- 1 where an issue was withdrawn: to be printed anew
UPDATE digests SET issues = json_array(issue), since = frozen, until = frozen;
ALTER TABLE digests DROP COLUMN issue;
ALTER TABLE digests DROP COLUMN subject;
ALTER TABLE digests DROP COLUMN text;
ALTER TABLE digests DROP COLUMN html;
CREATE INDEX digests_latest ON digests (publication, pace, until DESC);

-- Which issues a digest tells of.
CREATE TABLE digest_issues (
    publication TEXT NOT NULL,
    issue       TEXT NOT NULL,
    digest      INTEGER NOT NULL REFERENCES digests (id),
    PRIMARY KEY (publication, issue, digest)
) WITHOUT ROWID;
INSERT INTO digest_issues SELECT publication, period, id FROM digests;

ALTER TABLE deliveries ADD COLUMN printing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN domain TEXT NOT NULL DEFAULT '';          -- of the address
ALTER TABLE deliveries ADD COLUMN lease INTEGER;                            -- until when a lane has it
ALTER TABLE deliveries ADD COLUMN phase TEXT;                               -- of the last answer: connect, mail, rcpt, data, text
ALTER TABLE deliveries ADD COLUMN code INTEGER;                             -- its code, if there was an answer
ALTER TABLE deliveries ADD COLUMN status TEXT;                              -- its enhanced code
UPDATE deliveries SET printing = digest, domain = substr(address, instr(address, '@') + 1),
    lease = CASE WHEN state = 'claimed' THEN 0 END, phase = CASE WHEN reply IS NOT NULL THEN 'text' END;
DROP INDEX deliveries_open;
DROP INDEX deliveries_claimed;
CREATE INDEX deliveries_open ON deliveries (due, domain) WHERE state IN ('queued', 'delayed');
CREATE INDEX deliveries_claimed ON deliveries (lease) WHERE state = 'claimed';

-- Reports that letters did not reach their readers.
CREATE TABLE bounces (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber  INTEGER NOT NULL REFERENCES subscribers (id),
    digest      INTEGER,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,                 -- hard, soft, complaint
    source      TEXT NOT NULL,                 -- smtp, report, complaint, or a provider's name
    status      TEXT,
    text        TEXT NOT NULL
);
CREATE INDEX bounces_subscriber ON bounces (subscriber, id);
CREATE UNIQUE INDEX bounces_once ON bounces (subscriber, digest, source, kind) WHERE digest IS NOT NULL;

-- How many times claimed letters were taken back from their lanes.
CREATE TABLE counters (
    name        TEXT NOT NULL PRIMARY KEY,
    value       INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('taken back', 0);
