CREATE TABLE migrations (
    version        INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL,
    applied_at     INTEGER NOT NULL,
    sfmint_version TEXT    NOT NULL
) STRICT;

CREATE TABLE mint (
    id                     INTEGER PRIMARY KEY,
    at                     INTEGER NOT NULL,
    connection             TEXT    NOT NULL,
    credential             TEXT    NOT NULL,
    username               TEXT    NOT NULL,
    client_id              TEXT    NOT NULL,
    login_url              TEXT    NOT NULL,
    outcome                TEXT    NOT NULL,
    reason                 TEXT    NOT NULL,
    code                   TEXT,
    salesforce_error       TEXT,
    salesforce_description TEXT,
    duration_ms            INTEGER NOT NULL,
    attempts               INTEGER NOT NULL,
    key_id                 TEXT,
    token_id               TEXT,
    org_id                 TEXT,
    skew_seconds           INTEGER,
    pid                    INTEGER NOT NULL,
    sfmint_version         TEXT    NOT NULL
) STRICT;

CREATE INDEX mint_by_time ON mint (at);

CREATE TABLE lease (
    name        TEXT    PRIMARY KEY,
    epoch       INTEGER NOT NULL,
    holder_id   TEXT,
    holder_host TEXT,
    holder_pid  INTEGER,
    since       INTEGER,
    until       INTEGER
) STRICT, WITHOUT ROWID;

CREATE VIEW mints AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch') AS at,
       connection, credential, username, client_id, login_url, outcome, reason, code,
       salesforce_error, salesforce_description, duration_ms, attempts,
       key_id, token_id, org_id, skew_seconds, pid, sfmint_version
FROM mint;

CREATE VIEW leases AS
SELECT name, epoch, holder_id, holder_host, holder_pid,
       strftime('%Y-%m-%dT%H:%M:%SZ', since, 'unixepoch') AS since,
       strftime('%Y-%m-%dT%H:%M:%SZ', until, 'unixepoch') AS until
FROM lease;
