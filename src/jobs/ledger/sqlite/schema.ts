/** The schema of the ledger's file, as migration steps from each version to the next. */

/**
 * Triggers update the tallies, so that the counts are right whichever process changes a row, and cheap to read. The
 * table `tallies` distinguishes a ledger from a database of another program.
 * Rows that have not ended have indexes of their own, which stay small for a job of any size.
 *
 * `strays` held messages that were no outcomes and that earlier releases deleted from their queue. It is left as it is.
 */
const version1 = `
CREATE TABLE jobs (
  key INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE,
  path TEXT, source TEXT, digest TEXT, issued_at TEXT,
  rows INTEGER NOT NULL DEFAULT 0,
  complete INTEGER NOT NULL DEFAULT 0,
  guards TEXT NOT NULL DEFAULT '{}',
  counting TEXT NOT NULL DEFAULT '{"good":0,"failed":0,"canaryPassed":false}',
  maybe_twice INTEGER NOT NULL DEFAULT 0,
  stopped TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rows (
  job INTEGER NOT NULL,
  row INTEGER NOT NULL,
  identifier TEXT NOT NULL,
  description TEXT,
  configuration TEXT,
  former TEXT,
  state TEXT NOT NULL DEFAULT 'planned',
  try INTEGER NOT NULL DEFAULT 1,
  sends INTEGER NOT NULL DEFAULT 0,
  sent_at INTEGER,
  cause TEXT NOT NULL DEFAULT '',
  reason TEXT, error TEXT, attempts INTEGER, at TEXT,
  reconciled INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_planned ON rows (job, row) WHERE state = 'planned';
CREATE INDEX rows_sending ON rows (job, row) WHERE state = 'sending';
CREATE INDEX rows_sent ON rows (job, row) WHERE state = 'sent';

CREATE TABLE tallies (
  job INTEGER NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL,
  rows INTEGER NOT NULL, calls INTEGER NOT NULL, calls_of INTEGER NOT NULL,
  PRIMARY KEY (job, state, cause)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER rows_added AFTER INSERT ON rows BEGIN
  INSERT INTO tallies VALUES (new.job, new.state, new.cause, 1, 0, 0)
    ON CONFLICT DO UPDATE SET rows = rows + 1;
END;
CREATE TRIGGER rows_changed AFTER UPDATE OF state, cause, attempts ON rows BEGIN
  UPDATE tallies SET rows = rows - 1, calls = calls - ifnull(old.attempts, 0),
    calls_of = calls_of - (ifnull(old.attempts, 0) > 0)
    WHERE job = old.job AND state = old.state AND cause = old.cause;
  INSERT INTO tallies VALUES
    (new.job, new.state, new.cause, 1, ifnull(new.attempts, 0), ifnull(new.attempts, 0) > 0)
    ON CONFLICT DO UPDATE SET rows = rows + 1, calls = calls + excluded.calls,
      calls_of = calls_of + excluded.calls_of;
END;

CREATE TABLE parked (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  name TEXT NOT NULL,
  identifier TEXT, state TEXT NOT NULL, reason TEXT, error TEXT, attempts INTEGER, at TEXT,
  UNIQUE (job, name)
) STRICT;

CREATE TABLE strays (
  seq INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  received_at INTEGER NOT NULL,
  fault TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
`;

/** The rows that a job's plan left out. */
const version2 = `
ALTER TABLE jobs ADD COLUMN left_out TEXT;

CREATE TABLE left_out (
  job INTEGER NOT NULL,
  row INTEGER NOT NULL,
  state TEXT NOT NULL,
  identifier TEXT, description TEXT, configuration TEXT, reason TEXT,
  PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;
`;

/**
 * Which message an outcome belongs to. `rows.message_ids`: ids of the messages that carried the row's updates, separated by spaces.
 * `parked`: outcomes that end no row, by the message sent first. With `row`, they name a row, but this ledger is not known
 * to have sent their message.
 */
const version3 = `
ALTER TABLE rows ADD COLUMN message_ids TEXT NOT NULL DEFAULT '';

CREATE TABLE parked_by_message (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  name TEXT NOT NULL,
  row INTEGER,
  identifier TEXT, state TEXT NOT NULL, reason TEXT, error TEXT, attempts INTEGER, at TEXT,
  UNIQUE (job, message_id)
) STRICT;
INSERT INTO parked_by_message (seq, job, message_id, name, identifier, state, reason, error, attempts, at)
  SELECT seq, job, name, name, identifier, state, reason, error, attempts, at FROM parked;
DROP TABLE parked;
ALTER TABLE parked_by_message RENAME TO parked;
CREATE INDEX parked_row ON parked (job, row) WHERE row IS NOT NULL;
`;

/**
 * `runs`: when processes worked on a job. `ms` is the time until the last of the `rows` that ended in the run.
 */
const version4 = `
ALTER TABLE jobs ADD COLUMN undoes TEXT;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  rows INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_of_job ON runs (job);
`;

