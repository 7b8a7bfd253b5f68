namespace AgentMesh.Journal.Postgres;

/// <summary>Format 4 of <see cref="PostgresSchema"/>: files that the jobs of the pool left behind; output goes with the journal of its job.</summary>
/// <remarks>
/// What counts and what removes is done by one transaction at a time (<c>artifacts_lock</c>), so that two members cannot both find the same room. Pieces of
/// a content are added beside it: each names the sender that began last and the offset it continues at, so that of two members that take the same content
/// only one can go on. Ages are in ticks of 100 ns, as the member that asks tells them; who sends is let go by the clock of the database.
/// </remarks>
internal static class PostgresArtifactStep
{
    public const string Sql = """
        CREATE TABLE agentmesh.artifact_contents (
            content_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            home text COLLATE "C" NOT NULL,
            hash text COLLATE "C" NOT NULL,
            size bigint NOT NULL,
            stored_bytes bigint NOT NULL,
            is_whole boolean NOT NULL,
            sender text,
            touched_at timestamptz NOT NULL,
            UNIQUE (home, hash)
        );

        CREATE TABLE agentmesh.artifact_chunks (
            content_key bigint NOT NULL REFERENCES agentmesh.artifact_contents ON DELETE CASCADE,
            start_offset bigint NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (content_key, start_offset)
        );
        ALTER TABLE agentmesh.artifact_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

        CREATE TABLE agentmesh.artifact_names (
            home text COLLATE "C" NOT NULL,
            job_id text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            attempt integer NOT NULL,
            content_key bigint NOT NULL REFERENCES agentmesh.artifact_contents,
            at bigint NOT NULL,
            PRIMARY KEY (home, job_id, name)
        );
        CREATE INDEX artifact_names_by_age ON agentmesh.artifact_names (home, at);
        CREATE INDEX artifact_names_by_content ON agentmesh.artifact_names (content_key);

        CREATE FUNCTION agentmesh.artifacts_lock(p_home text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended('agentmesh.artifacts ' || p_home, 0));
        END $$;

        CREATE FUNCTION agentmesh.artifact_drop_unnamed(p_key bigint) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE
            v_size bigint;
        BEGIN
            DELETE FROM agentmesh.artifact_contents c WHERE c.content_key = p_key AND NOT EXISTS (SELECT 1 FROM agentmesh.artifact_names n WHERE n.content_key = p_key)
                RETURNING c.size INTO v_size;
            RETURN coalesce(v_size, 0);
        END $$;

        CREATE FUNCTION agentmesh.artifact_sweep(p_home text, p_oldest bigint, p_count_max integer) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
        BEGIN
            PERFORM agentmesh.artifacts_lock(p_home);
            FOR v_key IN DELETE FROM agentmesh.artifact_names WHERE home = p_home AND at < p_oldest RETURNING content_key LOOP
                PERFORM agentmesh.artifact_drop_unnamed(v_key);
            END LOOP;
            FOR v_key IN DELETE FROM agentmesh.artifact_names WHERE home = p_home AND (job_id, name) IN (
                SELECT n.job_id, n.name FROM agentmesh.artifact_names n WHERE n.home = p_home ORDER BY n.at DESC OFFSET p_count_max) RETURNING content_key LOOP
                PERFORM agentmesh.artifact_drop_unnamed(v_key);
            END LOOP;
            DELETE FROM agentmesh.artifact_contents c WHERE c.home = p_home
                AND c.touched_at < clock_timestamp() - CASE WHEN c.is_whole THEN interval '10 minutes' ELSE interval '1 day' END
                AND NOT EXISTS (SELECT 1 FROM agentmesh.artifact_names n WHERE n.content_key = c.content_key);
        END $$;

        CREATE FUNCTION agentmesh.artifact_begin(
            p_home text, p_hash text, p_size bigint, p_sender text, p_patience integer, p_bytes_max bigint, p_safe bigint, OUT r_status integer, OUT r_key bigint, OUT r_offset bigint)
            LANGUAGE plpgsql AS $$
        DECLARE
            v_content agentmesh.artifact_contents;
            v_name agentmesh.artifact_names;
            v_held bigint;
        BEGIN
            PERFORM agentmesh.artifacts_lock(p_home);
            SELECT * INTO v_content FROM agentmesh.artifact_contents c WHERE c.home = p_home AND c.hash = p_hash FOR UPDATE;
            IF FOUND AND v_content.is_whole THEN
                UPDATE agentmesh.artifact_contents SET touched_at = clock_timestamp() WHERE content_key = v_content.content_key;
                r_status := 1;
                r_offset := v_content.size;
                RETURN;
            END IF;
            IF v_content.sender <> p_sender AND v_content.touched_at > clock_timestamp() - p_patience * interval '1 millisecond' THEN
                r_status := 2;
                RETURN;
            END IF;
            IF v_content.size <> p_size THEN
                DELETE FROM agentmesh.artifact_contents WHERE content_key = v_content.content_key;
                v_content.content_key := NULL;
            END IF;
            IF v_content.content_key IS NULL THEN
                SELECT coalesce(sum(c.size), 0) INTO v_held FROM agentmesh.artifact_contents c WHERE c.home = p_home;
                WHILE v_held + p_size > p_bytes_max LOOP
                    DELETE FROM agentmesh.artifact_contents c WHERE c.content_key = (
                        SELECT o.content_key FROM agentmesh.artifact_contents o
                        WHERE o.home = p_home AND NOT o.is_whole AND (o.sender IS NULL OR o.touched_at < clock_timestamp() - p_patience * interval '1 millisecond')
                        ORDER BY o.touched_at LIMIT 1)
                        RETURNING * INTO v_content;
                    IF FOUND THEN
                        v_held := v_held - v_content.size;
                        CONTINUE;
                    END IF;
                    DELETE FROM agentmesh.artifact_names n WHERE (n.home, n.job_id, n.name) = (
                        SELECT o.home, o.job_id, o.name FROM agentmesh.artifact_names o WHERE o.home = p_home AND o.at <= p_safe ORDER BY o.at LIMIT 1)
                        RETURNING * INTO v_name;
                    IF NOT FOUND THEN
                        r_status := 3;
                        r_offset := v_held;
                        RETURN;
                    END IF;
                    v_held := v_held - agentmesh.artifact_drop_unnamed(v_name.content_key);
                END LOOP;
                INSERT INTO agentmesh.artifact_contents (home, hash, size, stored_bytes, is_whole, touched_at) VALUES (p_home, p_hash, p_size, 0, false, clock_timestamp())
                    RETURNING * INTO v_content;
            END IF;
            UPDATE agentmesh.artifact_contents SET sender = p_sender, touched_at = clock_timestamp() WHERE content_key = v_content.content_key;
            r_status := 0;
            r_key := v_content.content_key;
            r_offset := v_content.stored_bytes;
        END $$;

        CREATE FUNCTION agentmesh.artifact_append(p_key bigint, p_sender text, p_offset bigint, p_data bytea) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE agentmesh.artifact_contents SET stored_bytes = p_offset + length(p_data), touched_at = clock_timestamp()
                WHERE content_key = p_key AND sender = p_sender AND NOT is_whole AND stored_bytes = p_offset AND p_offset + length(p_data) <= size;
            IF NOT FOUND THEN
                RETURN false;
            END IF;
            INSERT INTO agentmesh.artifact_chunks VALUES (p_key, p_offset, p_data);
            RETURN true;
        END $$;

        CREATE FUNCTION agentmesh.artifact_name(
            p_home text, p_job text, p_name text, p_attempt integer, p_hash text, p_size bigint, p_at bigint, OUT r_status integer, OUT r_at bigint) LANGUAGE plpgsql AS $$
        DECLARE
            v_known agentmesh.artifact_names;
            v_key bigint;
        BEGIN
            PERFORM agentmesh.artifacts_lock(p_home);
            SELECT * INTO v_known FROM agentmesh.artifact_names n WHERE n.home = p_home AND n.job_id = p_job AND n.name = p_name;
            SELECT c.content_key INTO v_key FROM agentmesh.artifact_contents c WHERE c.home = p_home AND c.hash = p_hash AND c.size = p_size AND c.is_whole;
            IF v_known.attempt > p_attempt THEN
                r_status := 1;
                RETURN;
            END IF;
            IF v_key IS NULL THEN
                r_status := 2;
                RETURN;
            END IF;
            r_status := 0;
            IF v_known.attempt = p_attempt AND v_known.content_key = v_key THEN
                r_at := v_known.at;
                RETURN;
            END IF;
            INSERT INTO agentmesh.artifact_names VALUES (p_home, p_job, p_name, p_attempt, v_key, p_at)
                ON CONFLICT (home, job_id, name) DO UPDATE SET attempt = excluded.attempt, content_key = excluded.content_key, at = excluded.at;
            IF v_known.content_key <> v_key THEN
                PERFORM agentmesh.artifact_drop_unnamed(v_known.content_key);
            END IF;
            r_at := p_at;
        END $$;

        CREATE FUNCTION agentmesh.artifact_remove(p_home text, p_job text, p_name text) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
        BEGIN
            PERFORM agentmesh.artifacts_lock(p_home);
            DELETE FROM agentmesh.artifact_names WHERE home = p_home AND job_id = p_job AND name = p_name RETURNING content_key INTO v_key;
            PERFORM agentmesh.artifact_drop_unnamed(v_key);
            RETURN v_key IS NOT NULL;
        END $$;

        CREATE OR REPLACE FUNCTION agentmesh.remove_entity(p_id text, p_home text, p_shard text, p_epoch bigint, p_highest bigint, p_now bigint) RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
        BEGIN
            IF NOT agentmesh.holds(p_home, p_shard, p_epoch) THEN
                RETURN 2;
            END IF;
            SELECT e.entity_key INTO v_key FROM agentmesh.entities e
                WHERE e.persistence_id = p_id AND e.highest_sequence = p_highest AND e.category <> '(removed)' FOR UPDATE;
            IF NOT FOUND THEN
                RETURN 1;
            END IF;
            DELETE FROM agentmesh.outputs WHERE job_id = p_id;
            DELETE FROM agentmesh.events WHERE entity_key = v_key;
            DELETE FROM agentmesh.snapshots WHERE persistence_id = p_id;
            UPDATE agentmesh.entities SET category = '(removed)', last_manifest = '', deleted_to = highest_sequence, last_at = p_now WHERE entity_key = v_key;
            RETURN 0;
        END $$;
        """;
}
