namespace AgentMesh.Protocol.Tests.Gateways;

/// <summary>Damaged copies of a message, for readers that must take any bytes.</summary>
internal static class Damage
{
    /// <summary>All shorter ones, all with one bit changed, and some with rubbish behind.</summary>
    public static IEnumerable<byte[]> Of(byte[] whole)
    {
        for (int length = 0; length < whole.Length; length++)
        {
            yield return whole[..length];
        }

        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return flipped;
        }

        yield return [.. whole, 0];
        yield return [.. whole, .. whole];
    }
}
