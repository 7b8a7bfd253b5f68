namespace AgentMesh.Journal.Postgres;

/// <summary>Format 5 of <see cref="PostgresSchema"/>: who is not the owner any more keeps nobody waiting.</summary>
/// <remarks>
/// <para>
/// Epochs only grow. A write whose epoch is not the newest one by a plain look is refused before it locks anything, so that its transaction can stay open for as long as it likes. What passes that look is fenced as
/// before: the row of the shard FOR SHARE, the epoch compared under it, and only then the row of the entity.
/// </para>
/// <para>
/// A writer that stood still, or was cut off, between the statements of one batch holds the locks of those that were carried out, and the server's timeout for idle transactions does not run before the end of the batch
/// has come. A taker ends such a session, where its transaction began before the lease of the owner ended that it belongs to: nothing of it may be stored any more. The sessions are found by the name that
/// <see cref="PostgresDatabase.Source"/> gives them; those of another user of the database cannot be ended, and their end is waited for as before.
/// </para>
/// </remarks>
internal static class PostgresFenceStep
{
    public const string Sql = """
        CREATE OR REPLACE FUNCTION agentmesh.holds(p_home text, p_shard text, p_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            v_epoch bigint;
        BEGIN
            SELECT s.epoch INTO v_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard;
            IF NOT FOUND OR v_epoch <> p_epoch THEN
                RETURN false;
            END IF;
            SELECT s.epoch INTO v_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR SHARE;
            RETURN FOUND AND v_epoch = p_epoch;
        END $$;

        CREATE OR REPLACE FUNCTION agentmesh.take(p_home text, p_shard text, p_member text, OUT r_status integer, OUT r_epoch bigint, OUT r_holder text) LANGUAGE plpgsql AS $$
        DECLARE
            v_holder text;
            v_ended timestamptz;
        BEGIN
            INSERT INTO agentmesh.shards (home, shard, epoch) VALUES (p_home, p_shard, 0) ON CONFLICT DO NOTHING;
            SELECT split_part(m.member_id, '/', 1), m.expires_at INTO v_holder, v_ended FROM agentmesh.shards s JOIN agentmesh.members m ON m.member_id = s.member_id
                WHERE s.home = p_home AND s.shard = p_shard AND m.member_id <> p_member AND m.expires_at <= clock_timestamp();
            IF FOUND AND EXISTS (SELECT 1 FROM agentmesh.members m WHERE m.member_id = p_member AND m.expires_at > clock_timestamp()) THEN
                PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a
                    WHERE a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid() AND a.xact_start < v_ended
                    AND a.application_name IN ('agentmesh writer ' || left(v_holder, 40), 'agentmesh output ' || left(v_holder, 40));
            END IF;
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

        CREATE OR REPLACE FUNCTION agentmesh.append(
            p_id text, p_category text, p_home text, p_shard text, p_epoch bigint, p_previous bigint, p_last bigint, p_now bigint,
            p_sequences bigint[], p_serializers integer[], p_manifests text[], p_payloads bytea[], p_writers text[], p_times bigint[], p_checksums bigint[],
            OUT r_status integer, OUT r_highest bigint, OUT r_epoch bigint) LANGUAGE plpgsql AS $$
        DECLARE
            v_key bigint;
            v_event bigint;
            v_removed boolean;
            n integer := cardinality(p_sequences);
        BEGIN
            SELECT s.epoch INTO r_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard;
            IF r_epoch = p_epoch THEN
                SELECT s.epoch INTO r_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR SHARE;
            END IF;
            r_epoch := coalesce(r_epoch, 0);
            IF r_epoch <> p_epoch THEN
                SELECT e.highest_sequence INTO r_highest FROM agentmesh.entities e WHERE e.persistence_id = p_id;
                r_highest := coalesce(r_highest, 0);
                r_status := 2;
                RETURN;
            END IF;
            SELECT e.entity_key, e.highest_sequence, e.last_event_sequence, e.category = '(removed)' INTO v_key, r_highest, v_event, v_removed
                FROM agentmesh.entities e WHERE e.persistence_id = p_id FOR UPDATE;
            r_highest := coalesce(r_highest, 0);
            IF r_highest <> p_previous THEN
                r_status := 1;
                RETURN;
            END IF;
            IF v_removed THEN
                DELETE FROM agentmesh.entities WHERE entity_key = v_key;
                v_key := NULL;
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
        """;
}
