using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Protocol.Identity;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Attempts;

/// <summary>
/// The attempts of this device, running and just ended. It lives outside the actor system: when that starts over to join other devices, the
/// next one finds its attempts here. Thread-safe.
/// </summary>
/// <remarks>An attempt leaves the table when its home has journalled the end and has all of its output.</remarks>
public sealed class ExecutionTable : IAsyncDisposable
{
    /// <summary>Attempts that have left and are known still, the newest of them.</summary>
    private const int PastMax = 10_000;

    private readonly ConcurrentDictionary<AttemptKey, Execution> _byKey = new();
    private readonly ConcurrentDictionary<JobId, ImmutableArray<AttemptKey>> _ofJob = new();
    private readonly ExecutionTools _tools;
    private readonly string _spoolDirectory;
    private readonly long _spoolBytesMax;
    private readonly AttemptAdmission _admission;
    private readonly Lock _gate = new();
    private readonly HashSet<AttemptKey> _past = [];
    private readonly Queue<AttemptKey> _pastInOrder = [];

    public ExecutionTable(ExecutionTools tools, string spoolDirectory, long spoolBytesMax, AdmissionSettings admission)
    {
        _tools = tools;
        _spoolDirectory = spoolDirectory;
        _spoolBytesMax = spoolBytesMax;
        _admission = new AttemptAdmission(admission, tools.DeviceName, tools.Time);
    }

    /// <summary>Raised for every new attempt of a program, so that its output can be shipped.</summary>
    public event Action<Execution>? Started;

    /// <summary>Raised for every new attempt that a handler answers.</summary>
    public event Action? Called;

    public int Running => _byKey.Values.Count(execution => execution.HasStarted && !execution.Ended.IsCompleted);

    /// <summary>What is in use, and what waits.</summary>
    public AdmissionState Admission => _admission.State;

    public IReadOnlyCollection<Execution> All => [.. _byKey.Values];

    /// <summary>Whether <see cref="DisposeAsync"/> ends programs that would go on without the node.</summary>
    public bool EndsAll { get; set; }

    /// <summary>The attempt with this key: started now, or the one that is there already.</summary>
    /// <exception cref="MeshException">AM0609: too many wait already. AM0610: its output cannot be kept. AM0630: it asks for more than there is.</exception>
    public Execution StartOrGet(AttemptOrder order)
    {
        Execution execution;
        lock (_gate)
        {
            if (_byKey.TryGetValue(order.Key, out Execution? existing))
            {
                return existing;
            }

            Task turn = _admission.Enter(order);
            try
            {
                execution = new Execution(order, order.IsProgram ? OpenSpool(order.Key) : null, _tools);
            }
            catch (MeshException)
            {
                _admission.Leave(order.Key);
                throw;
            }

            execution.Begin(_tools, _admission, turn);
            Put(execution);
        }

        if (execution.Spool is not null)
        {
            Started?.Invoke(execution);
        }
        else
        {
            Called?.Invoke();
        }

        return execution;
    }

    /// <summary>What limits call it: the name of its handler, or <c>run</c> for a program; the first word where there is no such handler.</summary>
    public string CommandOf(AttemptOrder order) =>
        order.IsProgram ? "run" : _tools.Handlers.TryFind(order.Line, out ICommandHandler? handler, out _) ? handler.Name : order.Line.Split(' ', 2)[0];

    public bool TryGet(AttemptKey key, out Execution execution) => _byKey.TryGetValue(key, out execution!);

    /// <summary>The attempts of one job, ended ones too.</summary>
    public IReadOnlyList<AttemptKey> AttemptsOf(JobId job) => _ofJob.GetValueOrDefault(job, []);

    /// <summary>
    /// It was here and has left the table: an order for it comes late, for example from a member of a pool that kept the job before another did, and must not
    /// begin it a second time. Those of earlier processes are told by the number of the node's life.
    /// </summary>
    public bool IsPast(AttemptKey key)
    {
        lock (_past)
        {
            return _past.Contains(key);
        }
    }

    /// <summary>The home has journalled the end of the attempt.</summary>
    public void AcknowledgeEnd(AttemptKey key)
    {
        if (_byKey.TryGetValue(key, out Execution? execution))
        {
            execution.IsAcknowledged = true;
            RemoveWhenDone(execution);
        }
    }

    /// <summary>To be called after output was acknowledged.</summary>
    public void RemoveWhenDone(Execution execution)
    {
        if (execution is { IsAcknowledged: true, HasShipped: true, Ended.IsCompleted: true })
        {
            Drop(execution);
        }
    }

    /// <summary>Nobody wants it any more: a newer attempt runs, or its job is gone. Ends it and drops its output.</summary>
    public async Task AbandonAsync(AttemptKey key)
    {
        if (_byKey.TryGetValue(key, out Execution? execution))
        {
            execution.Cancel();
            await execution.Ended.ConfigureAwait(false);
            Drop(execution);
        }
    }

