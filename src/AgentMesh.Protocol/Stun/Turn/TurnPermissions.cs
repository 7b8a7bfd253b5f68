using System.Net;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// The IP addresses that a server lets through to this device (RFC 8656, section 9): those of devices that it knows, for as long as it does, and those that were sent to,
/// for some minutes. Bounded: an address that is no longer wanted makes room.
/// </summary>
internal sealed class TurnPermissions
{
    /// <summary>In one request; a server must take them all or none.</summary>
    public const int PerRequestMax = 8;

    // RFC 8656: a permission lasts 300 s.
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan UnusedAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RefusedFor = TimeSpan.FromMinutes(10);

    private readonly Dictionary<IPAddress, Permission> _all = [];
    private readonly int _max;

    public TurnPermissions(int max) => _max = max;

    public int Count => _all.Count;

    /// <summary>Granted at the time.</summary>
    public int Granted => _all.Values.Count(permission => permission.IsGranted);

    public bool IsGranted(IPAddress address) => _all.TryGetValue(address, out Permission? permission) && permission.IsGranted;

    /// <summary>Wanted from now on, and used just now.</summary>
    /// <param name="isNew">It is to be asked for.</param>
    /// <returns>False when there is no room.</returns>
    public bool Use(IPAddress address, TimeSpan now, out bool isNew)
    {
        isNew = false;
        if (!_all.TryGetValue(address, out Permission? permission))
        {
            if (_all.Count >= _max && !MakeRoom(now))
            {
                return false;
            }

            _all[address] = permission = new Permission { DueAt = now };
            isNew = true;
        }

        permission.UsedAt = now;
        return true;
    }

    /// <summary>Wanted for as long as they are named here; of more than fit the first.</summary>
    public void Keep(IEnumerable<IPAddress> addresses, TimeSpan now)
    {
        var wanted = addresses.Take(_max).ToHashSet();
        foreach ((IPAddress address, Permission permission) in _all)
        {
            permission.IsKept = wanted.Contains(address);
        }

        foreach (IPAddress address in wanted)
        {
            if (!_all.ContainsKey(address) && (_all.Count < _max || MakeRoom(now)))
            {
                _all[address] = new Permission { DueAt = now, IsKept = true, UsedAt = now };
            }
        }
    }

    /// <summary>Those to ask for now; empty when none are.</summary>
    public IPAddress[] Due(TimeSpan now)
    {
        foreach (IPAddress unused in _all.Where(each => IsUnused(each.Value, now)).Select(each => each.Key).ToArray())
        {
            _all.Remove(unused);
        }

        // What a batch was refused with is asked for one by one.
        KeyValuePair<IPAddress, Permission>[] due = [.. _all.Where(each => each.Value.DueAt <= now).OrderBy(each => each.Value.IsGranted).ThenByDescending(each => each.Value.UsedAt)];
        return due.Length > 0 && due[0].Value.IsAlone ? [due[0].Key] : [.. due.Where(each => !each.Value.IsAlone).Take(PerRequestMax).Select(each => each.Key)];
    }

    public TimeSpan? NextDue => _all.Count == 0 ? null : _all.Values.Min(permission => permission.DueAt);

    public void Granting(IPAddress[] addresses, TimeSpan now)
    {
        foreach (Permission permission in Of(addresses))
        {
            (permission.IsGranted, permission.IsAlone, permission.DueAt) = (true, false, now + RenewAfter);
        }
    }

    public void Refused(IPAddress[] addresses, TimeSpan now)
    {
        foreach (Permission permission in Of(addresses))
        {
            (permission.IsGranted, permission.IsAlone) = (false, addresses.Length > 1);
            permission.DueAt = addresses.Length > 1 ? now : now + RefusedFor;
        }
    }

    /// <summary>The allocation is another one: nothing is granted.</summary>
    public void Forget(TimeSpan now)
    {
        foreach (Permission permission in _all.Values)
        {
            (permission.IsGranted, permission.DueAt) = (false, now);
        }
    }

    private static bool IsUnused(Permission permission, TimeSpan now) => !permission.IsKept && now - permission.UsedAt > UnusedAfter;

    private bool MakeRoom(TimeSpan now)
    {
        IPAddress? unused = _all.Where(each => !each.Value.IsKept && now - each.Value.UsedAt > TimeSpan.FromMinutes(1)).OrderBy(each => each.Value.UsedAt).Select(each => each.Key).FirstOrDefault();
        return unused is not null && _all.Remove(unused);
    }

    private IEnumerable<Permission> Of(IPAddress[] addresses) => addresses.Select(address => _all.GetValueOrDefault(address)).OfType<Permission>();

    private sealed class Permission
    {
        public TimeSpan DueAt { get; set; }

        public TimeSpan UsedAt { get; set; }

        public bool IsGranted { get; set; }

        public bool IsKept { get; set; }

        public bool IsAlone { get; set; }
    }
}
