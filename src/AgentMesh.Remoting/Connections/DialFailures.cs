using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Remoting;

/// <summary>Remembers which devices could not be reached, so that the next request fails at once. Not thread-safe.</summary>
internal sealed class DialFailures(ConnectionHubSettings settings, TimeProvider clock)
{
    private readonly Dictionary<DeviceId, Failure> _failures = [];

    public int Count => _failures.Count;

    /// <summary>The error to repeat, or null when the device may be dialled.</summary>
    public MeshException? Blocking(DeviceId id)
    {
        if (!_failures.TryGetValue(id, out Failure failure) || clock.GetUtcNow() >= failure.RetryAt)
            return null;
        return new MeshException(failure.Error.Code, failure.Error.Message, failure.Error.NextStep, failure.Error);
    }

    public void Add(DeviceId id, MeshException error)
    {
        int count = _failures.TryGetValue(id, out Failure before) ? before.Count + 1 : 1;
        TimeSpan wait = settings.BackoffMin * Math.Pow(2, Math.Min(count - 1, 16));
        if (wait > settings.BackoffMax)
            wait = settings.BackoffMax;
        if (count == 1 && _failures.Count >= settings.RememberedFailuresMax)
            ForgetOldest();
        _failures[id] = new Failure(error, count, clock.GetUtcNow() + wait);
    }

    public void Clear(DeviceId id) => _failures.Remove(id);

    private void ForgetOldest() => _failures.Remove(_failures.MinBy(static pair => pair.Value.RetryAt).Key);

    private readonly record struct Failure(MeshException Error, int Count, DateTimeOffset RetryAt);
}
