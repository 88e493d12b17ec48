-- Links by which readers could leave in letters of the program that wrote to them before.
CREATE TABLE old_links (
    link        TEXT NOT NULL PRIMARY KEY,     -- path and query, or a word that no other reader's link has in its path
    subscriber  INTEGER NOT NULL REFERENCES subscribers (id)
) WITHOUT ROWID;
CREATE INDEX old_links_subscriber ON old_links (subscriber);
