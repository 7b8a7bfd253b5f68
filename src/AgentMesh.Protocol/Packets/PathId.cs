namespace AgentMesh.Protocol.Packets;

/// <summary>
/// A path inside one connection, 0 to 7. Each has packet numbers and a replay window of its own and is part of the nonce; on the wire it is
/// implied by the connection id. The first path is 0.
/// </summary>
public readonly record struct PathId
{
    public const int Max = 7;

    public PathId(byte value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Max);
        Value = value;
    }

    public byte Value { get; }

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
