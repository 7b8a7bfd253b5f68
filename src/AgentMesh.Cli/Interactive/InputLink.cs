using System.Net.WebSockets;
using System.Text.Json;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Interactive;

/// <summary>The client's end of the WebSocket that carries the input of a program.</summary>
internal sealed class InputLink : IDisposable
{
    private readonly ClientWebSocket _socket;
    private readonly SemaphoreSlim _sending = new(1);

    private InputLink(ClientWebSocket socket)
    {
        _socket = socket;
        Closed = HearAsync();
    }

    /// <summary>Completes when the program takes no more, or the node has gone.</summary>
    /// <exception cref="MeshException">The device refuses the input.</exception>
    public Task Closed { get; }

    public static async Task<InputLink> OpenAsync(HttpMessageInvoker http, string job, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(new Uri("ws://agentmesh/v1/job/input?id=" + Uri.EscapeDataString(job)), http, cancellationToken).ConfigureAwait(false);
            return new InputLink(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits while the program does not read.</summary>
    public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => SendAsync(data, WebSocketMessageType.Binary, cancellationToken);

    public Task SendAsync(InputMessage message, CancellationToken cancellationToken) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, ControlJson.Default.InputMessage), WebSocketMessageType.Text, cancellationToken);

    public void Dispose() => _socket.Dispose();

    private async Task SendAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _socket.SendAsync(data, type, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is WebSocketException or ObjectDisposedException or IOException)
        {
            // Closed tells why.
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task HearAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult got = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                if (got.EndOfMessage && got.MessageType == WebSocketMessageType.Text && JsonSerializer.Deserialize(buffer.AsSpan(0, got.Count), ControlJson.Default.InputMessage) is { } message)
                {
                    if (message.Problem is { } problem)
                    {
                        throw new MeshException(problem.Code, problem.Message, problem.Next);
                    }

                    if (message.Type is "closed" or "detached")
                    {
                        return;
                    }
                }
            }
        }
        catch (Exception error) when (error is WebSocketException or ObjectDisposedException or OperationCanceledException or JsonException)
        {
            // The node has gone, or this side is done.
        }
    }
}
