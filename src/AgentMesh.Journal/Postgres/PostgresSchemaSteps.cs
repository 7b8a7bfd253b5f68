namespace AgentMesh.Journal.Postgres;

/// <summary>The SQL of each step of <see cref="PostgresSchema"/>.</summary>
/// <remarks>
/// Every write takes the row of its shard FOR SHARE and compares the epoch; taking a shard updates that row. So a taker waits for the writes that are
/// under way, and a write that comes after it sees the newer epoch: nothing of an earlier owner can follow the new owner's first read.
/// The functions are PL/pgSQL because each of their statements sees what was committed while the one before it waited for a lock.
/// </remarks>
internal static class PostgresSchemaSteps
{
    /// <summary>Format 1: events, snapshots, the entity index, members and shards.</summary>
    public const string Journal = """
        CREATE SCHEMA IF NOT EXISTS agentmesh;

        CREATE TABLE agentmesh.meta (
            key text PRIMARY KEY,
            value bigint NOT NULL
        );

        CREATE TABLE agentmesh.members (
            member_id text PRIMARY KEY,
            home text NOT NULL,
            device text NOT NULL,
            name text NOT NULL,
            started_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX members_by_home ON agentmesh.members (home, expires_at);

        CREATE TABLE agentmesh.shards (
            home text NOT NULL,
            shard text NOT NULL,
            epoch bigint NOT NULL,
            member_id text,
            taken_at timestamptz,
            PRIMARY KEY (home, shard)
        );

        CREATE TABLE agentmesh.entities (
            entity_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            persistence_id text COLLATE "C" NOT NULL UNIQUE,
            category text COLLATE "C" NOT NULL,
            home text COLLATE "C" NOT NULL,
            highest_sequence bigint NOT NULL,
            last_event_sequence bigint NOT NULL,
            deleted_to bigint NOT NULL,
            epoch bigint NOT NULL,
            last_manifest text COLLATE "C" NOT NULL,
            first_at bigint NOT NULL,
            last_at bigint NOT NULL
        );
        CREATE INDEX entities_by_home ON agentmesh.entities (category, home, entity_key);
        CREATE INDEX entities_by_manifest ON agentmesh.entities (category, home, last_manifest, entity_key);

        CREATE TABLE agentmesh.events (
            entity_key bigint NOT NULL,
            sequence_nr bigint NOT NULL,
            previous_sequence bigint NOT NULL,
            epoch bigint NOT NULL,
            serializer_id integer NOT NULL,
            manifest text NOT NULL,
            payload bytea NOT NULL,
            writer_guid text NOT NULL,
            timestamp bigint NOT NULL,
            checksum bigint NOT NULL,
            PRIMARY KEY (entity_key, sequence_nr)
        );

        CREATE TABLE agentmesh.snapshots (
            persistence_id text COLLATE "C" NOT NULL,
            sequence_nr bigint NOT NULL,
            timestamp bigint NOT NULL,
            serializer_id integer NOT NULL,
            manifest text NOT NULL,
            payload bytea NOT NULL,
            checksum bigint NOT NULL,
            PRIMARY KEY (persistence_id, sequence_nr)
        );

        CREATE FUNCTION agentmesh.holds(p_home text, p_shard text, p_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            v_epoch bigint;
        BEGIN
            SELECT s.epoch INTO v_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR SHARE;
            RETURN FOUND AND v_epoch = p_epoch;
        END $$;

        CREATE FUNCTION agentmesh.take(p_home text, p_shard text, p_member text, OUT r_status integer, OUT r_epoch bigint, OUT r_holder text) LANGUAGE plpgsql AS $$
        DECLARE
            v_holder text;
        BEGIN
            INSERT INTO agentmesh.shards (home, shard, epoch) VALUES (p_home, p_shard, 0) ON CONFLICT DO NOTHING;
            SELECT s.epoch, s.member_id INTO r_epoch, v_holder FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR UPDATE;
            IF NOT EXISTS (SELECT 1 FROM agentmesh.members m WHERE m.member_id = p_member AND m.expires_at > clock_timestamp()) THEN
                r_status := 2;
                RETURN;
            END IF;
            SELECT m.name INTO r_holder FROM agentmesh.members m WHERE m.member_id = v_holder AND m.member_id <> p_member AND m.expires_at > clock_timestamp();
            IF FOUND THEN
                r_status := 1;
                RETURN;
            END IF;
            r_status := 0;
            r_epoch := r_epoch + 1;
            UPDATE agentmesh.shards SET epoch = r_epoch, member_id = p_member, taken_at = clock_timestamp() WHERE home = p_home AND shard = p_shard;
        END $$;

        CREATE FUNCTION agentmesh.append(
            p_id text, p_category text, p_home text, p_shard text, p_epoch bigint, p_previous bigint, p_last bigint, p_now bigint,
            p_sequences bigint[], p_serializers integer[], p_manifests text[], p_payloads bytea[], p_writers text[], p_times bigint[], p_checksums bigint[],
            OUT r_status integer, OUT r_highest bigint, OUT r_epoch bigint) LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
            v_event bigint;
            n integer := cardinality(p_sequences);
        BEGIN
            SELECT s.epoch INTO r_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR SHARE;
            r_epoch := coalesce(r_epoch, 0);
            SELECT e.entity_key, e.highest_sequence, e.last_event_sequence INTO v_key, r_highest, v_event
                FROM agentmesh.entities e WHERE e.persistence_id = p_id FOR UPDATE;
            r_highest := coalesce(r_highest, 0);
            IF r_epoch <> p_epoch THEN
                r_status := 2;
                RETURN;
            END IF;
            IF r_highest <> p_previous THEN
                r_status := 1;
                RETURN;
            END IF;
            IF v_key IS NULL THEN
                v_event := 0;
                INSERT INTO agentmesh.entities (persistence_id, category, home, highest_sequence, last_event_sequence, deleted_to, epoch, last_manifest, first_at, last_at)
                    VALUES (p_id, p_category, p_home, p_last, coalesce(p_sequences[n], 0), 0, p_epoch, coalesce(p_manifests[n], ''), coalesce(p_times[1], p_now), coalesce(p_times[n], p_now))
                    ON CONFLICT (persistence_id) DO NOTHING RETURNING entity_key INTO v_key;
                IF v_key IS NULL THEN
                    r_status := 1;
                    RETURN;
                END IF;
            ELSIF n = 0 THEN
                UPDATE agentmesh.entities SET highest_sequence = p_last, epoch = p_epoch WHERE entity_key = v_key;
            ELSE
                UPDATE agentmesh.entities SET highest_sequence = p_last, last_event_sequence = p_sequences[n], epoch = p_epoch, last_manifest = p_manifests[n], last_at = p_times[n]
                    WHERE entity_key = v_key;
            END IF;
            IF n > 0 THEN
                INSERT INTO agentmesh.events (entity_key, sequence_nr, previous_sequence, epoch, serializer_id, manifest, payload, writer_guid, timestamp, checksum)
                    SELECT v_key, p_sequences[i], CASE WHEN i = 1 THEN v_event ELSE p_sequences[i - 1] END, p_epoch,
                           p_serializers[i], p_manifests[i], p_payloads[i], p_writers[i], p_times[i], p_checksums[i]
                    FROM generate_series(1, n) AS i;
            END IF;
            r_status := 0;
            r_highest := p_last;
        END $$;

        CREATE FUNCTION agentmesh.delete_events(p_id text, p_home text, p_shard text, p_epoch bigint, p_to bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
            v_highest bigint;
        BEGIN
            IF NOT agentmesh.holds(p_home, p_shard, p_epoch) THEN
                RETURN false;
            END IF;
            SELECT e.entity_key, e.highest_sequence INTO v_key, v_highest FROM agentmesh.entities e WHERE e.persistence_id = p_id FOR UPDATE;
            IF FOUND THEN
                DELETE FROM agentmesh.events WHERE entity_key = v_key AND sequence_nr <= least(p_to, v_highest);
                UPDATE agentmesh.entities SET deleted_to = greatest(deleted_to, least(p_to, v_highest)) WHERE entity_key = v_key;
            END IF;
            RETURN true;
        END $$;

        CREATE FUNCTION agentmesh.save_snapshot(
            p_id text, p_home text, p_shard text, p_epoch bigint, p_sequence bigint, p_time bigint, p_serializer integer, p_manifest text, p_payload bytea, p_checksum bigint)
            RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT agentmesh.holds(p_home, p_shard, p_epoch) THEN
                RETURN false;
            END IF;
            INSERT INTO agentmesh.snapshots (persistence_id, sequence_nr, timestamp, serializer_id, manifest, payload, checksum)
                VALUES (p_id, p_sequence, p_time, p_serializer, p_manifest, p_payload, p_checksum)
                ON CONFLICT (persistence_id, sequence_nr) DO UPDATE SET timestamp = excluded.timestamp, serializer_id = excluded.serializer_id,
                    manifest = excluded.manifest, payload = excluded.payload, checksum = excluded.checksum;
            RETURN true;
        END $$;

        CREATE FUNCTION agentmesh.delete_snapshots(
            p_id text, p_home text, p_shard text, p_epoch bigint, p_min_sequence bigint, p_max_sequence bigint, p_min_time bigint, p_max_time bigint)
            RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT agentmesh.holds(p_home, p_shard, p_epoch) THEN
                RETURN false;
            END IF;
            DELETE FROM agentmesh.snapshots WHERE persistence_id = p_id AND sequence_nr BETWEEN p_min_sequence AND p_max_sequence AND timestamp BETWEEN p_min_time AND p_max_time;
            RETURN true;
        END $$;
        """;

