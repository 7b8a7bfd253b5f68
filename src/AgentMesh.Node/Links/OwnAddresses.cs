using System.Net;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Links;

/// <summary>Where this device can be told to be, now: networks come and go. Looked up again after a few seconds at most. Thread-safe.</summary>
internal sealed class OwnAddresses(IReadOnlyList<IPEndPoint> bound, HostPort? announce, TimeProvider time)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private IReadOnlyList<IPEndPoint>? _found;
    private long _at;

    public IReadOnlyList<IPEndPoint> Current
    {
        get
        {
            lock (_gate)
            {
                if (_found is null || time.GetElapsedTime(_at) > FreshFor)
                {
                    _found = LocalAddresses.Of(bound, announce);
                    _at = time.GetTimestamp();
                }

                return _found;
            }
        }
    }
}
