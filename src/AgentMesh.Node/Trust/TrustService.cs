using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Services;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Node.Trust;

/// <summary>Whom this device trusts, since when and by whose word; and what happens at once when that ends.</summary>
internal sealed class TrustService(DeviceIdentity self, DeviceRegistry registry, DeviceDirectory directory, Devices devices, LinkService links, ConnectionHub hub, ExecutionTable table, RevocationKeeper keeper, TimeProvider time)
{
    private const int IdPrefixMin = 8;

    /// <summary>Of those that others have let in and this device has not.</summary>
    private const int RefusedShownMax = 200;

    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcknowledgedWithin = TimeSpan.FromSeconds(10);

    public IReadOnlyList<DeviceView> List() =>
    [
        .. devices.All.Select(ViewOf),
        .. registry.Forked.Values.OrderBy(fork => fork.Name, StringComparer.Ordinal).Select(fork => new DeviceView(
            null, fork.Name, fork.Id.ToString(), Fingerprint(fork.Key), false, "forked", null, null, null, directory.LastSeen(fork.Id), [])
        {
            Claims = [.. fork.Claims.Select(claim => new KeyClaimView(Fingerprint(claim.Key), claim.At))],
        }),
        .. registry.Refused.Values.Where(refused => !registry.Revoked.ContainsKey(refused.Id)).OrderBy(refused => refused.At).Take(RefusedShownMax).Select(refused => new DeviceView(
            null, refused.Name, refused.Id.ToString(), Fingerprint(refused.Key), false, "introduced", NameOf(refused.By), refused.By.ToString(), refused.At, null, [])),
        .. registry.Revoked.Values.OrderBy(gone => gone.At).Select(gone => new DeviceView(
            null, gone.Name.Length > 0 ? gone.Name : gone.Id.ToString()[..12], gone.Id.ToString(), Fingerprint(gone.Key), false, "revoked", null, null, null, directory.LastSeen(gone.Id), [], NameOf(gone.By), gone.At)),
    ];

    /// <param name="selector">Null for everybody; also the beginning of the id of a device that is not known any more.</param>
    /// <exception cref="MeshException">AM0302, AM0303.</exception>
    public IReadOnlyList<ConnectionView> History(ConnectionHistory history, string? selector, int most)
    {
        DateTimeOffset now = time.GetUtcNow();
        return [.. history.Read(Wanted(), most).Select(past => new ConnectionView(
            NameOf(past.Device),
            past.Device.ToString(),
            past.IsOpen ? "open" : "ended",
            past.OpenedAt,
            past.ClosedAt,
            past.ClosedAt is not null || past.IsOpen ? Math.Max(0, ((past.ClosedAt ?? now) - past.OpenedAt).TotalSeconds) : null,
            past.IsInitiator,
            past.Paths,
            past.Why))];

        Func<DeviceId, bool> Wanted()
        {
            if (selector is null)
            {
                return static _ => true;
            }

            try
            {
                DeviceId one = devices.One(selector).Id;
                return device => device == one;
            }
            catch (MeshException unknown) when (unknown.Code == Mesh.MeshErrors.UnknownPeer && selector.Length >= IdPrefixMin && history.Read(Begins, 1).Count > 0)
            {
                return Begins;
            }
        }

        bool Begins(DeviceId device) => device.ToString().StartsWith(selector!, StringComparison.OrdinalIgnoreCase);
    }

    /// <exception cref="MeshException">AM0302, AM0303.</exception>
    public DeviceView Show(string selector)
    {
        DeviceView[] gone = [.. List().Where(view => view.State is "revoked" or "forked" or "introduced" && (view.Name == selector || (selector.Length >= IdPrefixMin && view.Id.StartsWith(selector, StringComparison.OrdinalIgnoreCase))))];
        return gone.Length == 1 && devices.All.All(device => device.Name != selector) ? gone[0] : ViewOf(devices.One(selector));
    }

