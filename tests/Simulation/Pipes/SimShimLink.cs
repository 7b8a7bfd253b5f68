using System.Threading.Channels;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Shims;
using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>The control socket between one life of a node and a shim: in order, and what is under way to a process that was killed is lost.</summary>
internal sealed class SimShimLink(SimLoop loop, SimProcess node, SimProcess machine, SimShim shim) : IShimLink
{
    private readonly Channel<ShimFrame> _frames = Channel.CreateUnbounded<ShimFrame>();
    private TimeSpan _lastHere;
    private TimeSpan _lastThere;

    public void Connect() => loop.After(Later(ref _lastThere), machine, () => shim.Connect(this));

    public void Tell(ShimFrame frame) => loop.After(Later(ref _lastHere), node, () => _frames.Writer.TryWrite(frame));

    public void Close() => loop.After(Later(ref _lastHere), node, () => _frames.Writer.TryComplete());

    public async Task<ShimFrame?> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _frames.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public Task SendAsync(ShimFrame frame, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[ShimFrame.Size];
        frame.Write(bytes);
        return SendAsync(bytes, cancellationToken);
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        byte[] message = bytes.ToArray();
        loop.After(Later(ref _lastThere), machine, () => shim.Hear(this, message));
        return Task.CompletedTask;
    }

    public void Dispose() => loop.After(Later(ref _lastThere), machine, () => shim.Leave(this));

    private TimeSpan Later(ref TimeSpan last)
    {
        TimeSpan at = loop.Now + loop.Between(0.00002, 0.0005);
        last = at > last ? at : last + TimeSpan.FromTicks(1);
        return last - loop.Now;
    }
}
