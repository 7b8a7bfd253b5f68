namespace AgentMesh.Mesh.Registry;

/// <summary>What others say: verified, and kept where it comes from a device that is believed and is the next of its chain. Not thread-safe, but for <see cref="Refused"/>.</summary>
/// <param name="view">What the chains mean as of the last <paramref name="fold"/>.</param>
/// <param name="keep">Puts an entry on disk and into the chains.</param>
/// <param name="fold">Reads anew what the chains mean.</param>
internal sealed class RegistryIntake(RegistryChains chains, ForkProof proof, Func<RegistryView> view, Action<RegistryEntry> keep, Action fold)
{
    private long _refused;

    /// <summary>Entries that did not verify or did not fit.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Leaves the view folded.</summary>
    /// <returns>Whether the chains are longer now, and whether it is known only now that a key of this device is in two hands.</returns>
    /// <exception cref="Errors.MeshException">AM0331: it cannot be written.</exception>
    public (bool IsLonger, bool IsForked) Take(IEnumerable<byte[]> entries)
    {
        bool isLonger = false, isForked = false, isFolded = true;
        foreach (byte[] bytes in entries)
        {
            if (!RegistryEntry.TryRead(bytes, out RegistryEntry? entry))
            {
                Interlocked.Increment(ref _refused);
                continue;
            }

            if (proof.Proves(entry))
            {
                isForked |= proof.Keep(entry);
                continue;
            }

            if (!IsBelieved(entry) && !isFolded)
            {
                // An entry before it may have admitted its author.
                fold();
                isFolded = true;
            }

            if (!chains.IsOwn(entry.Author) && IsBelieved(entry) && chains.Fits(entry))
            {
                keep(entry);
                isFolded = false;
                isLonger = true;
                if (entry.IsEverywhere || entry.Change == RegistryChange.Succeed)
                {
                    // What comes after it from who is out now, or from a key that does not count any more, is not taken.
                    fold();
                    isFolded = true;
                }
            }
            else if (!chains.Has(entry))
            {
                Interlocked.Increment(ref _refused);
            }
        }

        if (!isFolded)
        {
            fold();
        }

        return (isLonger, isForked);
    }

    /// <summary>The author is in, with any of its keys, or succeeds to a key of who is in.</summary>
    private bool IsBelieved(RegistryEntry entry) =>
        view().Devices.ContainsKey(chains.RootOf(entry.Author).Id)
        || (entry.Change == RegistryChange.Succeed && view().Devices.ContainsKey(chains.RootOf(entry.Subject).Id));
}
