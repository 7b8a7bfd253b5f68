using System.Net;

namespace AgentMesh.Transport.Udp;

/// <summary>One call for each datagram: works everywhere.</summary>
internal sealed class PlainReceiver(UdpSocket socket) : DatagramReceiver
{
    // One acknowledgement then covers them all.
    private const int Max = 32;

    private readonly byte[]?[] _buffers = new byte[]?[Max];
    private readonly int[] _lengths = new int[Max];
    private readonly IPEndPoint[] _from = new IPEndPoint[Max];

    public override bool TryReceive(out int count)
    {
        count = 0;
        do
        {
            byte[] buffer = _buffers[count] ??= GC.AllocateUninitializedArray<byte>(ushort.MaxValue + 1, pinned: true);
            if (!socket.TryReceive(buffer, out _lengths[count], out _from[count]))
            {
                return false;
            }

            count++;
        }
        while (count < Max && socket.HasMore);
        return true;
    }

    public override ArrivedDatagrams Get(int index) => new(_buffers[index].AsSpan(0, _lengths[index]), _lengths[index], _from[index]);

    public override void Dispose()
    {
        // Nothing but arrays.
    }
}
