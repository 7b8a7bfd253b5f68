using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public sealed class TogetherTests
{
    [Fact]
    public void A_long_stream_fills_datagrams_that_are_all_equally_long_and_go_together()
    {
        using var pair = new Pair();
        pair.Run(100);
        ProtocolStream stream = pair.A.Open();
        byte[] data = new byte[9_000], buffer = new byte[65_507];
        TestData.Fill(stream.Id.Value, 0, data);
        pair.A.Streams.Write(stream, data);

        int length = pair.A.Connection.PollTransmits(buffer, 64, pair.Now, out int each);

        Assert.Equal(pair.A.Connection.Path.DatagramBytes, each);
        Assert.Equal(8, (length + each - 1) / each);
        Assert.Equal(0, pair.A.Connection.PollTransmits(buffer, 64, pair.Now, out _));
        pair.B.Connection.HandleDatagrams(buffer.AsSpan(0, length), each, pair.B.Connection.Remote, pair.Now);
        Assert.Equal(0, pair.B.Connection.Dropped);
        pair.Settle();
        Assert.Equal(9_000UL, pair.B.Readings[stream.Id.Value].Bytes);
    }

    [Fact]
    public void Small_streams_that_follow_each_other_fill_equally_long_datagrams_too()
    {
        using var pair = new Pair();
        pair.Run(100);
        for (int i = 0; i < 30; i++)
        {
            ProtocolStream stream = pair.A.Open();
            byte[] data = new byte[177];
            TestData.Fill(stream.Id.Value, 0, data);
            pair.A.Streams.Write(stream, data);
        }

        byte[] buffer = new byte[65_507];
        int length = pair.A.Connection.PollTransmits(buffer, 64, pair.Now, out int each);

        Assert.Equal(pair.A.Connection.Path.DatagramBytes, each);
        Assert.True(length > 4 * each);
        pair.B.Connection.HandleDatagrams(buffer.AsSpan(0, length), each, pair.B.Connection.Remote, pair.Now);
        pair.Settle();
        Assert.Equal(30, pair.B.Readings.Values.Count(reading => reading.Bytes == 177));
    }

    [Fact]
    public void No_more_than_asked_for_and_no_more_than_fits_goes_together()
    {
        using var pair = new Pair();
        pair.Run(100);
        ProtocolStream stream = pair.A.Open();
        pair.A.Streams.Write(stream, new byte[9_000]);
        int each = pair.A.Connection.Path.DatagramBytes;

        Assert.Equal(2 * each, pair.A.Connection.PollTransmits(new byte[65_507], 2, pair.Now, out _));
        Assert.Equal(3 * each, pair.A.Connection.PollTransmits(new byte[(4 * each) - 1], 64, pair.Now, out _));
    }
}
