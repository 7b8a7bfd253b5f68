namespace AgentMesh.Journal.Postgres;

/// <summary>Format 3 of <see cref="PostgresSchema"/>: entities can be removed, and are known to have been.</summary>
/// <remarks>The category of removed entities is <see cref="Events.JournalSchema.Removed"/>, spelt out here: a step never changes.</remarks>
internal static class PostgresRemovalStep
{
    public const string Sql = """
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
            SELECT s.epoch INTO r_epoch FROM agentmesh.shards s WHERE s.home = p_home AND s.shard = p_shard FOR SHARE;
            r_epoch := coalesce(r_epoch, 0);
            SELECT e.entity_key, e.highest_sequence, e.last_event_sequence, e.category = '(removed)' INTO v_key, r_highest, v_event, v_removed
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

        CREATE FUNCTION agentmesh.remove_entity(p_id text, p_home text, p_shard text, p_epoch bigint, p_highest bigint, p_now bigint) RETURNS integer LANGUAGE plpgsql AS $$
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
            DELETE FROM agentmesh.events WHERE entity_key = v_key;
            DELETE FROM agentmesh.snapshots WHERE persistence_id = p_id;
            UPDATE agentmesh.entities SET category = '(removed)', last_manifest = '', deleted_to = highest_sequence, last_at = p_now WHERE entity_key = v_key;
            RETURN 0;
        END $$;

        CREATE FUNCTION agentmesh.forget_removed(p_id text, p_home text, p_shard text, p_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT agentmesh.holds(p_home, p_shard, p_epoch) THEN
                RETURN false;
            END IF;
            DELETE FROM agentmesh.entities WHERE persistence_id = p_id AND category = '(removed)';
            RETURN true;
        END $$;
        """;
}
