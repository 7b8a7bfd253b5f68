using System.Globalization;
using System.Net.Sockets;
using AgentMesh.Shim;
using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Shims;

/// <summary>The node's end of the control socket of a shim.</summary>
internal sealed class ShimConnection : IShimLink
{
    private readonly Socket _socket;
    private readonly SemaphoreSlim _sending = new(1);

    private ShimConnection(Socket socket) => _socket = socket;

    /// <exception cref="IOException">Nobody listens (any more).</exception>
    public static async Task<ShimConnection> OpenAsync(string directory, CancellationToken cancellationToken)
    {
        // The address of a Unix socket holds 108 bytes: a data directory may be deeper, a number is not.
        int opened = Native.Open(directory, Native.OpenRead | Native.CloseOnExec, 0);
        if (opened < 0)
        {
            throw new IOException($"{directory} cannot be opened");
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{opened}/{ShimFiles.Control}");
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new ShimConnection(socket);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new IOException(error.Message, error);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            _ = Native.Close(opened);
        }
    }

    public async Task<ShimFrame?> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            for (int have = 0; have < ShimFrame.Size;)
            {
                int read = await _socket.ReceiveAsync(buffer.AsMemory(have, ShimFrame.Size - have), SocketFlags.None, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    return null;
                }

                have += read;
            }

            return ShimFrame.Read(buffer);
        }
        catch (SocketException)
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

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The reader notices.
        }
        finally
        {
            _sending.Release();
        }
    }

    public void Dispose() => _socket.Dispose();
}
