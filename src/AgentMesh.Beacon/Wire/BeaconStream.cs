using System.Buffers.Binary;
using System.Text;
using AgentMesh.Transport;

namespace AgentMesh.Beacon.Wire;

/// <summary>Frames on the one stream between a device and a beacon.</summary>
internal static class BeaconStream
{
    /// <summary>How every stream between devices begins: the length of the service's name, and the name.</summary>
    public static readonly byte[] Header = [6, .. Encoding.ASCII.GetBytes("beacon")];

    public static async ValueTask<bool> TryReadHeaderAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] read = new byte[Header.Length];
        return await TryFillAsync(stream, read, cancellationToken).ConfigureAwait(false) && read.AsSpan().SequenceEqual(Header);
    }

    /// <summary>Null at the end of the stream and at bytes that are no frame.</summary>
    public static async ValueTask<BeaconFrame?> ReadAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] length = new byte[BeaconFrame.LengthBytes];
        if (!await TryFillAsync(stream, length, cancellationToken).ConfigureAwait(false) || BinaryPrimitives.ReadUInt16BigEndian(length) is var size && size > BeaconFrame.BodyBytesMax)
        {
            return null;
        }

        byte[] bytes = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        return await TryFillAsync(stream, bytes, cancellationToken).ConfigureAwait(false) ? BeaconFrame.TryRead(bytes) : null;
    }

    private static async ValueTask<bool> TryFillAsync(IMeshStream stream, Memory<byte> into, CancellationToken cancellationToken)
    {
        while (!into.IsEmpty)
        {
            int count = await stream.ReadAsync(into, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return false;
            }

            into = into[count..];
        }

        return true;
    }
}
