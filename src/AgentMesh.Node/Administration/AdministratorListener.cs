using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace AgentMesh.Node.Administration;

/// <summary>Where the HTTP server takes the streams of administering devices from, as it takes connections from a socket.</summary>
internal sealed class AdministratorListener : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    /// <summary>Each of them counts as a stream of its device; this is far more than a mesh has.</summary>
    private const int WaitingMax = 1_024;

    private readonly Channel<ConnectionContext> _waiting = Channel.CreateBounded<ConnectionContext>(WaitingMax);

    public EndPoint EndPoint { get; } = new MeshEndPoint();

    /// <returns>False where the server takes no more.</returns>
    public bool TryOffer(ConnectionContext connection) => _waiting.Writer.TryWrite(connection);

    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, EndPoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => ValueTask.FromResult<IConnectionListener>(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _waiting.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _waiting.Reader.TryRead(out ConnectionContext? next) ? next : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _waiting.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        while (_waiting.Reader.TryRead(out ConnectionContext? left))
        {
            left.Abort();
            await left.DisposeAsync().ConfigureAwait(false);
        }
    }

    private sealed class MeshEndPoint : EndPoint
    {
        public override string ToString() => "streams of administering devices";
    }
}
