using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Workers.Limits;

/// <summary>Why an attempt does not begin now, and after how long it may come again.</summary>
public readonly record struct Limited(MeshException Problem, TimeSpan ComeAgainAfter);

/// <summary>Counts what the other devices have run here. Thread-safe; lives as long as the node, so that a change of the cluster gives nothing away.</summary>
public sealed class RateLimiter(LimitSettings settings, DeviceId self, string deviceName, TimeProvider time)
{
    /// <summary>Devices and commands that are remembered: those whose tokens are all there are forgotten first, then whoever came longest ago.</summary>
    public const int BucketsMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(DeviceId Peer, string Command), TokenBucket> _buckets = [];
    private readonly Queue<(DeviceId Peer, string Command)> _order = [];
    private readonly long _start = time.GetTimestamp();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _buckets.Count;
            }
        }
    }

    /// <summary>Takes a token of the device and one of its command; neither where one of them is missing.</summary>
    /// <param name="command">Name of the handler, or <c>run</c>.</param>
    /// <returns>Null where it may begin.</returns>
    public Limited? Take(DeviceId peer, string peerName, string command)
    {
        RateLimit? ofCommand = settings.PerCommand.GetValueOrDefault(command);
        if (peer == self || (settings.PerPeer is null && ofCommand is null))
        {
            return null;
        }

        lock (_gate)
        {
            TimeSpan now = time.GetElapsedTime(_start);
            TokenBucket? peers = settings.PerPeer is { } perPeer ? BucketOf((peer, ""), perPeer, now) : null;
            TokenBucket? commands = ofCommand is null ? null : BucketOf((peer, command), ofCommand, now);
            if (peers?.HasToken(now) == false)
            {
                return Refusal(peerName, "commands", settings.PerPeer!, peers.Promise(now));
            }

            if (commands?.HasToken(now) == false)
            {
                return Refusal(peerName, $"times '{command}'", ofCommand!, commands.Promise(now));
            }

            peers?.Take();
            commands?.Take();
            return null;
        }
    }

    private Limited Refusal(string peerName, string what, RateLimit limit, TimeSpan after) => new(
        new MeshException(
            WorkerErrors.TooMany,
            string.Create(CultureInfo.InvariantCulture, $"{deviceName} takes {limit.PerMinute:0.##} {what} a minute from {peerName}, {limit.Burst} in a row; come again in {Math.Ceiling(after.TotalSeconds * 10) / 10:0.#} s"),
            $"nothing needs to be done: the job is tried again then; agentmesh.limits on {deviceName} says how many it takes"),
        after);

    private TokenBucket BucketOf((DeviceId Peer, string Command) key, RateLimit limit, TimeSpan now)
    {
        if (_buckets.TryGetValue(key, out TokenBucket? known))
        {
            return known;
        }

        if (_buckets.Count >= BucketsMax)
        {
            Forget(now);
        }

        var fresh = new TokenBucket(limit, now);
        _buckets[key] = fresh;
        _order.Enqueue(key);
        return fresh;
    }

    private void Forget(TimeSpan now)
    {
        foreach ((DeviceId Peer, string Command) key in _buckets.Where(each => each.Value.IsFull(now)).Select(static each => each.Key).ToArray())
        {
            _buckets.Remove(key);
        }

        while (_buckets.Count >= BucketsMax)
        {
            _buckets.Remove(_order.Dequeue());
        }

        (DeviceId Peer, string Command)[] left = [.. _order.Where(_buckets.ContainsKey)];
        _order.Clear();
        Array.ForEach(left, _order.Enqueue);
    }
}