    /// <summary>Format 2: what the jobs of the pool wrote.</summary>
    public const string Output = """
        CREATE TABLE agentmesh.outputs (
            output_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            job_id text COLLATE "C" NOT NULL UNIQUE,
            home text COLLATE "C" NOT NULL,
            current_attempt integer NOT NULL,
            stored_bytes bigint NOT NULL,
            written_at timestamptz NOT NULL
        );
        CREATE INDEX outputs_by_age ON agentmesh.outputs (home, written_at);

        CREATE TABLE agentmesh.output_streams (
            output_key bigint NOT NULL REFERENCES agentmesh.outputs ON DELETE CASCADE,
            attempt integer NOT NULL,
            stream smallint NOT NULL,
            length bigint NOT NULL,
            final_length bigint,
            PRIMARY KEY (output_key, attempt, stream)
        );

        CREATE TABLE agentmesh.output_chunks (
            output_key bigint NOT NULL REFERENCES agentmesh.outputs ON DELETE CASCADE,
            attempt integer NOT NULL,
            stream smallint NOT NULL,
            start_offset bigint NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (output_key, attempt, stream, start_offset)
        );
        ALTER TABLE agentmesh.output_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

        CREATE FUNCTION agentmesh.output_begin(p_job text, p_home text, p_attempt integer, OUT r_key bigint, OUT r_current integer) LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO agentmesh.outputs (job_id, home, current_attempt, stored_bytes, written_at) VALUES (p_job, p_home, p_attempt, 0, clock_timestamp()) ON CONFLICT (job_id) DO NOTHING;
            SELECT o.output_key, o.current_attempt INTO r_key, r_current FROM agentmesh.outputs o WHERE o.job_id = p_job FOR UPDATE;
            IF r_current < p_attempt THEN
                UPDATE agentmesh.outputs SET current_attempt = p_attempt, written_at = clock_timestamp() WHERE output_key = r_key;
                r_current := p_attempt;
            END IF;
        END $$;

        CREATE FUNCTION agentmesh.output_append(
            p_job text, p_home text, p_attempt integer, p_stream smallint, p_offset bigint, p_data bytea, p_job_max bigint, OUT r_status integer, OUT r_length bigint) LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
            v_current integer;
            v_final bigint;
            v_end bigint;
            v_stored bigint;
        BEGIN
            SELECT b.r_key, b.r_current INTO v_key, v_current FROM agentmesh.output_begin(p_job, p_home, p_attempt) b;
            SELECT s.length, s.final_length INTO r_length, v_final FROM agentmesh.output_streams s WHERE s.output_key = v_key AND s.attempt = p_attempt AND s.stream = p_stream;
            r_length := coalesce(r_length, 0);
            v_end := greatest(r_length, p_offset + length(p_data));
            r_status := CASE WHEN p_attempt < v_current THEN 2 WHEN p_offset > r_length THEN 1 WHEN v_end > v_final THEN 3 ELSE 0 END;
            IF r_status <> 0 OR v_end = r_length THEN
                RETURN;
            END IF;
            SELECT o.stored_bytes INTO v_stored FROM agentmesh.outputs o WHERE o.output_key = v_key;
            IF v_stored + v_end - r_length > p_job_max THEN
                r_status := 9;
                RETURN;
            END IF;
            INSERT INTO agentmesh.output_chunks VALUES (v_key, p_attempt, p_stream, r_length, substring(p_data FROM (r_length - p_offset + 1)::integer));
            INSERT INTO agentmesh.output_streams VALUES (v_key, p_attempt, p_stream, v_end, NULL)
                ON CONFLICT (output_key, attempt, stream) DO UPDATE SET length = excluded.length;
            UPDATE agentmesh.outputs SET stored_bytes = v_stored + v_end - r_length, written_at = clock_timestamp() WHERE output_key = v_key;
            r_length := v_end;
        END $$;

        CREATE FUNCTION agentmesh.output_end(p_job text, p_home text, p_attempt integer, p_streams smallint[], p_lengths bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
            v_current integer;
        BEGIN
            SELECT b.r_key, b.r_current INTO v_key, v_current FROM agentmesh.output_begin(p_job, p_home, p_attempt) b;
            IF p_attempt < v_current THEN
                RETURN 2;
            END IF;
            IF EXISTS (
                SELECT 1 FROM unnest(p_streams, p_lengths) AS n(stream, final)
                JOIN agentmesh.output_streams s ON s.output_key = v_key AND s.attempt = p_attempt AND s.stream = n.stream
                WHERE s.length > n.final OR s.final_length <> n.final) THEN
                RETURN 3;
            END IF;
            INSERT INTO agentmesh.output_streams SELECT v_key, p_attempt, n.stream, 0, n.final FROM unnest(p_streams, p_lengths) AS n(stream, final)
                ON CONFLICT (output_key, attempt, stream) DO UPDATE SET final_length = excluded.final_length;
            RETURN 0;
        END $$;
        """;
}
