-- Tells every process that waits for a run that its report or its end has changed; see `changes.py`.
CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('consortium_runs', NEW.run_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER runs_changed AFTER UPDATE OF status, report, owner, cancel_requested ON runs
    FOR EACH ROW
    WHEN (
        OLD.status IS DISTINCT FROM NEW.status
        OR OLD.report IS DISTINCT FROM NEW.report
        OR OLD.owner IS DISTINCT FROM NEW.owner
        OR OLD.cancel_requested IS DISTINCT FROM NEW.cancel_requested
    )
    EXECUTE FUNCTION tell_of_change();
