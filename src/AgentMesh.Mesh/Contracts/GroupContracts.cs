using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Manifests of a group's events. The index of the journal keeps the last one of each entity.</summary>
public static class GroupManifests
{
    public const string Set = "group-event.set.1";
    public const string Granted = "group-event.granted.1";
    public const string Returned = "group-event.returned.1";
    public const string Removed = "group-event.removed.1";
    public const string Snapshot = "group-snapshot.1";

    /// <summary>Last events of groups that are not listed any more.</summary>
    public static IReadOnlySet<string> Gone { get; } = new HashSet<string>(StringComparer.Ordinal) { Removed };
}

/// <summary>Messages, events and snapshot of a group of jobs.</summary>
internal static class GroupContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<SetGroup, Wire.SetGroup>("group.set.1", Wire.SetGroup.Parser, WriteSet, ReadSet),
        Contract.Of("group.get.1", Wire.GetGroup.Parser, (GetGroup m) => new Wire.GetGroup { Group = m.GroupId.ToString() }, w => new GetGroup(ToGroupId(w.Group))),
        Contract.Of("group.remove.1", Wire.RemoveGroup.Parser, (RemoveGroup m) => new Wire.RemoveGroup { Group = m.GroupId.ToString() }, w => new RemoveGroup(ToGroupId(w.Group))),
        Contract.Of("group.removed.1", Wire.GroupRemoved.Parser, (GroupRemoved m) => new Wire.GroupRemoved { Group = m.GroupId.ToString() }, w => new GroupRemoved(ToGroupId(w.Group))),
        Contract.Of(
            "group.problem.1",
            Wire.GroupProblem.Parser,
            (GroupProblem m) => new Wire.GroupProblem { Group = m.GroupId.ToString(), Problem = ToWire(m.Problem) },
            w => new GroupProblem(ToGroupId(w.Group), Required(FromWire(w.Problem)))),
        Contract.Of(
            "group.ask-turn.1",
            Wire.AskTurn.Parser,
            (AskTurn m) => new Wire.AskTurn { Group = m.GroupId.ToString(), Job = m.JobId.ToString(), Priority = m.Priority, Share = m.Share },
            w => new AskTurn(ToGroupId(w.Group), ToJobId(w.Job), w.Priority, w.Share)),
        Contract.Of<TurnAnswer, Wire.TurnAnswer>("group.turn.1", Wire.TurnAnswer.Parser, WriteTurn, w => new TurnAnswer(ToJobId(w.Job), w.Granted, w.HasWhy ? w.Why : null)),
        Contract.Of(
            "group.view.1",
            Wire.GroupView.Parser,
            (GroupView m) => new Wire.GroupView
            {
                Group = m.GroupId.ToString(),
                Settings = WireSettings(m.Settings),
                IsSet = m.IsSet,
                Holders = { m.Holders.Select(static job => job.ToString()) },
                Holding = m.Holding,
                Waiting = m.Waiting,
                Granted = m.Granted,
            },
            w => new GroupView(ToGroupId(w.Group), Required(SettingsOf(w.Settings)), w.IsSet, [.. w.Holders.Select(ToJobId)], w.Holding, w.Waiting, w.Granted)),
        Contract.Of(
            GroupManifests.Set,
            Wire.GroupSetEvent.Parser,
            (GroupSetEvent m) => new Wire.GroupSetEvent { At = ToWire(m.At), Settings = WireSettings(m.Settings) },
            w => new GroupSetEvent(ToTime(w.At), Required(SettingsOf(w.Settings)))),
        Contract.Of(
            GroupManifests.Granted,
            Wire.GroupGrantedEvent.Parser,
            (GroupGrantedEvent m) => new Wire.GroupGrantedEvent { At = ToWire(m.At), Jobs = { m.Jobs.Select(static job => job.ToString()) } },
            w => new GroupGrantedEvent(ToTime(w.At), [.. w.Jobs.Select(ToJobId)])),
        Contract.Of(
            GroupManifests.Returned,
            Wire.GroupReturnedEvent.Parser,
            (GroupReturnedEvent m) => new Wire.GroupReturnedEvent { At = ToWire(m.At), Jobs = { m.Jobs.Select(static job => job.ToString()) } },
            w => new GroupReturnedEvent(ToTime(w.At), [.. w.Jobs.Select(ToJobId)])),
        Contract.Of(GroupManifests.Removed, Wire.GroupRemovedEvent.Parser, (GroupRemovedEvent m) => new Wire.GroupRemovedEvent { At = ToWire(m.At) }, w => new GroupRemovedEvent(ToTime(w.At))),
        Contract.Of(
            GroupManifests.Snapshot,
            Wire.GroupSnapshot.Parser,
            (GroupSnapshot m) => new Wire.GroupSnapshot { Settings = WireSettings(m.Settings), Holders = { m.Holders.Select(static job => job.ToString()) }, Granted = m.Granted },
            w => new GroupSnapshot(SettingsOf(w.Settings), [.. w.Holders.Select(ToJobId)], w.Granted)),
    ];

    private static GroupId ToGroupId(string text) => GroupId.TryParse(text, out GroupId id) ? id : throw new ContractException("no group id");

    private static Wire.GroupSettings? WireSettings(GroupSettings? settings)
    {
        if (settings is null)
        {
            return null;
        }

        var wire = new Wire.GroupSettings { Paused = settings.IsPaused };
        if (settings.Max is { } max)
        {
            wire.Max = max;
        }

        return wire;
    }

    private static GroupSettings? SettingsOf(Wire.GroupSettings? wire) => wire is null ? null : new GroupSettings(wire.HasMax ? wire.Max : null, wire.Paused);

    private static Wire.SetGroup WriteSet(SetGroup m)
    {
        var wire = new Wire.SetGroup { Group = m.GroupId.ToString(), LiftMax = m.LiftMax };
        if (m.Max is { } max)
        {
            wire.Max = max;
        }

        if (m.Paused is { } paused)
        {
            wire.Paused = paused;
        }

        return wire;
    }

    private static SetGroup ReadSet(Wire.SetGroup w) => new(ToGroupId(w.Group), w.HasMax ? w.Max : null, w.LiftMax, w.HasPaused ? w.Paused : null);

    private static Wire.TurnAnswer WriteTurn(TurnAnswer m)
    {
        var wire = new Wire.TurnAnswer { Job = m.JobId.ToString(), Granted = m.IsGranted };
        if (m.Why is { } why)
        {
            wire.Why = why;
        }

        return wire;
    }
}
