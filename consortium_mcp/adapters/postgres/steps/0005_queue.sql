-- Runs that wait for a worker have no owner and the heartbeat 'infinity'. `deaths` counts the
-- processes that died while they worked on the run.
ALTER TABLE runs ADD COLUMN deaths integer NOT NULL DEFAULT 0;
-- What somebody has under way is counted whenever they ask, however long the history is.
CREATE INDEX runs_under_way ON runs (issuer, subject) WHERE status = 'working';
-- The files of procrastinate's schema that were applied; see `adapters/queue/schema.py`.
CREATE TABLE queue_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
-- Tells the process of a run that somebody wants it cancelled, or has taken it over.
CREATE FUNCTION tell_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('consortium_owners', NEW.run_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER runs_owner_told AFTER UPDATE OF cancel_requested, owner ON runs
    FOR EACH ROW
    WHEN (
        OLD.owner IS NOT NULL
        AND (OLD.owner IS DISTINCT FROM NEW.owner
            OR OLD.cancel_requested IS DISTINCT FROM NEW.cancel_requested)
    )
    EXECUTE FUNCTION tell_owner();
