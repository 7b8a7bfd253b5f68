using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Trust;

/// <summary>Writes into the log, once for each, whom a device has let in elsewhere that may not introduce here, with what to type. Thread-safe.</summary>
internal sealed class IntroductionNotices : IDisposable
{
    private readonly DeviceRegistry _registry;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private HashSet<DeviceId> _seen = [];

    public IntroductionNotices(DeviceRegistry registry, ILogger log)
    {
        _registry = registry;
        _log = log;
        registry.Changed += Look;
        Look();
    }

    public void Dispose() => _registry.Changed -= Look;

    private void Look()
    {
        lock (_gate)
        {
            IReadOnlyDictionary<DeviceId, IntroducedDevice> refused = _registry.Refused;
            foreach (IntroducedDevice device in refused.Values.Where(device => !_seen.Contains(device.Id)))
            {
                string by = _registry.Devices.GetValueOrDefault(device.By)?.Name ?? device.By.ToString();
                Log.IntroductionRefused(_log, NodeErrors.IntroductionRefused, by, device.Name, device.Id.ToString());
            }

            _seen = [.. refused.Keys];
        }
    }
}
