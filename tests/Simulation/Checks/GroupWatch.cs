using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using Simulation.Engine;

namespace Simulation.Checks;

/// <summary>
/// What groups of jobs promise, looked at when an event is stored and when a device begins an attempt. The limit counts jobs whose home has not given them up: one that was failed or
/// cancelled while its device was out of reach may run there still, and has no place any more.
/// </summary>
internal sealed class GroupWatch(SimLoop loop)
{
    /// <summary>
    /// From a place that is free to its next job, when nothing goes wrong any more: an entity whose write has failed rests for up to a minute until it is woken; a group that is silent is asked again after 15 s, and so is a holder.
    /// </summary>
    private static readonly TimeSpan GivenWithin = TimeSpan.FromSeconds(100);

    /// <summary>Questions that came so shortly before a turn was given may not have been looked at.</summary>
    private static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(6);

    /// <summary>Whoever is silent for a minute is forgotten, and stands behind the others when it asks again.</summary>
    private static readonly TimeSpan SilentMost = TimeSpan.FromSeconds(50);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly MeshSerializer _serializer = new(null!);
    private readonly Dictionary<string, WatchedGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (WatchedJob Job, WatchedGroup Group)> _jobs = new(StringComparer.Ordinal);

    private TimeSpan? _quietSince;

    public int Granted { get; private set; }

    /// <summary>Turns that were given while others waited.</summary>
    public int Contested { get; private set; }

    /// <summary>Turns that were given while other users waited with the same priority, or a higher one.</summary>
    public int ContestedByUsers { get; private set; }

    public void Watch(SimDisk disk) => disk.Stored += Stored;

    /// <summary>From now on nothing goes wrong.</summary>
    public void ExpectProgress()
    {
        _quietSince = loop.Now;
        foreach (WatchedGroup group in _groups.Values)
        {
            group.IdleSince = null;
        }

        Look();
    }

    /// <summary>A question that came to the group.</summary>
    public void Asked(AskTurn ask)
    {
        WatchedGroup group = Of(ask.GroupId.ToString());
        string job = ask.JobId.ToString();
        if (_jobs.TryGetValue(job, out (WatchedJob Job, WatchedGroup Group) known) && known.Job.RestSince is not null)
        {
            // It was asked before, and came after.
            return;
        }

        group.Asked[job] = group.Asked.TryGetValue(job, out AskedTurn? before)
            ? before with { Last = loop.Now, WasSilent = before.WasSilent || loop.Now - before.Last > SilentMost }
            : new AskedTurn(ask.Priority, ask.Share, loop.Now, loop.Now, WasSilent: false);
    }

    /// <summary>The entity has gone, and whom it knew to wait.</summary>
    public void Forgot(string groupId) => Of(groupId).Forget();

    /// <summary>The home's process was killed.</summary>
    public void ForgotAll()
    {
        foreach (WatchedGroup group in _groups.Values)
        {
            group.Forget();
        }
    }

    /// <param name="running">What runs on devices, this one included.</param>
    public void Began(string id, IEnumerable<(string Job, int Attempt)> running)
    {
        // Given up: at rest, or tried again since and not ordered to begin yet.
        if (!_jobs.TryGetValue(id, out (WatchedJob Job, WatchedGroup Group) known) || known.Job.RestSince is not null || known.Job is { IsOut: false, HasBegun: true })
        {
            return;
        }

        WatchedGroup group = known.Group;
        loop.Require(group.Holders.Contains(id), () => $"{id} runs and has no turn in its group, and its home waits for it");
        int together = running.Select(each => each.Job).Distinct(StringComparer.Ordinal).Count(job => _jobs.TryGetValue(job, out (WatchedJob Job, WatchedGroup Group) other) && other.Group == group && other.Job.IsOut);

        // A lower limit takes no turn away.
        int most = Math.Max(group.Settings.Places, group.Holders.Count);
        loop.Require(together <= most, () => $"{together} jobs of one group run, and {most} may");
    }

    /// <summary>Places of jobs that came to rest are given back.</summary>
    private void Check()
    {
        foreach ((string id, WatchedGroup group) in _groups)
        {
            string? kept = group.Holders.FirstOrDefault(job => _jobs.TryGetValue(job, out (WatchedJob Job, WatchedGroup Group) known) && loop.Now - known.Job.RestSince > GivenWithin);
            loop.Require(kept is null, () => $"{id}: {kept} came to rest at {_jobs[kept!].Job.RestSince} and holds a place still");
        }
    }

    private void Look()
    {
        foreach ((string id, WatchedGroup group) in _groups)
        {
            WatchedJob? waiting = group.HasRoom ? group.Jobs.Find(job => !job.Waits && job is { HasBegun: false, RestSince: null } && !group.Holders.Contains(job.Id)) : null;
            group.IdleSince = waiting is null ? null : group.IdleSince ?? loop.Now;
            loop.Require(group.IdleSince is not { } since || loop.Now - since <= GivenWithin, () => $"{id} has had room for {GivenWithin}, and {waiting!.Id} has not begun");
        }

        if (loop.Now - _quietSince > GivenWithin)
        {
            Check();
        }

        loop.After(LookEvery, null, Look);
    }

    private void Stored(StoredEvent stored)
    {
        if (stored.Id.StartsWith(GroupId.Prefix, StringComparison.Ordinal))
        {
            OnGroup(stored.Id, Of(stored.Id), (IGroupEvent)_serializer.FromBinary(stored.Bytes, stored.Manifest));
        }
        else if (stored.Manifest is JobManifests.AcceptedQueued or JobManifests.AcceptedPlaced)
        {
            OnAccepted(stored);
        }
        else if (_jobs.TryGetValue(stored.Id, out (WatchedJob Job, WatchedGroup Group) known))
        {
            OnJob(stored, known.Job, known.Group);
        }
    }

