using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing;

/// <summary>
/// The invitations that this device gave out. Each is used at most once and only until it expires. Used and expired ones are remembered for a while, so that who
/// holds such a link is told what happened to it; to everybody else this device stays silent. Thread-safe.
/// </summary>
public sealed class InvitationBook
{
    /// <summary>Invitations open at one time, if nothing else is said; <see cref="Create"/> refuses more. As many as a beacon lets a device be met by.</summary>
    public const int OpenMax = 32;

    /// <summary>Invitations remembered in all; the one that expired first is forgotten first.</summary>
    public const int RememberedMax = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<InvitationId, InvitationRecord> _records = [];

    private readonly int _openMax;

    /// <param name="openMax">More than <see cref="OpenMax"/> counts as that.</param>
    public InvitationBook(IEnumerable<InvitationRecord>? records = null, int openMax = OpenMax)
    {
        _openMax = Math.Min(openMax, OpenMax);
        foreach (InvitationRecord record in records ?? [])
        {
            _records[record.Secret.Id] = record;
        }

        Trim();
    }

    /// <summary>The invitations as they are now, for storage after <see cref="Create"/> and after a successful <see cref="TryTake"/>.</summary>
    public IReadOnlyList<InvitationRecord> Records
    {
        get
        {
            lock (_gate)
            {
                return [.. _records.Values];
            }
        }
    }

    /// <summary>Makes and remembers a new secret.</summary>
    /// <exception cref="MeshException">AM0113: as many are open as may be.</exception>
    public InvitationSecret Create(DateTimeOffset now, TimeSpan lifetime, IEntropy entropy)
    {
        lock (_gate)
        {
            int open = _records.Values.Count(r => r.Of.IsNone && StatusOf(r, now) == InvitationStatus.Open);
            if (open >= _openMax)
            {
                throw new MeshException(
                    ProtocolErrors.TooManyInvitations,
                    $"{open} invitations are open, which is the most that is allowed at one time",
                    "Use one of them, or wait until one expires.");
            }

            InvitationSecret secret = InvitationSecret.Next(entropy);
            _records.Add(secret.Id, new InvitationRecord(secret, now + lifetime, default));
            Trim();
            return secret;
        }
    }

    /// <summary>Lets a device that has proven the code of <paramref name="invitation"/> use that invitation with a secret that only it knows.</summary>
    /// <returns>False when the invitation is not open.</returns>
    public bool TryNarrow(InvitationId invitation, InvitationSecret secret, DevicePublicKey onlyFor, TimeSpan lifetime, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (!_records.TryGetValue(invitation, out InvitationRecord record) || StatusOf(record, now) != InvitationStatus.Open)
            {
                return false;
            }

            _records[secret.Id] = new InvitationRecord(secret, now + lifetime, default) { Of = invitation, OnlyFor = onlyFor };
            Trim();
            return true;
        }
    }

    /// <summary>The invitation that a link was made of: <paramref name="id"/> itself, or the one that it stands for.</summary>
    public InvitationId RootOf(InvitationId id)
    {
        lock (_gate)
        {
            return _records.TryGetValue(id, out InvitationRecord record) && !record.Of.IsNone ? record.Of : id;
        }
    }

    /// <inheritdoc cref="IAdmission.FindInvitation"/>
    public InvitationLookup Find(InvitationId id, DateTimeOffset now)
    {
        lock (_gate)
        {
            return _records.TryGetValue(id, out InvitationRecord record)
                ? new InvitationLookup(StatusOf(record, now), record.Secret)
                : new InvitationLookup(InvitationStatus.Unknown, default);
        }
    }

    /// <inheritdoc cref="IAdmission.TryTakeInvitation"/>
    public bool TryTake(InvitationId id, DevicePublicKey by, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (by.IsNone || !_records.TryGetValue(id, out InvitationRecord record) || StatusOf(record, now) != InvitationStatus.Open)
            {
                return false;
            }

            if (!record.OnlyFor.IsNone && record.OnlyFor != by)
            {
                return false;
            }

            _records[id] = record with { UsedBy = by };
            if (_records.TryGetValue(record.Of, out InvitationRecord root))
            {
                _records[record.Of] = root with { UsedBy = by };
            }

            return true;
        }
    }

    /// <summary>Takes back that an invitation was used: nobody was told, because it could not be kept.</summary>
    public void Reopen(InvitationId id)
    {
        lock (_gate)
        {
            if (_records.TryGetValue(id, out InvitationRecord record))
            {
                _records[id] = record with { UsedBy = default };
                if (_records.TryGetValue(record.Of, out InvitationRecord root))
                {
                    _records[record.Of] = root with { UsedBy = default };
                }
            }
        }
    }

    /// <summary>Forgets an invitation that nobody was given.</summary>
    public void Remove(InvitationId id)
    {
        lock (_gate)
        {
            _records.Remove(id);
        }
    }

    private InvitationStatus StatusOf(InvitationRecord record, DateTimeOffset now)
    {
        bool isRoot = record.Of.IsNone;
        return record.IsUsed ? InvitationStatus.Used
            : record.ExpiresAt <= now ? InvitationStatus.Expired
            : isRoot ? InvitationStatus.Open
            : _records.TryGetValue(record.Of, out InvitationRecord root) ? StatusOf(root, now)
            : InvitationStatus.Expired;
    }

    private void Trim()
    {
        foreach (InvitationId id in _records.OrderBy(r => r.Value.ExpiresAt).Take(_records.Count - RememberedMax).Select(r => r.Key).ToList())
        {
            _records.Remove(id);
        }
    }
}
