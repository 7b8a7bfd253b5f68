namespace AgentMesh.Node.Control;

/// <summary>What this device has on disk to find the others again without anybody's help.</summary>
/// <param name="Devices">Of the mesh, those of which an address is known at which they were found.</param>
/// <param name="GoodAddresses">At which devices were found, of all devices.</param>
/// <param name="ToldAddresses">That were only said, of all devices.</param>
/// <param name="NewestAt">When the latest of the good ones was found; null without any.</param>
/// <param name="OldestAt">When the oldest of them was found last; null without any.</param>
/// <param name="Relays">Devices of the mesh that relayed.</param>
/// <param name="RelayedDevices">Devices that one of them relayed to.</param>
/// <param name="Names">Hosts that are known by name, where they answered.</param>
/// <param name="Damaged">Files of which not everything could be read when the node started.</param>
public sealed record MemoryView(
    int Devices,
    int GoodAddresses,
    int ToldAddresses,
    DateTimeOffset? NewestAt,
    DateTimeOffset? OldestAt,
    int Relays,
    int RelayedDevices,
    IReadOnlyList<RememberedNameView> Names,
    IReadOnlyList<DamagedFileView> Damaged);

/// <param name="Addresses">The latest first.</param>
/// <param name="At">When it answered last.</param>
/// <param name="InUse">The name is not resolved now, so that these addresses are used.</param>
public sealed record RememberedNameView(string Host, IReadOnlyList<string> Addresses, DateTimeOffset At, bool InUse);

/// <param name="Ignored">Entries that were left out.</param>
/// <param name="Copy">Of the file as it was.</param>
public sealed record DamagedFileView(string File, int Ignored, string Copy);
