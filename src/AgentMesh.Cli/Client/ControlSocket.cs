using System.Net.Sockets;

namespace AgentMesh.Cli.Client;

/// <summary>Connections to the node of this device, or by way of it to another. Blocking: the machinery of asynchronous calls has to be compiled first, for what is often one use.</summary>
internal static class ControlSocket
{
    /// <param name="on">The device that is asked by way of the node of this one; null for that node itself.</param>
    /// <exception cref="Errors.MeshException">The way to the device is shut.</exception>
    /// <exception cref="NobodyListensException">There is no node.</exception>
    /// <exception cref="IOException">The connection was lost, or what came is no HTTP.</exception>
    public static Socket Open(string path, FarDevice? on, CancellationToken cancellationToken)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Talk(
                connection,
                () =>
                {
                    Connect(connection, path);
                    on?.Enter(connection);
                    return true;
                },
                cancellationToken);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Says and hears something, until it is over or the token is cancelled, which closes the connection.</summary>
    /// <exception cref="IOException">The connection was lost.</exception>
    public static T Talk<T>(Socket connection, Func<T> talk, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration givenUp = cancellationToken.UnsafeRegister(static connection => ((Socket)connection!).Dispose(), connection);
        try
        {
            return talk();
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or IOException && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            throw new IOException(error.Message, error);
        }
    }

    public static void SendAll(Socket connection, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            data = data[connection.Send(data)..];
        }
    }

    private static void Connect(Socket connection, string path)
    {
        try
        {
            connection.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error)
        {
            throw new NobodyListensException(error);
        }
    }
}
