using System.Buffers;
using System.IO.Pipelines;
using AgentMesh.Mesh.Grants;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace AgentMesh.Node.Administration;

/// <summary>A stream of a device that administers this one, as the HTTP server takes connections. It says whose it is: the request has it as a feature.</summary>
internal sealed class AdministratorConnection : ConnectionContext
{
    private const int BufferedBytesMax = 64 * 1024;

    private readonly IMeshStream _stream;
    private readonly Pipe _received = new(Options()), _toSend = new(Options());
    private readonly CancellationTokenSource _closed = new(), _over = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _receiving = Task.CompletedTask, _sending = Task.CompletedTask;

    public AdministratorConnection(DeviceId device, AdministrationRight right, IMeshStream stream)
    {
        (Device, Right, _stream) = (device, right, stream);
        ConnectionId = $"{device}:{stream.Id}";
        Transport = new Ends(_received.Reader, _toSend.Writer);
        ConnectionClosed = _closed.Token;
        Features.Set(this);
        Features.Set<IMemoryPoolFeature>(Blocks.Instance);
    }

    /// <summary>As the connection of the mesh has proven it.</summary>
    public DeviceId Device { get; }

    /// <summary>What it might do when the stream was opened.</summary>
    public AdministrationRight Right { get; }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    /// <summary>Carries bytes from now on.</summary>
    public void Start() => (_receiving, _sending) = (ReceiveAsync(), SendAsync());

    /// <summary>Until the server has done with the connection and what it wrote was handed on.</summary>
    public async Task FinishAsync(CancellationToken stopping)
    {
        using (stopping.UnsafeRegister(static connection => ((AdministratorConnection)connection!).End(StreamCodes.ShuttingDown), this))
        {
            await _left.Task.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_receiving, _sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Ends both directions at once.</summary>
    public void End(ulong code) => _stream.Abort(code);

    public override void Abort(ConnectionAbortedException abortReason) => End(StreamCodes.Done);

    /// <summary>The server has done with it: what it wrote goes out first.</summary>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync().ConfigureAwait(false);
        await Transport.Output.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _left.TrySetResult();
    }

    // All the time, and not only when the server wants to read: the end of the stream is how it learns that whoever asked has gone.
    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                int count = await _stream.ReadAsync(_received.Writer.GetMemory(), _over.Token).ConfigureAwait(false);
                _received.Writer.Advance(count);
                FlushResult flushed = await _received.Writer.FlushAsync(_over.Token).ConfigureAwait(false);
                if (count == 0 || flushed.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // It is over either way.
        }

        await _received.Writer.CompleteAsync().ConfigureAwait(false);
        await _closed.CancelAsync().ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                ReadResult written = await _toSend.Reader.ReadAsync(_over.Token).ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> part in written.Buffer)
                {
                    await _stream.WriteAsync(part, _over.Token).ConfigureAwait(false);
                }

                _toSend.Reader.AdvanceTo(written.Buffer.End);
                if (written.IsCompleted)
                {
                    break;
                }
            }

            await _stream.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // Nobody reads it any more.
        }

        await _toSend.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private static PipeOptions Options() => new(pauseWriterThreshold: BufferedBytesMax, resumeWriterThreshold: BufferedBytesMax / 2, useSynchronizationContext: false);

    /// <summary>The server asks for any number of bytes as 0, and means more than none.</summary>
    private sealed class Blocks : MemoryPool<byte>, IMemoryPoolFeature
    {
        private const int BlockBytes = 4_096;

        public static Blocks Instance { get; } = new();

        public MemoryPool<byte> MemoryPool => this;

        public override int MaxBufferSize => Shared.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(Math.Max(minBufferSize, BlockBytes));

        protected override void Dispose(bool disposing)
        {
            // There is one, and it holds nothing.
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
