-- See `search.py`: each run's text without case and accents, its words in their order, each of them
-- once, and every one, two or three characters that stand side by side in the text. Triggers only
-- note which runs have changed.
CREATE TABLE run_texts (
    id bigint PRIMARY KEY,
    text text NOT NULL,
    words text NOT NULL,
    vocabulary text[] COLLATE "C" NOT NULL,
    grams text[] COLLATE "C" NOT NULL
);
CREATE INDEX run_texts_by_word ON run_texts USING gin (vocabulary);
CREATE INDEX run_texts_by_grams ON run_texts USING gin (grams);
CREATE TABLE search_queue (id bigint PRIMARY KEY);

CREATE FUNCTION queue_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_queue (id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_queue_insert AFTER INSERT ON runs
    FOR EACH ROW EXECUTE FUNCTION queue_for_search();
CREATE TRIGGER search_queue_update AFTER UPDATE OF prompt, synthesis ON runs
    FOR EACH ROW
    WHEN (OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD.synthesis IS DISTINCT FROM NEW.synthesis)
    EXECUTE FUNCTION queue_for_search();
