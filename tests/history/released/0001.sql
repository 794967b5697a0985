CREATE TABLE chimeaudit_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT chimeaudit_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE run (
  id TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  version TEXT NOT NULL,
  rules_digest TEXT NOT NULL,
  options TEXT NOT NULL,
  scope TEXT NOT NULL,
  rules TEXT NOT NULL,
  summary TEXT NOT NULL,
  reports TEXT NOT NULL,
  complete BOOLEAN NOT NULL,
  accounts_in_scope INTEGER NOT NULL,
  targets_in_scope INTEGER NOT NULL,
  accounts INTEGER NOT NULL,
  targets INTEGER NOT NULL,
  app_instances INTEGER NOT NULL,
  channel_flows INTEGER NOT NULL,
  processors INTEGER NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX run_by_time ON run (started_at, id);
CREATE TABLE gap (
  run_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  account_id TEXT NOT NULL,
  region TEXT,
  resource_arn TEXT,
  operation TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  waived BOOLEAN NOT NULL,
  PRIMARY KEY (run_id, position),
  FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE not_judged (
  run_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  resource_arn TEXT NOT NULL,
  FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE INDEX not_judged_by_place ON not_judged (run_id, rule_id, resource_arn);
CREATE TABLE finding (
  fingerprint TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  severity TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_arn TEXT,
  resource_name TEXT,
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  app_instance_arn TEXT,
  app_instance_name TEXT,
  state TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  judged_at TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (fingerprint)
);
CREATE INDEX finding_by_state ON finding (state, first_seen);
CREATE TABLE change (
  fingerprint TEXT NOT NULL,
  run_id TEXT NOT NULL,
  at TEXT NOT NULL,
  was TEXT,
  now TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (fingerprint, run_id)
);
CREATE INDEX change_by_run ON change (run_id);
INSERT INTO chimeaudit_version (version_num) VALUES ('0001');
INSERT INTO run (id, started_at, finished_at, version, rules_digest, options, scope, rules, summary, reports, complete, accounts_in_scope, targets_in_scope, accounts, targets, app_instances, channel_flows, processors) VALUES ('night-000', '2026-11-01T03:00:00Z', '2026-11-01T03:10:00Z', '1.0.0', 'sha256:9f2c41d07ab3', '{}', '{"accounts":["111122223333"],"regions":["us-east-1"],"chosen_by":"the current credentials"}', '["last-processor-fails-open"]', '{"by_severity":{"high":1},"by_status":{"fail":1},"by_rule":{},"by_account":{}}', '{}', TRUE, 1, 1, 1, 1, 1, 1, 1);
INSERT INTO gap (run_id, position, account_id, region, resource_arn, operation, code, reason, waived) VALUES ('night-000', 0, '444455556666', NULL, NULL, 'AssumeRole', 'AccessDenied', 'denied', TRUE);
INSERT INTO not_judged (run_id, rule_id, resource_arn) VALUES ('night-000', 'public-lambda-policy', '');
INSERT INTO finding (fingerprint, rule_id, severity, title, message, resource_type, resource_arn, resource_name, account_id, region, app_instance_arn, app_instance_name, state, first_seen, last_seen, judged_at, since) VALUES ('0123456789abcdef0123456789abcdef', 'last-processor-fails-open', 'high', 'Last processor fails open', 'it does', 'channel_flow', NULL, 'kept', '111122223333', 'us-east-1', NULL, NULL, 'open', '2026-11-01T03:00:00Z', '2026-11-01T03:00:00Z', '2026-11-01T03:00:00Z', '2026-11-01T03:00:00Z');
INSERT INTO change (fingerprint, run_id, at, was, now, since) VALUES ('0123456789abcdef0123456789abcdef', 'night-000', '2026-11-01T03:00:00Z', NULL, 'open', '2026-11-01T03:00:00Z');
