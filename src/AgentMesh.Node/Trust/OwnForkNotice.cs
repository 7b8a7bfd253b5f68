using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Trust;

/// <summary>Writes into the log, at each start and when it is heard, that a key of this device is in two hands. Thread-safe.</summary>
internal sealed class OwnForkNotice : IDisposable
{
    private const int FingerprintShown = 19; // four groups of four digits

    private readonly DeviceRegistry _registry;
    private readonly DeviceId _self;
    private readonly ILogger _log;
    private int _isSaid;

    public OwnForkNotice(DeviceRegistry registry, DeviceId self, ILogger log)
    {
        _registry = registry;
        _self = self;
        _log = log;
        registry.Changed += Look;
        Look();
    }

    /// <summary>For people, wherever it is said.</summary>
    /// <returns>AM0176.</returns>
    public static MeshException ProblemOf(OwnFork fork, DeviceId self) => new(
        TrustErrors.OwnKeyForked,
        string.Create(
            CultureInfo.InvariantCulture,
            $"the key {Short(fork.Of)} of this device has named {Short(fork.Key)} the next one ({fork.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC by its clock), which is not here: the secret is in two hands, or this is an old copy of the data directory; every device that hears of it closes its connection with this one"),
        $"where a newer copy of the data directory is in use, stop this node and use that one; otherwise: on another device 'agentmesh devices revoke {self.ToString()[..12]}', here 'agentmesh compromised' and 'agentmesh up', and pair it again");

    public void Dispose() => _registry.Changed -= Look;

    private static string Short(DevicePublicKey key) => TrustService.Fingerprint(key)[..FingerprintShown];

    private void Look()
    {
        if (_registry.OwnFork is { } fork && Interlocked.Exchange(ref _isSaid, 1) == 0)
        {
            MeshException problem = ProblemOf(fork, _self);
            Log.OwnKeyForked(_log, problem.Code, problem.Message, problem.NextStep!);
        }
    }
}
