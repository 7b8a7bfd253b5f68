using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Services;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Trust;

/// <summary>
/// Gives this device another key. The order is such that a crash anywhere leaves it able to go on: the next key is on disk, the registry says that it succeeds, another device has heard that,
/// the next key takes the place of the present one, the node starts again with it. Who has heard takes no connection of the old key any more, who has not none of the new one: so it is told
/// over the old one first. A node that was killed in between does not know whether somebody has heard: it tries the one key and the other in turn until it is connected.
/// </summary>
internal sealed class KeyRotation : IAsyncDisposable
{
    /// <summary>In the data directory once another device knows: from then on only the next key is of use.</summary>
    private const string ToldMark = "identity.told";

    /// <summary>How often nobody could be reached with either key: at odd numbers the next one is tried.</summary>
    private const string AttemptFile = "identity.attempt";

    private static readonly TimeSpan AttemptMin = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan AttemptMax = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly string _dataDirectory;
    private readonly int _attempt;
    private readonly DeviceIdentity _self;
    private readonly DeviceRegistry _registry;
    private readonly Devices _devices;
    private readonly LinkService _links;
    private readonly ConnectionHub _hub;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task<Outcome?>? _running;
    private volatile bool _needNobody;

    /// <summary>Starts the node again when the next key has taken its place and nobody waits for it.</summary>
    private readonly Action _restart;

    public KeyRotation(string dataDirectory, DeviceIdentity self, DeviceRegistry registry, Devices devices, LinkService links, ConnectionHub hub, Action restart, TimeProvider time, ILogger log)
    {
        _restart = restart;
        _dataDirectory = dataDirectory;
        _attempt = AttemptOf(dataDirectory);
        _self = self;
        _registry = registry;
        _devices = devices;
        _links = links;
        _hub = hub;
        _time = time;
        _log = log;
    }

    /// <summary>At the start of a node, before anything else is opened.</summary>
    /// <returns>The key to use, and the one that is to take its place where that is not done yet.</returns>
    /// <exception cref="MeshException">AM0102, AM0103, AM0104.</exception>
    public static (DeviceIdentity Self, DeviceIdentity? Next) Load(string dataDirectory)
    {
        string mark = Path.Combine(dataDirectory, ToldMark);
        if (File.Exists(mark))
        {
            if (IdentityFile.LoadNext(dataDirectory) is not null)
            {
                IdentityFile.TakeNext(dataDirectory);
            }

            Forget(dataDirectory);
        }

        DeviceIdentity self = IdentityFile.LoadOrCreate(dataDirectory, SystemEntropy.Instance);
        DeviceIdentity? next = IdentityFile.LoadNext(dataDirectory);
        return (next is not null && AttemptOf(dataDirectory) % 2 == 1 ? next : self, next);
    }

