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
    /// <param name="malformed">Called for the latter.</param>
    public static async ValueTask<BeaconFrame?> ReadAsync(IMeshStream stream, CancellationToken cancellationToken, Action? malformed = null)
    {
        byte[] length = new byte[BeaconFrame.LengthBytes];
        if (!await TryFillAsync(stream, length, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        int size = BinaryPrimitives.ReadUInt16BigEndian(length);
        byte[] bytes = size <= BeaconFrame.BodyBytesMax ? new byte[size] : [];
        if (size <= BeaconFrame.BodyBytesMax && !await TryFillAsync(stream, bytes, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        BeaconFrame? frame = size <= BeaconFrame.BodyBytesMax ? BeaconFrame.TryRead(bytes) : null;
        if (frame is null)
        {
            malformed?.Invoke();
        }

        return frame;
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
