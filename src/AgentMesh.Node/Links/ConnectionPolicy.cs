using AgentMesh.Errors;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Node.Links;

/// <summary>
/// Whose connections this device takes, and whom it dials by itself. It stands before the registry: who is refused here gets no answer, as a stranger does, and is in as before. Connections that are
/// there stay when a setting is changed. Thread-safe.
/// </summary>
internal sealed class ConnectionPolicy(ConnectionsSettings settings, IAdmission admission, Func<DeviceId, string?> nameOf) : IAdmission
{
    private volatile ConnectionsSettings _settings = settings;

    public ConnectionsSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    /// <summary>Why this device does not dial another by itself; null where it does.</summary>
    public MeshException? WhyNotDialled(DeviceId device) => Dials(device) ? null : new MeshException(
        ReachErrors.NotDialled,
        $"{nameOf(device) ?? device.ToString()[..12]} is not dialled by this device: auto-connect is off for it",
        $"'agentmesh connect @{nameOf(device) ?? device.ToString()}' connects once, 'agentmesh devices auto-connect {nameOf(device) ?? device.ToString()} on' for good");

    /// <summary>Before somebody is invited.</summary>
    /// <exception cref="MeshException">AM0186: nobody could come.</exception>
    public void CheckInvitation()
    {
        if (_settings.Incoming != Incoming.All)
        {
            throw new MeshException(
                ReachErrors.NoStrangers,
                $"this device takes no connections of strangers: agentmesh.link.incoming is {_settings.Incoming.ToString().ToLowerInvariant()}",
                "'agentmesh config set link.incoming all' first; or let the other device invite, and join it from here");
        }
    }

    public bool IsAdmitted(DevicePublicKey key) => _settings.Incoming != Incoming.None && admission.IsAdmitted(key);

    public DeviceId DeviceOf(DeviceId keyId) => admission.DeviceOf(keyId);

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) =>
        _settings.Incoming == Incoming.All ? admission.FindInvitation(id, now) : new InvitationLookup(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => _settings.Incoming == Incoming.All && admission.TryTakeInvitation(id, by, now);

    private bool Dials(DeviceId device)
    {
        ConnectionsSettings now = _settings;
        return now.AutoConnectDevices.TryGetValue(device.ToString(), out bool one) || (nameOf(device) is { } name && now.AutoConnectDevices.TryGetValue(name, out one)) ? one : now.AutoConnect;
    }
}
