-- What several daemons over one ledger know of each other. None of it is carried when the ledger moves: it is about those at work.

-- How many times somebody has begun to lead, and which newsroom's daemon did last.
CREATE TABLE leadership (
    epoch       BIGINT NOT NULL,
    holder      TEXT COLLATE "C"
);
INSERT INTO leadership (epoch) VALUES (0);

-- Who claims letters, and until when each said to be at work.
CREATE TABLE holders (
    name        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until       BIGINT NOT NULL
);

-- Domains that found one of them too quick, and until when nobody writes to them.
CREATE TABLE closed_domains (
    name        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until       BIGINT NOT NULL
);
