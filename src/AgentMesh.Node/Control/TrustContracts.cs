namespace AgentMesh.Node.Control;

/// <summary>GET /v1/devices: whom this device trusts, and whom no more.</summary>
/// <param name="Index">Number in this session; null for one that is revoked.</param>
/// <param name="Fingerprint">SHA-256 of its public key in hexadecimal, in groups of four.</param>
/// <param name="State">connected, connecting, disconnected, failed, revoked, forked: two keys claim to speak for it, and neither counts, or, of this device, another key claims to; or introduced: another device has let it in, which may not do so here.</param>
/// <param name="AdmittedBy">Name of the device whose word lets it in; of one that is introduced, the device that has let it in there; null for this device and for one that is revoked.</param>
/// <param name="AdmittedAt">By the clock of that device.</param>
/// <param name="Grants">What it may do on this device.</param>
/// <param name="RevokedBy">Name of the device that put it out for the whole mesh; itself where its key was given up.</param>
public sealed record DeviceView(
    int? Index,
    string Name,
    string Id,
    string Fingerprint,
    bool IsLocal,
    string State,
    string? AdmittedBy,
    string? AdmittedById,
    DateTimeOffset? AdmittedAt,
    DateTimeOffset? LastSeen,
    IReadOnlyList<string> Grants,
    string? RevokedBy = null,
    DateTimeOffset? RevokedAt = null)
{
    /// <summary>Since when its present key counts; null for its first one.</summary>
    public DateTimeOffset? KeySince { get; init; }

    /// <summary>Of one that is forked: the keys that claim to speak for it; of this device, the one that is not here.</summary>
    public IReadOnlyList<KeyClaimView> Claims { get; init; } = [];

    /// <summary>Names of the devices that are in here by its word.</summary>
    public IReadOnlyList<string> Introduced { get; init; } = [];
}

/// <param name="At">By the clock of the device that has it.</param>
public sealed record KeyClaimView(string Fingerprint, DateTimeOffset At);

/// <summary>POST /v1/devices/rotate-key.</summary>
/// <param name="Alone">Even when no other device can be told.</param>
public sealed record RotateKeyRequest(bool Alone = false);

/// <summary>The answer of the node before it starts again with its new key.</summary>
/// <param name="Told">Names of devices that know the new key.</param>
/// <param name="NotYetTold">Names of devices that will when they are linked with one that was told.</param>
public sealed record RotatedView(string Name, string Id, string FormerFingerprint, string Fingerprint, IReadOnlyList<string> Told, IReadOnlyList<string> NotYetTold);

/// <summary>GET /v1/history: a connection with another device.</summary>
/// <param name="State">open or ended.</param>
/// <param name="ClosedAt">Null while it is open, and where the node of this device ended without saying so.</param>
/// <param name="Seconds">How long it was or is open; null where that is not known.</param>
/// <param name="OpenedHere">This device opened it.</param>
/// <param name="Paths">The kinds of path in their order, the present or last one last.</param>
/// <param name="Why">By whom and why it was ended; null while it is open or where that is not known.</param>
public sealed record ConnectionView(
    string Name, string Id, string State, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt, double? Seconds, bool OpenedHere, IReadOnlyList<string> Paths, string? Why);

/// <summary>POST /v1/devices/revoke.</summary>
/// <param name="Peer">Name, number or id prefix; an id prefix also of a device that is forgotten here.</param>
/// <param name="All">Every other device instead.</param>
public sealed record RevokeRequest(string? Peer = null, bool All = false);

/// <param name="Told">Names of devices that have put them out too by now.</param>
/// <param name="NotYetTold">Names of devices that will when they are linked again with this one, or with one that was told.</param>
public sealed record RevokedView(IReadOnlyList<RevokedDeviceView> Devices, IReadOnlyList<string> Told, IReadOnlyList<string> NotYetTold);

/// <summary>POST /v1/compromised: the last answer of the node.</summary>
/// <param name="Id">The identity that was given up.</param>
/// <param name="Acknowledged">Names of devices that have said to know it, or closed the connection after it was sent.</param>
/// <param name="Silent">Names of all others: they were away, or did not answer within 10 seconds.</param>
/// <param name="EndedJobs">Jobs of other devices whose attempts ran or waited here.</param>
/// <param name="OldData">Where the next start puts the data of the old identity.</param>
public sealed record CompromisedView(string Name, string Id, IReadOnlyList<string> Acknowledged, IReadOnlyList<string> Silent, IReadOnlyList<string> EndedJobs, string OldData);

/// <param name="Grants">What it could do here until now.</param>
/// <param name="WasConnected">Its connection was closed.</param>
/// <param name="EndedJobs">Jobs of it whose attempts ran or waited on this device.</param>
public sealed record RevokedDeviceView(string Name, string Id, IReadOnlyList<string> Grants, bool WasConnected, IReadOnlyList<string> EndedJobs);