    /// <summary>The attempts that a device has ordered and that have not ended.</summary>
    public IReadOnlyList<AttemptKey> OrderedBy(DeviceId device) => [.. Of(device).Where(execution => !execution.Ended.IsCompleted).Select(execution => execution.Order.Key)];

    /// <summary>Ends every attempt that a device has ordered. Where it keeps the job itself nobody is left who could be told, so the output goes too.</summary>
    public async Task EndOfAsync(DeviceId device, MeshException why)
    {
        Execution[] all = [.. Of(device)];
        foreach (Execution execution in all)
        {
            execution.GiveUp(why);
        }

        foreach (Execution execution in all)
        {
            await execution.Ended.ConfigureAwait(false);
            if (execution.Order.Key.Job.Home == device)
            {
                Drop(execution);
            }
        }
    }

    private IEnumerable<Execution> Of(DeviceId device) => _byKey.Values.Where(execution => execution.Order.Key.Job.Home == device || execution.Order.Caller.Device == device);

    /// <summary>Takes over what earlier processes of this node have left, before anybody asks for it: what runs in its shim, and what has ended.</summary>
    public TakenOver TakeOver()
    {
        int running = 0, ended = 0, dropped = 0;
        foreach (FoundAttempt found in FoundAttempt.In(_spoolDirectory, _tools.ShimProcesses, ref dropped))
        {
            try
            {
                var execution = new Execution(found.Order, AttemptSpool.Open(found.Directory, _spoolBytesMax), _tools);
                execution.TakeOver(_tools, _admission, found);
                Put(execution);
                _ = found.End is null ? running++ : ended++;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                found.Drop(_tools.ShimProcesses);
                dropped++;
            }
        }

        AttemptFolder.Sweep(_tools, _byKey.Keys);
        dropped += _tools.Cgroups?.Sweep(_byKey.Keys.Select(NameOf).ToHashSet(StringComparer.Ordinal)) ?? 0;
        return new TakenOver(running, ended, dropped);
    }

    /// <summary>Ends every attempt, but for programs that are to go on without the node; homes will notice and try again elsewhere or later.</summary>
    public async ValueTask DisposeAsync()
    {
        bool keeps = _tools.Shims is { KeepOnStop: true } && !EndsAll;
        foreach (Execution execution in _byKey.Values)
        {
            if (keeps && execution.TryLeave())
            {
                TryTake(execution.Order.Key);
                execution.Spool!.Dispose();
            }
            else
            {
                execution.Cancel();
            }
        }

        foreach (Execution execution in _byKey.Values)
        {
            await execution.Ended.ConfigureAwait(false);
            execution.Spool?.Dispose();
        }

        _tools.Cgroups?.Leave();
    }

    private void Put(Execution execution)
    {
        AttemptKey key = execution.Order.Key;
        _byKey[key] = execution;
        _ofJob.AddOrUpdate(key.Job, [key], (_, others) => others.Contains(key) ? others : others.Add(key));
    }

    private bool TryTake(AttemptKey key)
    {
        bool wasHere = _byKey.TryRemove(key, out _);
        while (wasHere && _ofJob.TryGetValue(key.Job, out ImmutableArray<AttemptKey> all))
        {
            ImmutableArray<AttemptKey> left = all.Remove(key);
            if (left.IsEmpty ? _ofJob.TryRemove(KeyValuePair.Create(key.Job, all)) : _ofJob.TryUpdate(key.Job, left, all))
            {
                break;
            }
        }

        return wasHere;
    }

    private void Drop(Execution execution)
    {
        // Before it leaves the table: who does not find it there any more finds it here.
        Remember(execution.Order.Key);
        if (TryTake(execution.Order.Key) && execution.Spool is { } spool)
        {
            spool.Dispose();
            AttemptFolder.Remove(execution.Order, _tools);
            try
            {
                // First what names the attempt: should the rest not go now, the next start knows that nobody wants it.
                File.Delete(Path.Combine(spool.Directory, ShimFiles.Order));
            }
            catch (IOException)
            {
                // Nor does this, then.
            }

            Leftovers.Remove(spool.Directory);
        }
    }

    private void Remember(AttemptKey key)
    {
        lock (_past)
        {
            if (!_past.Add(key))
            {
                return;
            }

            _pastInOrder.Enqueue(key);
            if (_pastInOrder.Count > PastMax)
            {
                _past.Remove(_pastInOrder.Dequeue());
            }
        }
    }

    private AttemptSpool OpenSpool(AttemptKey key)
    {
        try
        {
            return AttemptSpool.Open(Path.Combine(_spoolDirectory, NameOf(key)), _spoolBytesMax);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(WorkerErrors.SpoolFailed, $"the output of {key} cannot be kept on {_tools.DeviceName}: {error.Message}", "free space in its data directory", error);
        }
    }

    // A job id holds slashes and comes from another device: its hash is a safe file name.
    internal static string NameOf(AttemptKey key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString())))[..32];
}