    /// <summary>Goes on with what an earlier life of the node has begun.</summary>
    public void GoOn(DeviceIdentity next)
    {
        Log.KeyChangeGoesOn(_log);
        if (next.PublicKey != _self.PublicKey)
        {
            RestartAfter(Run(next));
            return;
        }

        lock (_gate)
        {
            _running = TryNextAsync(next);
            _ = _running.ContinueWith(tried =>
            {
                if (tried.Result is null)
                {
                    _restart();
                }
            }, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }

    /// <summary>When it returns, the node has to be started again.</summary>
    /// <param name="needNobody">Not even one other device has to hear of it first.</param>
    /// <exception cref="MeshException">AM0176: the key is in two hands. AM0366: nobody is there to be told, or nobody has answered yet. AM0367, AM0104, AM0331.</exception>
    public async Task<RotatedView> RotateAsync(bool needNobody)
    {
        if (_registry.OwnFork is { } fork)
        {
            // Nobody would believe a key that comes after it.
            throw OwnForkNotice.ProblemOf(fork, _self.Id);
        }

        Task<Outcome?> running;
        lock (_gate)
        {
            _needNobody |= needNobody;
            if (_running is null)
            {
                if (!_needNobody && _registry.Devices.Count > 0 && !_registry.Devices.Keys.Any(_links.IsLinked))
                {
                    throw new MeshException(
                        TrustErrors.NobodyToTell, "no other device of the mesh is connected: nobody would know the new key, and nobody could be reached with it", "repeat it when one is connected; --alone does it all the same, and then each device has to be paired again");
                }

                DeviceIdentity next = IdentityFile.LoadNext(_dataDirectory) ?? _self.CreateSuccessor(SystemEntropy.Instance);
                IdentityFile.WriteNext(_dataDirectory, next);
                running = Run(next);
            }
            else
            {
                running = _running;
            }
        }

        try
        {
            if (await running.WaitAsync(AnswerWithin, _time).ConfigureAwait(false) is not { } outcome)
            {
                RestartAfter(running);
                throw Unheard();
            }

            ILookup<bool, string> names = _devices.All.Where(device => !device.IsSelf).ToLookup(device => outcome.Told.Contains(device.Id), device => device.Name);
            return new RotatedView(_devices.Self.Name, _self.Id.ToString(), TrustService.Fingerprint(_self.PublicKey), TrustService.Fingerprint(outcome.Key), [.. names[true]], [.. names[false]]);
        }
        catch (TimeoutException)
        {
            RestartAfter(running);
            throw Unheard();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running is { } running)
        {
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stop.Dispose();
    }

    private static MeshException Unheard() => new(
        TrustErrors.NobodyToTell, "no other device has said yet that it knows the new key", "it goes on by itself as soon as one is connected; --alone does not wait for that, and then each device that has not heard has to be paired again");

    private static int AttemptOf(string dataDirectory)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Path.Combine(dataDirectory, AttemptFile)), NumberStyles.None, CultureInfo.InvariantCulture, out int attempt) ? attempt : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static void Forget(string dataDirectory)
    {
        File.Delete(Path.Combine(dataDirectory, ToldMark));
        File.Delete(Path.Combine(dataDirectory, AttemptFile));
    }

    private TimeSpan Patience => TimeSpan.FromTicks(Math.Min(AttemptMax.Ticks, AttemptMin.Ticks << Math.Min(_attempt, 8)));

    private void RestartAfter(Task<Outcome?> running) =>
        _ = running.ContinueWith(_ => _restart(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private Task<Outcome?> Run(DeviceIdentity next)
    {
        lock (_gate)
        {
            Task<Outcome?> running = RunAsync(next);
            _running = running.IsFaulted ? null : running;
            return running;
        }
    }

    /// <returns>Null: nobody could be reached, and the other key is to be tried.</returns>
    private async Task<Outcome?> RunAsync(DeviceIdentity next)
    {
        // Who has heard closes the connection, often before it says what it knows.
        Dictionary<DeviceId, IMeshConnection?> asked = _registry.Devices.Keys.Where(_links.IsLinked).ToDictionary(id => id, _hub.Find);
        _registry.Succeed(next);
        HashSet<DeviceId> told = [];
        long start = _time.GetTimestamp(), reached = start;
        long? first = null;
        while (_registry.Devices.Count > 0 && !(_needNobody && (asked.Count == 0 || _time.GetElapsedTime(start) > ToldWithin)))
        {
            foreach (DeviceId id in _registry.Devices.Keys.Where(_links.IsLinked))
            {
                asked.TryAdd(id, _hub.Find(id));
                reached = _time.GetTimestamp();
            }

            told.UnionWith(asked.Keys.Where(Knows));
            if (told.Count > 0 && first is null)
            {
                first = _time.GetTimestamp();
                await File.WriteAllBytesAsync(Path.Combine(_dataDirectory, ToldMark), [], _stop.Token).ConfigureAwait(false);
            }

            if ((first is { } since && _time.GetElapsedTime(since) > ToldWithin) || (told.Count > 0 && asked.Keys.All(told.Contains)))
            {
                break;
            }

            if (told.Count == 0 && _time.GetElapsedTime(reached) > Patience)
            {
                return TryOther();
            }

            await Task.Delay(LookEvery, _time, _stop.Token).ConfigureAwait(false);
        }

        return Done(next, told);

        bool Knows(DeviceId id) => _links.HeadOf(id, next.PublicKey.Id) > 0 || (asked[id]?.Closed is { IsCompletedSuccessfully: true } closed && closed.Result.ByRemote);
    }

    /// <summary>This node runs with the next key: whoever lets it in has heard of it.</summary>
    private async Task<Outcome?> TryNextAsync(DeviceIdentity next)
    {
        long start = _time.GetTimestamp();
        while (!_needNobody && _registry.Devices.Count > 0 && !_registry.Devices.Keys.Any(_links.IsLinked))
        {
            if (_time.GetElapsedTime(start) > Patience)
            {
                return TryOther();
            }

            await Task.Delay(LookEvery, _time, _stop.Token).ConfigureAwait(false);
        }

        return Done(next, _registry.Devices.Keys.Where(_links.IsLinked).ToHashSet());
    }

    private Outcome? TryOther()
    {
        File.WriteAllText(Path.Combine(_dataDirectory, AttemptFile), (_attempt + 1).ToString(CultureInfo.InvariantCulture));
        return null;
    }

    private Outcome Done(DeviceIdentity next, IReadOnlySet<DeviceId> told)
    {
        IdentityFile.TakeNext(_dataDirectory);
        Forget(_dataDirectory);
        Log.KeyChanged(_log, TrustService.Fingerprint(next.PublicKey));
        return new Outcome(next.PublicKey, told);
    }

    private sealed record Outcome(DevicePublicKey Key, IReadOnlySet<DeviceId> Told);
}
