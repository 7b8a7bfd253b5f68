using System.Net.WebSockets;
using System.Text.Json;
using AgentMesh.Errors;
using Microsoft.AspNetCore.Http;

namespace AgentMesh.Node.Control;

/// <summary>The WebSocket <c>/v1/job/input</c>: binary messages are input of a program, text messages say the rest.</summary>
internal static class InputSocket
{
    private const int MessageBytesMax = 64 * 1024;

    public static async Task ServeAsync(HttpContext http, string job, IControlServices services)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            throw new MeshException(NodeErrors.ControlRequest, "input is sent over a WebSocket", "see docs/control-api.md");
        }

        // Also a refusal is a message: a client that only sees the handshake fail could not tell it from a node that has gone.
        using WebSocket socket = await http.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
        IInputSession session;
        try
        {
            session = await services.OpenInputAsync(job, http.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is not OperationCanceledException)
        {
            await EndAsync(socket, new InputMessage("problem", Problem: Problems.Describe(refused).Problem), http.RequestAborted).ConfigureAwait(false);
            return;
        }

        await using (session.ConfigureAwait(false))
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            Task<bool> receiving = ReceiveAsync(socket, session, over.Token);
            try
            {
                await Task.WhenAny(receiving, session.Closed).ConfigureAwait(false);
                if (session.Closed.IsCompleted)
                {
                    InputMessage last = session.Closed.IsCompletedSuccessfully
                        ? new InputMessage("closed")
                        : new InputMessage("problem", Problem: Problems.Describe(session.Closed.Exception!.InnerException!).Problem);
                    await EndAsync(socket, last, over.Token).ConfigureAwait(false);
                    await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                else if (await receiving.ConfigureAwait(false))
                {
                    await EndAsync(socket, new InputMessage("detached"), over.Token).ConfigureAwait(false);
                }
            }
            catch (WebSocketException)
            {
                // The client has gone.
            }
            finally
            {
                await over.CancelAsync().ConfigureAwait(false);
                await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task EndAsync(WebSocket socket, InputMessage last, CancellationToken cancellationToken)
    {
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(last, ControlJson.Default.InputMessage), WebSocketMessageType.Text, true, cancellationToken).ConfigureAwait(false);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken).ConfigureAwait(false);
    }

    /// <returns>Whether the client has left the program to another one; false where it is just gone.</returns>
    private static async Task<bool> ReceiveAsync(WebSocket socket, IInputSession session, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MessageBytesMax];
        while (true)
        {
            ValueWebSocketReceiveResult got = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            switch (got.MessageType)
            {
                case WebSocketMessageType.Binary:
                    // Also after the program has closed its input: the client learns of that by the message, and goes on reading its own until then.
                    await session.WriteAsync(buffer.AsMemory(0, got.Count), cancellationToken).ConfigureAwait(false);
                    break;
                case WebSocketMessageType.Text when got.EndOfMessage && JsonSerializer.Deserialize(buffer.AsSpan(0, got.Count), ControlJson.Default.InputMessage) is { } message:
                    if (message.Type == "detach")
                    {
                        await session.LeaveAsync(cancellationToken).ConfigureAwait(false);
                        return true;
                    }

                    Act(session, message);
                    break;
                default:
                    return false;
            }
        }
    }

    private static void Act(IInputSession session, InputMessage message)
    {
        if (message is { Type: "resize", Columns: > 0 and <= ushort.MaxValue and { } columns, Rows: > 0 and <= ushort.MaxValue and { } rows })
        {
            session.Resize(columns, rows);
        }
        else if (message.Type == "end")
        {
            session.End();
        }
    }
}
