using System.Buffers.Binary;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace Simulation.Reach.Net;

/// <summary>Messages on a stream of a connection, each behind its length in two bytes.</summary>
internal sealed class Talk(Connection connection, ProtocolStream stream, Func<TimeSpan> now)
{
    private const int LengthBytes = sizeof(ushort);

    private readonly List<byte> _unread = [];
    private readonly List<byte> _unsent = [];
    private readonly byte[] _buffer = new byte[4096];

    /// <param name="message">With its length.</param>
    public void Say(byte[] message)
    {
        _unsent.AddRange(message);
        Write();
    }

    public void Write()
    {
        if (_unsent.Count > 0)
        {
            _unsent.RemoveRange(0, connection.Streams.Write(stream, _unsent.ToArray()));
        }
    }

    /// <returns>The messages without their lengths.</returns>
    public IReadOnlyList<byte[]> Read()
    {
        int count;
        while ((count = connection.Streams.Read(stream, _buffer, now())) > 0)
        {
            _unread.AddRange(_buffer.AsSpan(0, count));
        }

        var messages = new List<byte[]>();
        while (_unread.Count >= LengthBytes && BinaryPrimitives.ReadUInt16BigEndian([_unread[0], _unread[1]]) is var length && _unread.Count >= LengthBytes + length)
        {
            messages.Add([.. _unread.Skip(LengthBytes).Take(length)]);
            _unread.RemoveRange(0, LengthBytes + length);
        }

        return messages;
    }
}
