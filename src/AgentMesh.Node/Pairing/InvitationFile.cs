using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Mesh.Grants;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Node.Pairing;

/// <summary>
/// <c>invitations</c> in the data directory (ADR 45): as secret as the identity, mode 0600, replaced as a whole. What cannot be read invites nobody: an entry that is none is left out, and a file that
/// is none is put aside; both are counted.
/// </summary>
internal sealed class InvitationFile(string path)
{
    public const string FileName = "invitations";

    public const int Version = 1;

    // All that are remembered need a tenth of it.
    private const int BytesMax = 1 << 20;
    private const int TextMax = 128;
    private const int GrantsMax = 64;

    public string Path => path;

    /// <summary>Entries that the last <see cref="Read"/> left out; a file that is none counts as one.</summary>
    public int Ignored { get; private set; }

    public string DamagedCopy => path + ".damaged";

    /// <param name="key">The key that speaks for this device now: what was made under another one invites nobody any more.</param>
    /// <exception cref="MeshException">AM0181: the file cannot be read.</exception>
    public IReadOnlyList<KeptInvitation> Read(DevicePublicKey key)
    {
        Ignored = 0;
        try
        {
            if (!File.Exists(path))
            {
                return [];
            }

            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[(int)Math.Min(file.Length, BytesMax) + 1];
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            StoredInvitations? stored = read > BytesMax ? null : Parse(bytes.AsSpan(0, read));
            if (stored is not { Version: Version, Key: not null, Invitations.Count: <= InvitationBook.RememberedMax })
            {
                Ignored = 1;
                File.Move(path, DamagedCopy, overwrite: true);
                return [];
            }

            if (stored.Key != key.ToString())
            {
                return [];
            }

            KeptInvitation[] good = [.. stored.Invitations.Select(InvitationOf).OfType<KeptInvitation>()];
            Ignored = stored.Invitations.Count - good.Length;
            return good;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotKept("read", error);
        }
    }

    /// <summary>On disk, under its name, when it returns.</summary>
    /// <exception cref="MeshException">AM0181: it cannot be written; what was there is there still.</exception>
    public void Write(DevicePublicKey key, IEnumerable<KeptInvitation> invitations)
    {
        try
        {
            var stored = new StoredInvitations(Version, key.ToString(), [.. invitations.Select(StoredOf)]);
            WholeFile.Write(path, isSecret: true, file => JsonSerializer.Serialize(file, stored, InvitationsJson.Default.StoredInvitations));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotKept("written", error);
        }
    }

    private static StoredInvitations? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, InvitationsJson.Default.StoredInvitations);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>Null where it is none.</returns>
    private static KeptInvitation? InvitationOf(StoredInvitation? stored)
    {
        Span<byte> secret = stackalloc byte[InvitationSecret.Size], usedBy = stackalloc byte[DevicePublicKey.Size];
        if (stored is not { Secret: { } text, Grants: { Count: <= GrantsMax } grants } || !TryDecode(text, secret)
            || stored.Name is { Length: > TextMax } || stored.CheckDigits is { Length: > TextMax }
            || (stored.UsedBy is { } key && !TryDecode(key, usedBy)))
        {
            return null;
        }

        try
        {
            return new KeptInvitation(new InvitationSecret(secret), stored.MadeAt, stored.ExpiresAt, Grant.Check([.. grants.OfType<string>()]))
            {
                UsedBy = stored.UsedBy is null ? default : new DevicePublicKey(usedBy),
                IsPending = stored is { IsPending: true, UsedBy: not null },
                Name = stored.Name is null ? null : SettingsReader.CleanName(stored.Name),
                CheckDigits = stored.CheckDigits is { } digits && !digits.Any(char.IsControl) ? digits : null,
            };
        }
        catch (MeshException)
        {
            // A grant that this version does not know: to invite with less is not what was meant.
            return null;
        }
    }

    private static bool TryDecode(string text, Span<byte> bytes) =>
        Base64Url.DecodeFromChars(text, bytes, out int read, out int written) == OperationStatus.Done && read == text.Length && written == bytes.Length;

    private static StoredInvitation StoredOf(KeptInvitation kept) => new(
        Base64Url.EncodeToString(kept.Secret.Span), kept.MadeAt, kept.ExpiresAt, [.. kept.Grants], kept.UsedBy.IsNone ? null : kept.UsedBy.ToString(), kept.IsPending, kept.Name, kept.CheckDigits);

    private MeshException NotKept(string verb, Exception error) => new(
        NodeErrors.InvitationsNotKept,
        $"the invitations in {path} cannot be {verb}: {error.Message}",
        "see that the directory belongs to the user of the node and has free space. To do without them, move the file away: open invitations are void then",
        error);
}

// Nothing of a file is certain to be there.
internal sealed record StoredInvitations(int Version, string? Key, IReadOnlyList<StoredInvitation?> Invitations);

internal sealed record StoredInvitation(
    string? Secret, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt, IReadOnlyList<string?>? Grants, string? UsedBy = null, bool IsPending = false, string? Name = null, string? CheckDigits = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(StoredInvitations))]
internal sealed partial class InvitationsJson : JsonSerializerContext;