    /// <exception cref="MeshException">AM0302, AM0303, AM0208: it is this device.</exception>
    public async Task<RevokedView> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        // Who cannot be told goes first: the others hear of it while they are in themselves.
        DeviceId[] which = request is { All: true, Peer: null } ? [.. registry.Devices.Keys.OrderBy(links.IsLinked)]
            : request is { All: false, Peer: { } peer } ? [Find(peer)]
            : throw new MeshException(NodeErrors.ControlRequest, "either 'peer' or 'all' is needed", "see docs/control-api.md");
        var gone = new List<RevokedDeviceView>();
        IReadOnlyList<string> told = [], untold = [];
        foreach (DeviceId id in which)
        {
            RegisteredDevice? known = registry.Devices.GetValueOrDefault(id);
            bool wasLinked = links.IsLinked(id);
            string[] jobs = [.. table.OrderedBy(id).Select(key => key.Job.ToString()).Distinct()];
            string name = devices.All.FirstOrDefault(device => device.Id == id)?.Name ?? id.ToString()[..12];
            registry.Revoke([id]);
            gone.Add(new RevokedDeviceView(name, id.ToString(), known is null ? [] : [.. known.Grants], wasLinked, jobs));
            (told, untold) = await ToldAsync(cancellationToken).ConfigureAwait(false);
        }

