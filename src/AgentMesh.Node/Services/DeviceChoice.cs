using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Services;

/// <param name="Away">Devices of a group that are offline and were left out.</param>
internal sealed record ChosenDevices(IReadOnlyList<NamedDevice> Targets, IReadOnlyList<NamedDevice> Away)
{
    /// <summary>In words, why one of several was chosen.</summary>
    public IReadOnlyDictionary<DeviceId, string> Why { get; init; } = new Dictionary<DeviceId, string>();
}

/// <summary>From a selector to devices, with what is known of each now: whether it is there, its labels, and how busy it is.</summary>
internal sealed class DeviceChoice(
    DeviceId self, Devices devices, IReadOnlyList<string> ownLabels, DeviceDirectory directory, LinkService links, Func<DeviceLoad> ownLoad, TimeProvider time)
{
    /// <summary>Until then a device has surely told that it is busier than before.</summary>
    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(3);

    private readonly ConcurrentQueue<(DeviceId Device, long At)> _placed = new();

    /// <param name="selector">Null for this device.</param>
    /// <param name="mayWait">Jobs for devices that are offline are queued.</param>
    /// <param name="needs">What the job asks for there.</param>
    /// <param name="within">Longest wait for what is not known yet of a device; null for that of an attempt to connect.</param>
    /// <exception cref="MeshException">AM0350 to AM0352, AM0302, AM0303, AM0393.</exception>
    public async Task<ChosenDevices> ChooseAsync(string? selector, bool mayWait, ResourceAmounts needs, TimeSpan? within, CancellationToken cancellationToken)
    {
        if (selector is null)
        {
            return new ChosenDevices([devices.Self], []);
        }

        Selector read = Selector.Parse(selector);
        if (read.SingleDevice is { } single)
        {
            return new ChosenDevices([devices.One(single)], []);
        }

        // A node that just started finds out first who is there.
        using var late = new CancellationTokenSource(within ?? Timeout.InfiniteTimeSpan, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        Task knowing = Task.WhenAll(devices.All.Where(device => !device.IsSelf).Select(device => links.KnowAsync(device.Id, patience.Token)));
        await knowing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<NamedDevice> all = devices.All;
        Selection selection = Selection.Of(read, Candidates(all), name => devices.One(name).Id, mayWait, needs);
        return new ChosenDevices(Named(selection.Devices), Named(selection.Away)) { Why = selection.Why };

        IReadOnlyList<NamedDevice> Named(IReadOnlyList<Candidate> chosen) => [.. all.Where(device => chosen.Any(candidate => candidate.Id == device.Id))];
    }

    public IReadOnlyList<Candidate> Candidates(IReadOnlyList<NamedDevice> all) =>
        [.. all.Select(device => CandidateOf(device))];

    private Candidate CandidateOf(NamedDevice device)
    {
        DeviceLoad load = LoadOf(device.Id);
        int distance = device.IsSelf ? 0 : links.WhyRelayed(device.Id) is null ? 1 : 2;
        return new Candidate(device.Id, device.Name, IsOnline(device.Id), load.Running + PlacedOn(device.Id), LabelsOf(device.Id)) { Load = load, Distance = distance };
    }

    /// <summary>In words that follow its name, why a device will never have what a job asks for; null where it may.</summary>
    public string? WhyImpossible(DeviceId device, ResourceAmounts needs) => LoadOf(device).Capacity is { } capacity ? ImpossibleNeeds.Of(needs, capacity) : null;

    public DeviceLoad LoadOf(DeviceId device) => device == self ? ownLoad() : links.LoadOf(device);

    /// <summary>A job goes there, which the device itself will tell in a moment.</summary>
    public void Placed(DeviceId device)
    {
        _placed.Enqueue((device, time.GetTimestamp()));
        ForgetPlaced();
    }

    public bool IsOnline(DeviceId device) => device == self || links.LifeOf(device) is not null;

    public IReadOnlyList<string> LabelsOf(DeviceId device) => device == self ? ownLabels : directory.Hello(device)?.Labels ?? [];

    /// <summary>In words, why a job for the device cannot begin now.</summary>
    public string AbsenceOf(NamedDevice device) => Absence.Of(device.Name, directory.LastSeen(device.Id), time.GetUtcNow());

    /// <summary>Where the elements of an array may run, whether they are there or not.</summary>
    public IReadOnlyList<ArrayDevice> DevicesFor(ArrayTargets targets) =>
    [
        .. devices.All
            .Where(device => targets.Everybody || targets.Devices.Contains(device.Id) || LabelsOf(device.Id).Any(own => targets.Labels.Any(wanted => DeviceLabel.Fits(wanted, own))))
            .Select(device => new ArrayDevice(device.Id, device.Name, IsOnline(device.Id) ? null : AbsenceOf(device)) { Running = LoadOf(device.Id).Running + PlacedOn(device.Id) }),
    ];

    /// <summary>Whom a schedule means now. Nobody where no device fits; devices that are away where none that fits is there, so that their jobs wait.</summary>
    public IReadOnlyList<JobTarget> ForCron(CronTargets targets, ResourceAmounts needs)
    {
        IReadOnlyList<NamedDevice> all = devices.All;
        HashSet<DeviceId> fitting = [.. DevicesFor(targets.Devices).Select(device => device.Id)];
        Candidate[] candidates = [.. Candidates([.. all.Where(device => fitting.Contains(device.Id))])];
        if (!targets.IsOne)
        {
            return [.. candidates.Where(device => device.Load.Capacity is not { } capacity || needs.FitsIn(capacity)).Select(device => Target(device, null))];
        }

        Candidate[] online = [.. candidates.Where(device => device.IsOnline)];
        if (online.Length == 0)
        {
            return [.. candidates.Take(1).Select(device => Target(device, "nobody that fits is online"))];
        }

        try
        {
            (Candidate best, string why) = BestDevice.Of(online, needs, string.Join(", ", targets.Devices.Labels));
            Placed(best.Id);
            return [Target(best, why)];
        }
        catch (MeshException)
        {
            // None of them has so much in all: the time is missed, and the schedule shows it.
            return [];
        }

        JobTarget Target(Candidate device, string? why) => new(device.Id, targets.Devices.Selector, device.Name) { Why = why };
    }

    /// <exception cref="MeshException">AM0350, AM0351, AM0302, AM0303.</exception>
    public ArrayTargets TargetsOf(string? selector)
    {
        if (selector is null)
        {
            return new ArrayTargets("", Everybody: false, [self], []);
        }

        Selector read = Selector.Parse(selector);
        IReadOnlyList<Candidate> all = Candidates(devices.All);
        SelectorTerm[] labels = [.. read.Terms.Where(term => term.Kind is SelectorKind.EachWith or SelectorKind.OneWith)];
        Array.ForEach(labels, term => Selection.CheckLabel(read, term, all.Any(device => device.Has(term.Value)), all));
        return new ArrayTargets(
            read.Text,
            read.Terms.Any(term => term.Kind == SelectorKind.Everybody),
            [.. read.Terms.Where(term => term.Kind == SelectorKind.Device).Select(term => devices.One(term.Value).Id).Distinct()],
            [.. labels.Select(term => term.Value).Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    private int PlacedOn(DeviceId device)
    {
        ForgetPlaced();
        return _placed.Count(placed => placed.Device == device);
    }

    private void ForgetPlaced()
    {
        while (_placed.TryPeek(out (DeviceId Device, long At) oldest) && time.GetElapsedTime(oldest.At) > ToldWithin && _placed.TryDequeue(out _))
        {
        }
    }
}
