using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>What this device itself says: signed with the key that counts, and kept before it counts. Not thread-safe.</summary>
/// <param name="self">With the key that this device signs with now.</param>
/// <param name="keep">Puts an entry on disk and into the chains.</param>
internal sealed class OwnChain(DeviceIdentity self, DevicePublicKey root, RegistryChains chains, Introductions introductions, Action<RegistryEntry> keep, TimeProvider time)
{
    private DeviceIdentity _self = self;

    /// <summary>Which key this device signs with now.</summary>
    public DevicePublicKey Key => _self.PublicKey;

    /// <summary>Of this device, which has it from its first key.</summary>
    public DeviceId Id => _self.Id;

    /// <summary>Since when it signs with <see cref="Key"/>; null for its first key.</summary>
    public DateTimeOffset? KeySince => chains.Of(Key) is [{ Change: RegistryChange.Succeed } first, ..] ? first.At : null;

    /// <summary>Whose word lets others in.</summary>
    public Introductions Rule => IntroductionRule.Of(introductions, chains.Of(root));

    /// <summary>Says one thing more.</summary>
    /// <exception cref="MeshException">AM0330: the chain is full. AM0331: it cannot be written; then it is not said.</exception>
    public void Append(RegistryChange change, DevicePublicKey subject, string name, IEnumerable<string> grants, bool everywhere = false)
    {
        if (IntroductionRule.Beginning(introductions, chains.Of(root), _self, time.GetUtcNow()) is { } beginning)
        {
            keep(beginning);
        }

        RegistryEntry entry = RegistryEntry.Sign(_self, Last, time.GetUtcNow(), change, subject, name, grants, everywhere);
        if (!chains.Fits(entry))
        {
            throw new MeshException(MeshErrors.RegistryInvalid, $"the registry of this device has {RegistryChains.EntriesOfAuthorMax} entries and takes no more", "start with a new identity: move the data directory away and pair again");
        }

        keep(entry);
    }

    /// <inheritdoc cref="DeviceRegistry.Succeed"/>
    public void Succeed(DeviceIdentity next)
    {
        if (chains.Successions.KeysOf(root).Count >= Successions.KeysMax)
        {
            throw new MeshException(MeshErrors.TooManyKeys, $"this device has had {Successions.KeysMax} keys", "'agentmesh compromised' makes a new identity, to be paired again");
        }

        if (Last is not { Change: RegistryChange.Successor } last || last.Subject != next.PublicKey)
        {
            Append(RegistryChange.Successor, next.PublicKey, "", []);
            last = Last!;
        }

        RegistryEntry succeed = RegistryEntry.Sign(next, null, time.GetUtcNow(), RegistryChange.Succeed, Key, "", [], naming: last);
        Invariant.Check(chains.Fits(succeed));
        chains.AddOwn(next.PublicKey);
        keep(succeed);
        _self = next;
    }

    /// <summary>Takes back what this device itself said for those that another has put out everywhere: its admission, grants and names.</summary>
    /// <exception cref="MeshException">As <see cref="Append"/>.</exception>
    public void TakeUpRevocations()
    {
        Dictionary<DeviceId, RegisteredDevice> otherwise = RegistryFold.Devices(root, chains, static _ => false, Rule);
        foreach (DevicePublicKey gone in chains.PutOut.Where(gone => otherwise.ContainsKey(gone.Id)).ToArray())
        {
            Append(RegistryChange.Forget, otherwise[gone.Id].Key, "", []);
        }
    }

    private RegistryEntry? Last => chains.Of(Key) is { Count: > 0 } own ? own[^1] : null;
}