        await Task.WhenAny(keeper.Ended, Task.Delay(EndWithin, time, cancellationToken)).ConfigureAwait(false);
        return new RevokedView(gone, told, untold);
    }

    /// <summary>
    /// The key of this device may be in other hands: tells everybody who can be reached to put this device out, ends what the others have here, and destroys the key. Needs nobody's answer.
    /// </summary>
    /// <exception cref="MeshException">AM0150: nothing can be written.</exception>
    public async Task<CompromisedView> GiveUpAsync(string dataDirectory)
    {
        string oldData = BurntIdentity.Mark(dataDirectory, self.Id, time.GetUtcNow());
        NamedDevice[] others = [.. devices.All.Where(device => !device.IsSelf)];
        Dictionary<DeviceId, IMeshConnection?> linked = others.Select(device => device.Id).Where(links.IsLinked).ToDictionary(id => id, hub.Find);
        Said(() => registry.Revoke([self.Id]));
        ulong last = registry.Heads().GetValueOrDefault(registry.OwnKey.Id);
        foreach (IMeshConnection connection in linked.Values.OfType<IMeshConnection>())
        {
            // The end of its link may be news before the connection says which side ended it.
            _ = connection.Closed.ContinueWith(_ => links.News.Tell(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        await links.News.UntilAsync(() => linked.Keys.All(Knows), AcknowledgedWithin).ConfigureAwait(false);
        HashSet<DeviceId> acknowledged = [.. linked.Keys.Where(Knows)];
        var jobs = new List<string>();
        var ending = new List<Task>();
        foreach (NamedDevice other in others)
        {
            jobs.AddRange(table.OrderedBy(other.Id).Select(key => key.Job.ToString()).Distinct());
            Said(() => registry.Forget(other.Id));
            ending.Add(table.EndOfAsync(other.Id, new MeshException(TrustErrors.Revoked, "this device has given its key up", "have it run elsewhere")));
        }

        BurntIdentity.DestroyKey(dataDirectory);
        await Task.WhenAny(Task.WhenAll(ending), Task.Delay(EndWithin, time)).ConfigureAwait(false);
        return new CompromisedView(
            devices.Self.Name,
            self.Id.ToString(),
            [.. others.Where(other => acknowledged.Contains(other.Id)).Select(other => other.Name)],
            [.. others.Where(other => !acknowledged.Contains(other.Id)).Select(other => other.Name)],
            jobs,
            oldData);

        // Who has put this device out closes the connection, often before it says what it knows.
        bool Knows(DeviceId id) => links.HeadOf(id, registry.OwnKey.Id) >= last || (linked[id]?.Closed is { IsCompletedSuccessfully: true } closed && closed.Result.ByRemote);
    }

    /// <summary>A full disk keeps nobody from giving the key up.</summary>
    private static void Said(Action say)
    {
        try
        {
            say();
        }
        catch (MeshException)
        {
            // The others are not told, or the device stays in a registry that is not used again.
        }
    }

    /// <summary>Who has the last word of this device by now, and who will be told when it is here again.</summary>
    private async Task<(IReadOnlyList<string> Told, IReadOnlyList<string> Untold)> ToldAsync(CancellationToken cancellationToken)
    {
        ulong last = registry.Heads().GetValueOrDefault(registry.OwnKey.Id);
        await links.News.UntilAsync(() => registry.Devices.Keys.All(id => !links.IsLinked(id) || links.HeadOf(id, registry.OwnKey.Id) >= last), ToldWithin, cancellationToken).ConfigureAwait(false);
        ILookup<bool, string> names = devices.All.Where(device => !device.IsSelf).ToLookup(device => links.HeadOf(device.Id, registry.OwnKey.Id) >= last, device => device.Name);
        return ([.. names[true]], [.. names[false]]);
    }

    /// <summary>Also one that is forgotten here already, by its id.</summary>
    private DeviceId Find(string selector)
    {
        try
        {
            return devices.One(selector) is { IsSelf: false } device
                ? device.Id
                : throw new MeshException(NodeErrors.ControlRequest, "this device cannot revoke itself", "'agentmesh compromised' gives its key up");
        }
        catch (MeshException unknown) when (unknown.Code == Mesh.MeshErrors.UnknownPeer && selector.Length >= IdPrefixMin && registry.FindEver(selector) is [{ } only] && only != self.Id)
        {
            return only;
        }
    }

    private DeviceView ViewOf(NamedDevice device)
    {
        if (device.IsSelf)
        {
            OwnFork? fork = registry.OwnFork;
            return new DeviceView(device.Index, device.Name, device.Id.ToString(), Fingerprint(self.PublicKey), true, fork is null ? "connected" : "forked", null, null, null, time.GetUtcNow(), [.. Grant.All])
            {
                KeySince = registry.OwnKeySince,
                Claims = fork is null ? [] : [new KeyClaimView(Fingerprint(fork.Key), fork.At)],
            };
        }

        RegisteredDevice? known = registry.Devices.GetValueOrDefault(device.Id);
        bool isLinked = links.IsLinked(device.Id);
        return new DeviceView(
            device.Index,
            device.Name,
            device.Id.ToString(),
            known is null ? "" : Fingerprint(known.Key),
            false,
            isLinked ? "connected" : links.IsConnecting(device.Id) ? "connecting" : links.Problem(device.Id) is null ? "disconnected" : "failed",
            known is null ? null : NameOf(known.AdmittedBy),
            known?.AdmittedBy.ToString(),
            known?.AdmittedAt,
            isLinked ? time.GetUtcNow() : directory.LastSeen(device.Id),
            known is null ? [] : [.. known.Grants])
        {
            KeySince = known?.KeySince,
            Introduced = [.. registry.Devices.Values.Where(other => other.AdmittedBy == device.Id).Select(other => NameOf(other.Id)).Order(StringComparer.Ordinal)],
        };
    }

    private string NameOf(DeviceId device) =>
        devices.All.FirstOrDefault(each => each.Id == device)?.Name ?? (registry.Revoked.GetValueOrDefault(device) is { Name.Length: > 0 } gone ? gone.Name : device.ToString()[..12]);

    /// <summary>SHA-256 of the public key, in hexadecimal: to be compared by people on two screens.</summary>
    internal static string Fingerprint(DevicePublicKey key) => string.Join(' ', Convert.ToHexStringLower(SHA256.HashData(key.Span)).Chunk(4).Select(four => new string(four)));
}
