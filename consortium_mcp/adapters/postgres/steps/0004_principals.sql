-- Whose each row is, and who else may read it. Rows of older replicas are the local user's.
ALTER TABLE runs
    ADD COLUMN issuer text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN subject text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN visibility text NOT NULL DEFAULT 'private'
        CHECK (visibility IN ('private', 'team', 'public'));
ALTER TABLE consortiums
    ADD COLUMN issuer text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN subject text COLLATE "C" NOT NULL DEFAULT 'local',
    ADD COLUMN visibility text NOT NULL DEFAULT 'private'
        CHECK (visibility IN ('private', 'team', 'public'));
CREATE INDEX runs_by_principal ON runs (issuer, subject, id);
CREATE INDEX runs_shared ON runs (id) WHERE visibility <> 'private';
