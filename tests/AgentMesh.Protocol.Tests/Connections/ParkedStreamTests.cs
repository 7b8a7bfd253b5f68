using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class ParkedStreamTests
{
    [Fact]
    public void A_stream_that_is_given_up_while_its_class_has_no_allowance_is_forgotten()
    {
        using var puppet = new Puppet(ours: new TransportParameters(StreamWindow: 1_000, ClassWindow: 0, StreamsPerClass: 1_000, DatagramBytesMax: 1200, AckDelayMaxMilliseconds: 4));
        StreamLayer streams = puppet.Target.Streams;
        for (int i = 0; i < 100; i++)
        {
            Assert.True(streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
            streams.Write(stream!, [1]);
            puppet.Work();
            Assert.Equal(1, streams.Waiting);
            streams.Reset(stream!, 1);
            streams.Stop(stream!, 1, puppet.Now);
            puppet.Wait(10).AckAll();
            puppet.Send(FrameBytes.Reset(stream!.Id, 1, 0)).Forget();
        }

        Assert.Equal((0, 0), (streams.Waiting, streams.Count));
    }
}
