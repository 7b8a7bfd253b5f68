using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Services;

/// <param name="Away">Devices of a group that are offline and were left out.</param>
internal sealed record ChosenDevices(IReadOnlyList<NamedDevice> Targets, IReadOnlyList<NamedDevice> Away);

/// <summary>From a selector to devices, with what is known of each now: whether it is there, its labels, and how busy it is.</summary>
internal sealed class DeviceChoice(
    DeviceId self, Devices devices, IReadOnlyList<string> ownLabels, DeviceDirectory directory, LinkService links, Func<int> ownRunning, TimeProvider time)
{
    /// <summary>Until then a device has surely told that it is busier than before.</summary>
    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(3);

    private readonly ConcurrentQueue<(DeviceId Device, long At)> _placed = new();

    /// <param name="selector">Null for this device.</param>
    /// <param name="mayWait">Jobs for devices that are offline are queued.</param>
    /// <exception cref="MeshException">AM0350 to AM0352, AM0302, AM0303.</exception>
    public async Task<ChosenDevices> ChooseAsync(string? selector, bool mayWait, CancellationToken cancellationToken)
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
        await Task.WhenAll(devices.All.Where(device => !device.IsSelf).Select(device => links.KnowAsync(device.Id, cancellationToken))).ConfigureAwait(false);
        IReadOnlyList<NamedDevice> all = devices.All;
        Selection selection = Selection.Of(read, Candidates(all), name => devices.One(name).Id, mayWait);
        return new ChosenDevices(Named(selection.Devices), Named(selection.Away));

        IReadOnlyList<NamedDevice> Named(IReadOnlyList<Candidate> chosen) => [.. all.Where(device => chosen.Any(candidate => candidate.Id == device.Id))];
    }

    public IReadOnlyList<Candidate> Candidates(IReadOnlyList<NamedDevice> all) =>
        [.. all.Select(device => new Candidate(device.Id, device.Name, IsOnline(device.Id), RunningOn(device.Id), LabelsOf(device.Id)))];

    /// <summary>A job goes there, which the device itself will tell in a moment.</summary>
    public void Placed(DeviceId device)
    {
        _placed.Enqueue((device, time.GetTimestamp()));
        ForgetPlaced();
    }

    public bool IsOnline(DeviceId device) => device == self || links.LifeOf(device) is not null;

    public IReadOnlyList<string> LabelsOf(DeviceId device) => device == self ? ownLabels : directory.Hello(device)?.Labels ?? [];

    /// <summary>In words, why a job for the device cannot begin now.</summary>
    public string Absence(NamedDevice device) => directory.LastSeen(device.Id) is { } seen
        ? $"{device.Name} is offline, last seen {seen:u}"
        : $"{device.Name} is offline, and was never seen from here";

    private int RunningOn(DeviceId device)
    {
        ForgetPlaced();
        return (device == self ? ownRunning() : links.RunningOn(device)) + _placed.Count(placed => placed.Device == device);
    }

    private void ForgetPlaced()
    {
        while (_placed.TryPeek(out (DeviceId Device, long At) oldest) && time.GetElapsedTime(oldest.At) > ToldWithin && _placed.TryDequeue(out _))
        {
        }
    }
}
