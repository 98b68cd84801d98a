"""The database's schema, as numbered steps. Never change a step that has shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils.migrations import Migrations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlite_utils import Database

migrations = Migrations("consortium_mcp")
additions = Migrations("consortium_mcp_additions")
"""Columns that older versions need not know, counted apart: they refuse a file with steps of
`migrations` that they do not know, and can go on using one with these."""
search_migrations = Migrations("consortium_mcp_search")
"""Steps of the search index, which only adds to what is there as well; taken when it is needed."""


# Integer keys order the runs by creation and serve the full-text index; ULIDs name them.
# Statements run one by one: executescript() would commit the migration's transaction.
_FIRST_TABLES = (
    """
    CREATE TABLE consortiums (
        name TEXT PRIMARY KEY,
        config TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        consortium TEXT,
        strategy TEXT NOT NULL,
        prompt TEXT NOT NULL,
        synthesis TEXT,
        final_answer TEXT,
        confidence REAL,
        agreement REAL,
        config TEXT NOT NULL,
        members TEXT NOT NULL,
        seed TEXT NOT NULL,
        report TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT
    )
    """,
    "CREATE INDEX runs_by_status ON runs (status, id)",
    "CREATE INDEX runs_by_consortium ON runs (consortium, id)",
    """
    CREATE TABLE exchanges (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        iteration INTEGER NOT NULL,
        role TEXT NOT NULL,
        label TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        model TEXT NOT NULL,
        system TEXT,
        prompt TEXT NOT NULL,
        reply TEXT,
        error TEXT,
        error_kind TEXT,
        permanent INTEGER,
        warnings TEXT NOT NULL,
        seconds REAL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        created_at TEXT NOT NULL,
        UNIQUE (run_id, iteration, role, label, attempt)
    )
    """,
    """
    CREATE TABLE verdicts (
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        iteration INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (run_id, iteration)
    )
    """,
    """
    CREATE VIRTUAL TABLE runs_fts USING fts5 (
        prompt, synthesis, content='runs', content_rowid='id'
    )
    """,
    """
    CREATE TRIGGER runs_fts_insert AFTER INSERT ON runs BEGIN
        INSERT INTO runs_fts (rowid, prompt, synthesis)
        VALUES (new.id, new.prompt, new.synthesis);
    END
    """,
    """
    CREATE TRIGGER runs_fts_update AFTER UPDATE OF prompt, synthesis ON runs
    WHEN old.prompt IS NOT new.prompt OR old.synthesis IS NOT new.synthesis BEGIN
        INSERT INTO runs_fts (runs_fts, rowid, prompt, synthesis)
        VALUES ('delete', old.id, old.prompt, old.synthesis);
        INSERT INTO runs_fts (rowid, prompt, synthesis)
        VALUES (new.id, new.prompt, new.synthesis);
    END
    """,
    """
    CREATE TRIGGER runs_fts_delete AFTER DELETE ON runs BEGIN
        INSERT INTO runs_fts (runs_fts, rowid, prompt, synthesis)
        VALUES ('delete', old.id, old.prompt, old.synthesis);
    END
    """,
)
# A run names the process that works on it and that process's last heartbeat. An iteration's
# responses are stored as soon as its hearing ends, so that a run can go on from there.
_RESUMABLE_RUNS = (
    "ALTER TABLE runs ADD COLUMN owner TEXT",
    "ALTER TABLE runs ADD COLUMN heartbeat REAL",
    "ALTER TABLE runs ADD COLUMN cancel_requested INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE exchanges ADD COLUMN tries INTEGER NOT NULL DEFAULT 1",
    """
    CREATE TABLE iterations (
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        number INTEGER NOT NULL,
        responses TEXT,
        verdict TEXT,
        cut TEXT,
        created_at TEXT NOT NULL,
        PRIMARY KEY (run_id, number)
    )
    """,
    """
    INSERT INTO iterations (run_id, number, verdict, created_at)
    SELECT run_id, iteration, verdict, created_at FROM verdicts
    """,
    "DROP TABLE verdicts",
)
# Calibrations from labelled runs; the newest is in force. A run keeps the one it began with.
_CALIBRATION = (
    "ALTER TABLE runs ADD COLUMN calibration TEXT",
    """
    CREATE TABLE calibrations (
        id INTEGER PRIMARY KEY,
        calibration TEXT,
        created_at TEXT NOT NULL
    )
    """,
)
# The whole conversation before a run's prompt: the runs that it came from may be pruned.
_CONVERSATIONS = (
    "ALTER TABLE runs ADD COLUMN history TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE runs ADD COLUMN continues TEXT",
)
# The run and the call that a nested run answers, so that a resumed parent finds it again.
_NESTED_RUNS = (
    "ALTER TABLE runs ADD COLUMN parent_run_id TEXT",
    "ALTER TABLE runs ADD COLUMN parent_call TEXT",
    "CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL",
    "ALTER TABLE exchanges ADD COLUMN nested_run_id TEXT",
)
# What a call cost, where its price is known, and for how many of its tries it is.
_COSTS = (
    "ALTER TABLE exchanges ADD COLUMN cost_usd REAL",
    "ALTER TABLE exchanges ADD COLUMN priced_calls INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE exchanges ADD COLUMN cached_tokens INTEGER",
)
# A call is noted when it begins, since it is paid for even if its process is killed before it ends.
# A run keeps how many calls had ended when it was last resumed, and how many resumes in a row
# brought nothing.
_CUT_OFF = (
    """
    CREATE TABLE begun_calls (
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        iteration INTEGER NOT NULL,
        role TEXT NOT NULL,
        label TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        model TEXT NOT NULL,
        tries INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        PRIMARY KEY (run_id, iteration, role, label, attempt)
    ) WITHOUT ROWID
    """,
    "ALTER TABLE runs ADD COLUMN resumed_with INTEGER",
    "ALTER TABLE runs ADD COLUMN fruitless_resumes INTEGER NOT NULL DEFAULT 0",
)
# An attachment's content is kept once, however many runs it was attached to; by its type too,
# since what is written in it depends on how it is read.
_ATTACHMENTS = (
    """
    CREATE TABLE attachments (
        sha256 TEXT NOT NULL,
        type TEXT NOT NULL,
        content BLOB NOT NULL,
        text TEXT,
        PRIMARY KEY (sha256, type)
    )
    """,
    """
    CREATE TABLE run_attachments (
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        url TEXT,
        sha256 TEXT,
        is_text INTEGER NOT NULL,
        has_text INTEGER NOT NULL,
        shown_to TEXT NOT NULL,
        PRIMARY KEY (run_id, position),
        FOREIGN KEY (sha256, type) REFERENCES attachments (sha256, type)
    )
    """,
    "CREATE INDEX run_attachments_by_content ON run_attachments (sha256)",
)
# A tool is not run again when its run is resumed.
_TOOL_USES = (
    """
    CREATE TABLE tool_uses (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        iteration INTEGER NOT NULL,
        role TEXT NOT NULL,
        label TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        name TEXT NOT NULL,
        arguments TEXT NOT NULL,
        repeat INTEGER NOT NULL,
        result TEXT NOT NULL,
        seconds REAL NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (run_id, iteration, role, label, attempt, name, arguments, repeat)
    )
    """,
)
# The program that asked, so that costs can be told by it.
_CLIENTS = ("ALTER TABLE runs ADD COLUMN client TEXT",)
# What a run asks, so that a repeated question finds the run that answers it; and whether a caller
# of another process than the run's own waits for it.
_REPEATED = (
    "ALTER TABLE runs ADD COLUMN fingerprint TEXT",
    "ALTER TABLE runs ADD COLUMN joined INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX runs_by_fingerprint ON runs (fingerprint) WHERE fingerprint IS NOT NULL",
)
# Ratings are kept, all of them; a run's newest one counts.
_RATINGS = (
    """
    CREATE TABLE ratings (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs (run_id),
        correct INTEGER,
        answer TEXT,
        note TEXT,
        given_by TEXT,
        created_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX ratings_by_run ON ratings (run_id, id)",
)
# Weights learned from rated runs, beside the calibrations; a run keeps those it began with.
_WEIGHTS = (
    "ALTER TABLE runs ADD COLUMN weights TEXT",
    "ALTER TABLE calibrations ADD COLUMN learned TEXT",
)
# Whose each row is, and who else may read it. On one person's machine all are theirs.
_PRINCIPALS = tuple(
    f"ALTER TABLE {table} ADD COLUMN {column}"
    for table in ("runs", "consortiums")
    for column in (
        "issuer TEXT NOT NULL DEFAULT 'local'",
        "subject TEXT NOT NULL DEFAULT 'local'",
        "visibility TEXT NOT NULL DEFAULT 'private'",
    )
)
# How often a process died while it worked on the run.
_DEATHS = ("ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0",)
# See `search_index`. The step only writes down what is to be indexed (a million runs take half a
# second); the triggers are plain SQL, because other processes' SQLite fires them as well.
_PARTS_OF_WORDS = (
    "CREATE TABLE run_texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    """
    CREATE VIRTUAL TABLE run_grams USING fts5 (
        grams, content='', detail=none, columnsize=0,
        tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
    )
    """,
    "CREATE TABLE search_queue (id INTEGER PRIMARY KEY)",
    "INSERT INTO search_queue (id) SELECT id FROM runs",
    """
    CREATE TRIGGER search_queue_insert AFTER INSERT ON runs BEGIN
        INSERT OR IGNORE INTO search_queue (id) VALUES (new.id);
    END
    """,
    """
    CREATE TRIGGER search_queue_update AFTER UPDATE OF prompt, synthesis ON runs
    WHEN old.prompt IS NOT new.prompt OR old.synthesis IS NOT new.synthesis BEGIN
        INSERT OR IGNORE INTO search_queue (id) VALUES (new.id);
    END
    """,
    """
    CREATE TRIGGER search_queue_delete AFTER DELETE ON runs BEGIN
        INSERT OR IGNORE INTO search_queue (id) VALUES (old.id);
    END
    """,
)


def _step(of: Migrations, name: str, statements: Iterable[str]) -> None:
    @of(name=name)
    def step(db: Database) -> None:
        for statement in statements:
            db.conn.execute(statement)


_step(migrations, "0001_first_tables", _FIRST_TABLES)
_step(migrations, "0002_runs_that_outlive_their_process", _RESUMABLE_RUNS)
_step(migrations, "0003_calibration", _CALIBRATION)
_step(migrations, "0004_conversations", _CONVERSATIONS)
_step(migrations, "0005_consortiums_of_consortiums", _NESTED_RUNS)
_step(additions, "0001_costs", _COSTS)
_step(search_migrations, "0001_parts_of_words", _PARTS_OF_WORDS)
_step(additions, "0002_calls_that_are_cut_off", _CUT_OFF)
_step(additions, "0003_attachments", _ATTACHMENTS)
_step(additions, "0004_tools", _TOOL_USES)
_step(additions, "0005_clients", _CLIENTS)
_step(additions, "0006_repeated_questions", _REPEATED)
_step(additions, "0007_ratings", _RATINGS)
_step(additions, "0008_weights", _WEIGHTS)
_step(additions, "0009_principals", _PRINCIPALS)
_step(additions, "0010_deaths", _DEATHS)
