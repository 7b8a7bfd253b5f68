using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Mesh.Peers;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Services;
using AgentMesh.Remoting;

namespace AgentMesh.Node.RoundTrips;

/// <summary>Measures round trips to a device over the connection that is there: the whole way through encryption and streams, and back.</summary>
internal sealed class PingService(Devices devices, LinkService links, DeviceDirectory directory, ConnectionHub hub, TimeProvider time)
{
    public const int CountMax = 100_000;
    public static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(10);
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    /// <summary>One event for each round trip, then the summary.</summary>
    /// <exception cref="MeshException">AM0208 bad request, AM0211 an older node there, AM0302/AM0303 no such device, AM0304 offline: at once, or after the summary when nothing was answered.</exception>
    public async IAsyncEnumerable<PingEvent> RunAsync(PingRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (TimeSpan interval, TimeSpan patience) = Check(request);
        NamedDevice device = devices.One(request.Peer);
        if (device.IsSelf)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"{device.Name} is this device", "name another: 'agentmesh peers' shows them");
        }

        await links.KnowAsync(device.Id, cancellationToken).ConfigureAwait(false);
        if (!hub.IsLive(device.Id))
        {
            throw Offline(device);
        }

        var statistics = new PingStatistics();
        var session = new PingSession(hub, device, time);
        await using (session.ConfigureAwait(false))
        {
            for (int sequence = 1; sequence <= request.Count; sequence++)
            {
                long start = time.GetTimestamp();
                PingProbeView probe = await session.ProbeAsync(sequence, patience, cancellationToken).ConfigureAwait(false);
                statistics.Add(probe);
                yield return new PingEvent("probe", device.Name, device.Id.ToString(), Probe: probe);
                if (request.Paths)
                {
                    foreach (PathProbeView path in await session.ProbePathsAsync(sequence, patience, cancellationToken).ConfigureAwait(false))
                    {
                        yield return new PingEvent("path", device.Name, device.Id.ToString()) { PathProbe = path };
                    }
                }

                TimeSpan rest = interval - time.GetElapsedTime(start);
                if (sequence < request.Count && rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, time, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        yield return new PingEvent("summary", device.Name, device.Id.ToString(), Summary: statistics.Summary());
        if (statistics.Answered == 0)
        {
            throw Offline(device);
        }
    }

    private static (TimeSpan Interval, TimeSpan Patience) Check(PingRequest request)
    {
        TimeSpan interval = TimeSpan.FromMilliseconds(Finite(request.IntervalMs)), patience = TimeSpan.FromMilliseconds(Finite(request.TimeoutMs));
        string? wrong = string.IsNullOrEmpty(request.Peer) ? "'peer' is missing"
            : request.Count is < 1 or > CountMax ? $"'count' must be 1 to {CountMax}, not {request.Count}"
            : interval < IntervalMin || interval > WaitMax ? $"the interval must be {IntervalMin.TotalMilliseconds} ms to {WaitMax.TotalSeconds} s"
            : patience < IntervalMin || patience > WaitMax ? $"the wait for an answer must be {IntervalMin.TotalMilliseconds} ms to {WaitMax.TotalSeconds} s"
            : null;
        return wrong is null ? (interval, patience) : throw new MeshException(NodeErrors.ControlRequest, wrong, "see 'agentmesh ping --help' and docs/control-api.md");
    }

    private static double Finite(double milliseconds) => milliseconds is >= 0 and <= 1e9 ? milliseconds : 0;

    private MeshException Offline(NamedDevice device)
    {
        string absence = Absence.Of(device.Name, directory.LastSeen(device.Id), time.GetUtcNow());
        return new MeshException(
            Mesh.MeshErrors.PeerOffline,
            links.Problem(device.Id) is { } why ? $"{absence}: {why}" : absence,
            $"start its node with 'agentmesh up' there; 'agentmesh peers' shows who is there, 'agentmesh connect HOST' tries another address");
    }
}
