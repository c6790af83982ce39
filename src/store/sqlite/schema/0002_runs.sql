CREATE TABLE run (
    id                     INTEGER PRIMARY KEY,
    run_id                 TEXT    NOT NULL UNIQUE,
    job                    TEXT    NOT NULL,
    connection             TEXT    NOT NULL,
    object                 TEXT    NOT NULL,
    kind                   TEXT    NOT NULL,
    transport              TEXT,
    outcome                TEXT    NOT NULL,
    scheduled_for          INTEGER,
    started_at             INTEGER NOT NULL,
    ended_at               INTEGER,
    window_low             INTEGER,
    window_high            INTEGER,
    rows_expected          INTEGER,
    rows_received          INTEGER NOT NULL,
    rows_written           INTEGER NOT NULL,
    rows_unchanged         INTEGER NOT NULL,
    rows_deleted           INTEGER NOT NULL,
    nuls                   INTEGER NOT NULL,
    watermark              INTEGER,
    api_calls              INTEGER NOT NULL,
    mints                  INTEGER NOT NULL,
    bytes                  INTEGER NOT NULL,
    duration_ms            INTEGER NOT NULL,
    error_code             TEXT,
    error_message          TEXT,
    schema_report          TEXT,
    user_id                TEXT,
    user_profile           TEXT,
    user_permission_sets   TEXT,
    user_views_all_data    INTEGER,
    user_views_all_records INTEGER,
    epoch                  INTEGER NOT NULL,
    host                   TEXT    NOT NULL,
    pid                    INTEGER NOT NULL,
    sfmint_version         TEXT    NOT NULL
) STRICT;

CREATE INDEX run_by_time ON run (started_at);
CREATE INDEX run_by_job ON run (job, started_at);

CREATE TABLE checkpoint (
    job        TEXT    PRIMARY KEY,
    checkpoint TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    epoch      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE baseline (
    job      TEXT    PRIMARY KEY,
    fields   TEXT    NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW runs AS
SELECT run_id, job, connection, object, kind, transport,
       CASE WHEN outcome = 'running' AND NOT EXISTS (
                SELECT 1 FROM lease
                WHERE lease.name = 'job/' || run.job AND lease.epoch = run.epoch
                  AND lease.holder_id IS NOT NULL AND lease.until > CAST(strftime('%s', 'now') AS INTEGER))
            THEN 'abandoned' ELSE outcome END AS outcome,
       strftime('%Y-%m-%dT%H:%M:%SZ', scheduled_for, 'unixepoch') AS scheduled_for,
       strftime('%Y-%m-%dT%H:%M:%SZ', started_at, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', ended_at, 'unixepoch') AS ended_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', window_low, 'unixepoch') AS window_low,
       strftime('%Y-%m-%dT%H:%M:%SZ', window_high, 'unixepoch') AS window_high,
       rows_expected, rows_received, rows_written, rows_unchanged, rows_deleted, nuls,
       strftime('%Y-%m-%dT%H:%M:%SZ', watermark, 'unixepoch') AS watermark,
       api_calls, mints, bytes, duration_ms, error_code, error_message, schema_report,
       user_id, user_profile, user_permission_sets, user_views_all_data, user_views_all_records,
       epoch, host, pid, sfmint_version
FROM run;

CREATE VIEW last_good_run AS
SELECT job, connection, object, run_id, kind,
       strftime('%Y-%m-%dT%H:%M:%SZ', started_at, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', ended_at, 'unixepoch') AS ended_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', watermark, 'unixepoch') AS watermark,
       CAST(strftime('%s', 'now') AS INTEGER) - watermark AS lag_seconds,
       rows_received, rows_written, rows_unchanged, rows_deleted, duration_ms
FROM run
WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY job ORDER BY started_at DESC, id DESC) AS place
        FROM run WHERE outcome = 'complete' AND kind IN ('full', 'incremental', 'load'))
    WHERE place = 1);

CREATE VIEW run_days AS
SELECT strftime('%Y-%m-%d', started_at, 'unixepoch') AS day, job, connection,
       count(*) AS runs,
       sum(outcome = 'complete') AS complete,
       sum(outcome = 'partial') AS partial,
       sum(outcome IN ('denied', 'failed', 'quota_stopped', 'abandoned')) AS failed,
       sum(rows_received) AS rows_received,
       sum(rows_written) AS rows_written,
       sum(rows_deleted) AS rows_deleted,
       sum(api_calls) AS api_calls,
       sum(mints) AS mints,
       sum(bytes) AS bytes,
       sum(duration_ms) AS duration_ms
FROM run
GROUP BY 1, 2, 3;

CREATE VIEW permission_changes AS
SELECT job, run_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', started_at, 'unixepoch') AS started_at,
       was_user_id, user_id, was_profile, user_profile, was_permission_sets, user_permission_sets,
       was_views_all_data, user_views_all_data, was_views_all_records, user_views_all_records
FROM (
    SELECT job, run_id, started_at,
           lag(user_id) OVER earlier AS was_user_id, user_id,
           lag(user_profile) OVER earlier AS was_profile, user_profile,
           lag(user_permission_sets) OVER earlier AS was_permission_sets, user_permission_sets,
           lag(user_views_all_data) OVER earlier AS was_views_all_data, user_views_all_data,
           lag(user_views_all_records) OVER earlier AS was_views_all_records, user_views_all_records
    FROM run WHERE user_id IS NOT NULL
    WINDOW earlier AS (PARTITION BY job ORDER BY started_at, id))
WHERE was_user_id IS NOT NULL
  AND (was_user_id IS NOT user_id OR was_profile IS NOT user_profile OR was_permission_sets IS NOT user_permission_sets
       OR was_views_all_data IS NOT user_views_all_data OR was_views_all_records IS NOT user_views_all_records);