/**
 * Jobs that `enqueue` sends. `rows`: the RequestId and IssuedAt that the file gives a row, or the file's IssuedAt if it differs from
 * the job's. `files`: what was enqueued under the job's name, by the digest of the rows; each file has a range of row numbers.
 */
const version5 = `
ALTER TABLE jobs ADD COLUMN enqueued INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rows ADD COLUMN request_id TEXT;
ALTER TABLE rows ADD COLUMN row_issued_at TEXT;
CREATE INDEX rows_named ON rows (job, request_id, identifier) WHERE request_id IS NOT NULL;

CREATE TABLE files (
  job INTEGER NOT NULL,
  digest TEXT NOT NULL,
  source TEXT NOT NULL,
  before INTEGER NOT NULL,
  last INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  issued_at TEXT NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, digest)
) STRICT, WITHOUT ROWID;
`;

/**
 * `state` of a job, and who changed what. `audit.subject`: the name of a job, the URL of a queue. `notices`: messages to others;
 * `targets` and `told` are JSON, `due_at` is null once all targets have the notice. Existing jobs get the state that their rows imply.
 */
const version6 = `
ALTER TABLE jobs ADD COLUMN state TEXT NOT NULL DEFAULT 'planned';
ALTER TABLE jobs ADD COLUMN towards TEXT;
ALTER TABLE jobs ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN state_who TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN state_why TEXT;
UPDATE jobs SET state_since = updated_at, state_why = stopped, state = CASE
  WHEN complete = 1 AND NOT EXISTS (SELECT 1 FROM tallies WHERE job = jobs.key AND rows > 0
    AND state IN ('planned', 'sending', 'sent')) THEN 'done'
  WHEN stopped IS NOT NULL THEN 'aborted' ELSE 'stopped' END;
ALTER TABLE jobs DROP COLUMN stopped;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  subject TEXT NOT NULL,
  why TEXT,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_subject ON audit (subject, seq);

CREATE TABLE notices (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  counts TEXT NOT NULL,
  targets TEXT NOT NULL,
  told TEXT NOT NULL DEFAULT '[]',
  failures INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER
) STRICT;
CREATE INDEX notices_due ON notices (due_at) WHERE due_at IS NOT NULL;
`;

/** Indexes for filtered pages of a job's rows, and for when the last row ended, at any number of rows. */
const version7 = `
CREATE INDEX rows_applied ON rows (job, row) WHERE state = 'applied';
CREATE INDEX rows_superseded ON rows (job, row) WHERE state = 'superseded';
CREATE INDEX rows_not_sent ON rows (job, row) WHERE state = 'not-sent';
CREATE INDEX rows_failed ON rows (job, row) WHERE state IN ('dead-lettered', 'refused');
CREATE INDEX rows_by_cause ON rows (job, cause, row) WHERE cause <> '';
CREATE INDEX rows_reconciled ON rows (job) WHERE reconciled = 1;
CREATE INDEX rows_by_end ON rows (job, at) WHERE at IS NOT NULL;
`;

/**
 * Jobs that another ledger has. `kept_state`: for a job that is elsewhere, the state that it had, as JSON. `moves`: how often it was
 * moved between ledgers; it shows that an export is older than what a ledger knows. `is_copy`: the job is elsewhere because it came
 * here as a copy.
 */
const version8 = `
ALTER TABLE jobs ADD COLUMN kept_state TEXT;
ALTER TABLE jobs ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN is_copy INTEGER NOT NULL DEFAULT 0;
`;

/** A job's key is never reused, even if the job is deleted: a process that has looked it up must not act on another job. */
const jobs9 = `key, job_id, path, source, digest, issued_at, rows, complete, guards, counting, maybe_twice, created_at, updated_at,
  left_out, undoes, enqueued, state, towards, state_since, state_who, state_why, kept_state, moves, is_copy`;
const version9 = `
CREATE TABLE jobs_by_key (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL UNIQUE,
  path TEXT, source TEXT, digest TEXT, issued_at TEXT,
  rows INTEGER NOT NULL DEFAULT 0,
  complete INTEGER NOT NULL DEFAULT 0,
  guards TEXT NOT NULL DEFAULT '{}',
  counting TEXT NOT NULL DEFAULT '{"good":0,"failed":0,"canaryPassed":false}',
  maybe_twice INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  left_out TEXT,
  undoes TEXT,
  enqueued INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'planned',
  towards TEXT,
  state_since INTEGER NOT NULL DEFAULT 0,
  state_who TEXT NOT NULL DEFAULT '',
  state_why TEXT,
  kept_state TEXT,
  moves INTEGER NOT NULL DEFAULT 0,
  is_copy INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO jobs_by_key (${jobs9}) SELECT ${jobs9} FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_by_key RENAME TO jobs;
`;

/** When the last row of a job was sent, at any number of rows. */
const version10 = 'CREATE INDEX rows_by_sending ON rows (job, sent_at) WHERE sent_at IS NOT NULL;';

/** The first step creates version 1 in an empty file. A released step never changes. */
export const schemaSteps: readonly string[] = [
  version1,
  version2,
  version3,
  version4,
  version5,
  version6,
  version7,
  version8,
  version9,
  version10,
];
