using System.Collections.Frozen;
using AgentMesh.Errors;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Beacon.Server;

/// <summary>Who may use a beacon: every device that knows its public key, or those of a rule, or those whose ids stand in a file, one a line, '#' before remarks. The file is read again when it has changed.</summary>
internal sealed class BeaconAdmission : IAdmission
{
    private readonly string? _file;
    private readonly Func<DeviceId, bool>? _rule;
    private volatile FrozenSet<DeviceId> _admitted = [];
    private DateTime _written;

    /// <param name="file">Null for no list.</param>
    /// <param name="rule">Asked each time, beside the list; null admits all that the list does.</param>
    /// <exception cref="MeshException">AM0172: the file cannot be read or a line is no device id.</exception>
    public BeaconAdmission(string? file, Func<DeviceId, bool>? rule = null)
    {
        _file = file;
        _rule = rule;
        if (file is not null)
        {
            _written = File.GetLastWriteTimeUtc(file);
            _admitted = Read(file);
        }
    }

    public int? Count => _file is null ? null : _admitted.Count;

    public bool IsAdmitted(DevicePublicKey key) => IsAdmitted(key.Id);

    public bool IsAdmitted(DeviceId device) => (_file is null || _admitted.Contains(device)) && _rule?.Invoke(device) != false;

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;

    /// <summary>Takes changes of the file over; a file that cannot be read leaves everything as it is.</summary>
    /// <returns>What is wrong with the file; null when nothing is.</returns>
    public MeshException? Refresh()
    {
        if (_file is null || File.GetLastWriteTimeUtc(_file) is var written && written == _written)
        {
            return null;
        }

        try
        {
            _written = written;
            _admitted = Read(_file);
            return null;
        }
        catch (MeshException error)
        {
            return error;
        }
    }

    private static FrozenSet<DeviceId> Read(string file)
    {
        var admitted = new HashSet<DeviceId>();
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(BeaconErrors.AdmissionFile, $"the list of admitted devices {file} cannot be read: {error.Message}", "write one device id a line ('agentmesh status' shows it), or leave --admit out", error);
        }

        for (int i = 0; i < lines.Length; i++)
        {
            string text = lines[i].Split('#')[0].Trim();
            if (text.Length > 0)
            {
                admitted.Add(DeviceId.TryParse(text, out DeviceId id)
                    ? id
                    : throw new MeshException(BeaconErrors.AdmissionFile, $"{file}, line {i + 1}: '{text}' is no device id", "a device id has 32 characters of a-z and 2-7; 'agentmesh status' shows it"));
            }
        }

        return admitted.ToFrozenSet();
    }
}
