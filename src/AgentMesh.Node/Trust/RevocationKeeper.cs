using AgentMesh.Errors;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Trust;

/// <summary>
/// Ends what a device has running here as soon as it is revoked, by whomever, and at the start what was left when a node ended in between. Its connection is the business of
/// <see cref="Pairing.Departures"/>.
/// </summary>
internal sealed class RevocationKeeper : IAsyncDisposable
{
    /// <summary>An order that was under way when the device was put out has begun by then.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly DeviceRegistry _registry;
    private readonly ExecutionTable _table;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private HashSet<DeviceId> _seen = [];
    private Task _first = Task.CompletedTask;
    private Task _all = Task.CompletedTask;

    public RevocationKeeper(DeviceRegistry registry, ExecutionTable table, TimeProvider time, ILogger log)
    {
        _registry = registry;
        _table = table;
        _time = time;
        _log = log;
        registry.Changed += Look;
        Look();
    }

    /// <summary>Completes when what ran for those that are revoked by now has ended.</summary>
    public Task Ended
    {
        get
        {
            lock (_gate)
            {
                return _first;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Changed -= Look;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void Look()
    {
        lock (_gate)
        {
            IReadOnlyDictionary<DeviceId, RevokedDevice> revoked = _registry.Revoked;
            foreach (RevokedDevice gone in revoked.Values.Where(gone => !_seen.Contains(gone.Id)))
            {
                Log.Revoked(_log, gone.Name, gone.Id.ToString(), gone.By.ToString());
                Task first = _table.EndOfAsync(gone.Id, Why(gone));
                _first = Task.WhenAll(_first, first);
                _all = Task.WhenAll(_all, AgainAsync(gone, first));
            }

            _seen = [.. revoked.Keys];
        }
    }

    private async Task AgainAsync(RevokedDevice gone, Task first)
    {
        await first.ConfigureAwait(false);
        await Task.Delay(Again, _time, _stop.Token).ConfigureAwait(false);
        if (_registry.Revoked.ContainsKey(gone.Id))
        {
            await _table.EndOfAsync(gone.Id, Why(gone)).ConfigureAwait(false);
        }
    }

    private static MeshException Why(RevokedDevice gone) => new(
        TrustErrors.Revoked, $"{(gone.Name.Length > 0 ? gone.Name : gone.Id.ToString())}, which had ordered it, was revoked", "a revoked device has to be paired again before it can have anything run");
}
