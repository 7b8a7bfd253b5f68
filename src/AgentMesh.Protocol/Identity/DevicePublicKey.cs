namespace AgentMesh.Protocol.Identity;

/// <summary>An Ed25519 public key, 32 bytes. <c>default</c> is no key and is refused wherever a key is needed.</summary>
public readonly struct DevicePublicKey : IEquatable<DevicePublicKey>
{
    public const int Size = 32;

    private readonly byte[]? _bytes;

    /// <summary>Copies <paramref name="bytes"/>, which must be <see cref="Size"/> long.</summary>
    public DevicePublicKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"an Ed25519 public key has {Size} bytes, not {bytes.Length}", nameof(bytes));
        }

        _bytes = bytes.ToArray();
    }

    public bool IsNone => _bytes is null;

    public ReadOnlySpan<byte> Span => _bytes;

    public DeviceId Id => DeviceId.Of(this);

    public static bool operator ==(DevicePublicKey left, DevicePublicKey right) => left.Equals(right);

    public static bool operator !=(DevicePublicKey left, DevicePublicKey right) => !left.Equals(right);

    public bool Equals(DevicePublicKey other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is DevicePublicKey other && Equals(other);

    public override int GetHashCode() => _bytes is null ? 0 : BitConverter.ToInt32(_bytes, 0);

    /// <summary>Unpadded base64url, the form used in links and files.</summary>
    public override string ToString() => _bytes is null ? "(none)" : System.Buffers.Text.Base64Url.EncodeToString(_bytes);
}
