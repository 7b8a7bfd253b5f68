using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Registry.Wire;
using AgentMesh.Protocol.Identity;
using Google.Protobuf;

namespace AgentMesh.Mesh.Registry;

internal enum RegistryChange
{
    Admit = 1,
    Grants = 2,
    Rename = 3,
    Forget = 4,
    Successor = 5,
    Succeed = 6,
    IntroduceByGrant = 7,
}

/// <summary>One verified entry: its author signed it, and it follows the one before it in the author's chain.</summary>
internal sealed record RegistryEntry(
    DevicePublicKey Author, ulong Sequence, DateTimeOffset At, RegistryChange Change, DevicePublicKey Subject, string Name, ImmutableArray<string> Grants, byte[] Previous, byte[] Hash, byte[] Bytes)
{
    /// <summary>Of a <see cref="RegistryChange.Forget"/>: for every device that believes the author.</summary>
    public bool IsEverywhere { get; init; }

    /// <summary>Of a <see cref="RegistryChange.Succeed"/>, and always there: the entry by which the key before named this one.</summary>
    public RegistryEntry? Naming { get; init; }

    public const int NameCharactersMax = 64;
    public const int BytesMax = 2048;

    private const uint Version = 1;

    private static readonly byte[] Domain = [.. Encoding.ASCII.GetBytes("agentmesh-registry-1"), 0];

    public static RegistryEntry Sign(DeviceIdentity author, RegistryEntry? before, DateTimeOffset at, RegistryChange change, DevicePublicKey subject, string name, IEnumerable<string> grants, bool everywhere = false, RegistryEntry? naming = null)
    {
        var body = new Body
        {
            Version = Version,
            Author = ByteString.CopyFrom(author.PublicKey.Span),
            Sequence = (before?.Sequence ?? 0) + 1,
            Previous = ByteString.CopyFrom(before?.Hash ?? []),
            AtUnixMilliseconds = at.ToUnixTimeMilliseconds(),
            Kind = (Body.Types.Kind)change,
            Subject = ByteString.CopyFrom(subject.Span),
            Name = name,
            Everywhere = everywhere,
            Proof = ByteString.CopyFrom(naming?.Bytes ?? []),
        };
        body.Grants.AddRange(grants);
        byte[] bytes = body.ToByteArray();
        var signed = new SignedEntry { Body = ByteString.CopyFrom(bytes), Signature = ByteString.CopyFrom(author.Sign([.. Domain, .. bytes])) };
        return TryRead(signed.ToByteArray(), out RegistryEntry? entry) ? entry : throw new Errors.InvariantException("an own entry does not verify");
    }

    /// <summary>False for anything that is not an entry with a good signature of its author.</summary>
    public static bool TryRead(byte[] bytes, [NotNullWhen(true)] out RegistryEntry? entry)
    {
        entry = null;
        if (bytes.Length > BytesMax)
        {
            return false;
        }

        try
        {
            SignedEntry signed = SignedEntry.Parser.ParseFrom(bytes);
            byte[] raw = signed.Body.ToByteArray();
            Body body = Body.Parser.ParseFrom(raw);
            bool fits = body.Version == Version && body.Author.Length == DevicePublicKey.Size && body.Subject.Length == DevicePublicKey.Size && body.Sequence > 0

                // A kind that this version does not know means nothing to it; what follows in the chain does.
                && body.Kind > Body.Types.Kind.Unknown
                && body.Name.Length <= NameCharactersMax && body.Grants.Count <= Mesh.Grants.Grant.CountMax && body.Grants.All(grant => grant.Length <= Mesh.Grants.Grant.CharactersMax)
                && body.AtUnixMilliseconds is >= 0 and < 253402300800000;
            if (!fits)
            {
                return false;
            }

            var author = new DevicePublicKey(body.Author.Span);
            if (!DeviceIdentity.Verify(author, [.. Domain, .. raw], signed.Signature.Span))
            {
                return false;
            }

            var subject = new DevicePublicKey(body.Subject.Span);
            RegistryEntry? naming = null;
            if (body.Kind == Body.Types.Kind.Succeed && (body.Sequence != 1 || !TryRead(body.Proof.ToByteArray(), out naming) || !naming.Names(author, of: subject)))
            {
                return false;
            }

            entry = new RegistryEntry(
                author, body.Sequence, DateTimeOffset.FromUnixTimeMilliseconds(body.AtUnixMilliseconds), (RegistryChange)body.Kind, subject, body.Name,
                [.. body.Grants], body.Previous.ToByteArray(), SHA256.HashData(raw), bytes)
            {
                IsEverywhere = body.Everywhere && body.Kind == Body.Types.Kind.Forget,
                Naming = naming,
            };
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private bool Names(DevicePublicKey successor, DevicePublicKey of) => Change == RegistryChange.Successor && Author == of && Subject == successor && successor != of;

    public bool Follows(RegistryEntry? before) =>
        Sequence == (before?.Sequence ?? 0) + 1 && Previous.AsSpan().SequenceEqual(before?.Hash ?? []);
}