    private void OnAccepted(StoredEvent stored)
    {
        AcceptedEvent accepted;
        try
        {
            accepted = (AcceptedEvent)_serializer.FromBinary(stored.Bytes, stored.Manifest);
        }
        catch (Exception error) when (error is not InvalidCastException)
        {
            // Trial 12 has a job whose events are no message.
            return;
        }

        if (accepted.Spec.Needs.Group is { } name && JobId.TryParse(stored.Id, out JobId id))
        {
            WatchedGroup group = Of(new GroupId(id.Home, name).ToString());
            var job = new WatchedJob(stored.Id, accepted.Spec.Caller.User, !accepted.Spec.After.IsEmpty);
            loop.Require(accepted.Placement is null, () => $"{stored.Id} began when it was accepted, without a turn in its group");
            group.Jobs.Add(job);
            _jobs.Add(stored.Id, (job, group));
        }
    }

    private void OnJob(StoredEvent stored, WatchedJob job, WatchedGroup group)
    {
        if (stored.Manifest == JobManifests.Placed)
        {
            loop.Require(group.Holders.Contains(job.Id), () => $"{job.Id} was ordered to begin and has no turn in its group");
            (job.IsOut, job.HasBegun) = (true, true);
        }

        if (JobManifests.AtRest.Contains(stored.Manifest))
        {
            (job.IsOut, job.RestSince) = (false, loop.Now);
            group.Asked.Remove(job.Id);
        }
        else
        {
            job.RestSince = null;
        }
    }

    private void OnGroup(string id, WatchedGroup group, IGroupEvent change)
    {
        switch (change)
        {
            case GroupSetEvent set:
                group.Settings = set.Settings;
                break;
            case GroupRemovedEvent:
                group.Settings = GroupSettings.Default;
                break;
            case GroupGrantedEvent granted:
                OnGranted(id, group, [.. granted.Jobs.Select(job => job.ToString())]);
                break;
            case GroupReturnedEvent returned:
                foreach (string job in returned.Jobs.Select(each => each.ToString()))
                {
                    group.Users.Return(job);
                    loop.Require(group.Holders.Remove(job), () => $"{id}: the place of {job} was given back twice");
                    loop.Require(!_jobs.TryGetValue(job, out (WatchedJob Job, WatchedGroup Group) known) || !known.Job.IsOut, () => $"{id}: the place of {job} was given back, and it has not come to rest");
                }

                break;
        }
    }

    private void OnGranted(string id, WatchedGroup group, string[] jobs)
    {
        loop.Require(!group.Settings.IsPaused, () => $"{id} is paused, and gave a turn to {string.Join(", ", jobs)}");
        foreach (string job in jobs)
        {
            loop.Require(group.Holders.Add(job), () => $"{id}: {job} has its turn and was given it again");
        }

        loop.Require(group.Holders.Count <= group.Settings.Places, () => $"{id} has {group.Settings.Places} places, and {group.Holders.Count} jobs have their turn");
        Granted += jobs.Length;
        KeyValuePair<string, AskedTurn>[] waiting = [.. group.Asked.Where(each => !group.Holders.Contains(each.Key) && loop.Now - each.Value.First > OnTheWay && loop.Now - each.Value.Last < SilentMost && !each.Value.WasSilent)];
        Contested += waiting.Length > 0 ? 1 : 0;
        foreach (string job in jobs)
        {
            if (group.Asked.TryGetValue(job, out AskedTurn? given) && !given.WasSilent)
            {
                (string other, AskedTurn? before) = waiting.FirstOrDefault(other => IsBefore(other.Value, given));
                loop.Require(before is null, () => $"{id} gave a turn to {job}, {given}, and {other}, {before}, went without");
                CheckUsers(id, group, given, waiting);
            }

            if (_jobs.TryGetValue(job, out (WatchedJob Job, WatchedGroup Group) known))
            {
                group.Users.Serve(job, known.Job.User);
            }
        }
    }

    /// <summary>Of users with the same priority: while one waits, each other one that has no fewer turns gets one more at most.</summary>
    private void CheckUsers(string id, WatchedGroup group, AskedTurn given, KeyValuePair<string, AskedTurn>[] waiting)
    {
        AskedTurn[] others = [.. waiting.Select(each => each.Value).Where(other => other.Share != given.Share && other.Priority >= Grown(given))];
        ContestedByUsers += others.Length > 0 ? 1 : 0;
        AskedTurn? before = others.FirstOrDefault(other => group.Users.IsBefore(other.Share, given.Share));
        loop.Require(
            before is null,
            () => $"{id} gave a turn to {given.Share}, {given}, who has {group.Users.Held(given.Share)}, and {before!.Share}, {before}, who has {group.Users.Held(before.Share)}, went without");
    }

    /// <summary>Certainly.</summary>
    private bool IsBefore(AskedTurn waiting, AskedTurn given) =>
        waiting.Priority > Grown(given) || (waiting.Share == given.Share && waiting.Priority == given.Priority && waiting.First < given.First - OnTheWay);

    /// <summary>A line grows by one priority for each step that it was passed over, at most since its first question.</summary>
    private int Grown(AskedTurn given) => given.Priority + (int)((loop.Now - given.First) / TurnRules.Default.AgeStep);

    private WatchedGroup Of(string id)
    {
        if (!_groups.TryGetValue(id, out WatchedGroup? group))
        {
            _groups.Add(id, group = new WatchedGroup());
        }

        return group;
    }
}
