using AgentMesh.Errors;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Pairing;

/// <summary>
/// The invitations of this device with their grants and guests, in memory and on disk (ADR 45). That one was used is on disk before anybody is let in by it. What stands for a proven code lives half
/// a minute and stays in memory, as codes do. Thread-safe.
/// </summary>
internal sealed class KeptInvitations
{
    /// <summary>For how long after its end an invitation is remembered across restarts, so that who holds it is told what became of it.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(7);

    private readonly Lock _gate = new();
    private readonly Dictionary<InvitationId, KeptInvitation> _kept;
    private readonly InvitationFile _file;
    private readonly DevicePublicKey _key;
    private readonly ILogger _log;

    private KeptInvitations(InvitationFile file, DevicePublicKey key, IEnumerable<KeptInvitation> kept, int openMax, ILogger log)
    {
        (_file, _key, _log) = (file, key, log);
        _kept = kept.DistinctBy(each => each.Secret.Id).ToDictionary(each => each.Secret.Id);
        Book = new InvitationBook(_kept.Values.Select(each => new InvitationRecord(each.Secret, each.ExpiresAt, each.UsedBy)), openMax);
    }

    public InvitationBook Book { get; }

    /// <summary>Those that are remembered, newest first.</summary>
    public IReadOnlyList<KeptInvitation> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _kept.Values.OrderByDescending(each => each.MadeAt)];
            }
        }
    }

    /// <param name="registry">Who is or was in it has been let in already.</param>
    /// <exception cref="MeshException">AM0181: the file cannot be read or written.</exception>
    public static KeptInvitations Open(string path, DevicePublicKey key, DeviceRegistry registry, int openMax, TimeProvider time, ILogger log)
    {
        var file = new InvitationFile(path);
        DateTimeOffset now = time.GetUtcNow();
        IReadOnlyList<KeptInvitation> read = file.Read(key);
        if (file.Ignored > 0)
        {
            Log.InvitationsIgnored(log, NodeErrors.InvitationsIgnored, file.Ignored, path);
        }

        // A mark that could not be taken away must not bring back who was put out since.
        return new KeptInvitations(
            file,
            key,
            read.Where(each => each.ExpiresAt + RememberedFor > now).Select(each => each.IsPending && registry.FindEver(each.UsedBy.Id.ToString()).Count > 0 ? each with { IsPending = false } : each),
            openMax,
            log);
    }

    /// <summary>A new invitation; on disk when it returns.</summary>
    /// <exception cref="MeshException">AM0113: too many are open. AM0181: it cannot be written; then there is none.</exception>
    public KeptInvitation Create(IReadOnlyCollection<string> grants, DateTimeOffset now, TimeSpan lifetime)
    {
        lock (_gate)
        {
            InvitationSecret secret = Book.Create(now, lifetime, SystemEntropy.Instance);
            var made = new KeptInvitation(secret, now, DateTimeOffset.FromUnixTimeSeconds((now + lifetime).ToUnixTimeSeconds()), grants);
            _kept[secret.Id] = made;
            try
            {
                Write();
            }
            catch (MeshException)
            {
                Book.Remove(secret.Id);
                _kept.Remove(secret.Id);
                throw;
            }

            return made;
        }
    }

    /// <summary>Uses an invitation up, once; on disk when it returns true. Where that cannot be written, nobody comes in by it.</summary>
    public bool TryTake(InvitationId id, DevicePublicKey by, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (!Book.TryTake(id, by, now))
            {
                return false;
            }

            InvitationId root = Book.RootOf(id);
            if (!_kept.TryGetValue(root, out KeptInvitation? before))
            {
                return true; // the book has forgotten what a proven code stood for; nothing of that is on disk
            }

            _kept[root] = before with { UsedBy = by, IsPending = true };
            try
            {
                Write();
                return true;
            }
            catch (MeshException error)
            {
                Log.InvitationNotTaken(_log, error.Code, error.Message);
                _kept[root] = before;
                Book.Reopen(id);
                return false;
            }
        }
    }

    /// <summary>Who used an invitation is in the registry by now.</summary>
    /// <returns>Null where it is forgotten.</returns>
    public KeptInvitation? Admitted(InvitationId id, string name, string checkDigits)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(id, out KeptInvitation? used))
            {
                return null;
            }

            _kept[id] = used = used with { IsPending = false, Name = name, CheckDigits = checkDigits };
            try
            {
                Write();
            }
            catch (MeshException error)
            {
                // The next one that is written takes the mark away, and so does the next start.
                Log.InvitationNotTaken(_log, error.Code, error.Message);
            }

            return used;
        }
    }

    public KeptInvitation? Find(InvitationId id)
    {
        lock (_gate)
        {
            return _kept.GetValueOrDefault(id);
        }
    }

    private void Write()
    {
        HashSet<InvitationId> known = [.. Book.Records.Select(record => record.Secret.Id)];
        foreach (InvitationId forgotten in _kept.Keys.Where(id => !known.Contains(id)).ToArray())
        {
            _kept.Remove(forgotten);
        }

        _file.Write(_key, _kept.Values);
    }
}
