using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Transport.Turn;

/// <summary>There is no connection to a TURN server.</summary>
internal sealed class TurnConnectException(TurnFailure failure) : Exception(failure.Text)
{
    public TurnFailure Failure { get; } = failure;
}

/// <summary>Opens links to TURN servers: a UDP socket, or a TCP connection with TLS or without.</summary>
internal static class TurnConnector
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(10);

    /// <param name="at">What the server's name stands for.</param>
    /// <exception cref="TurnConnectException">There is none.</exception>
    /// <exception cref="OperationCanceledException">By <paramref name="cancellationToken"/>.</exception>
    public static async Task<ITurnLink> OpenAsync(TurnServer server, IPEndPoint at, TimeProvider time, CancellationToken cancellationToken)
    {
        if (server.Transport == TurnTransport.Udp)
        {
            return new TurnDatagrams(at.AddressFamily, time);
        }

        using var late = new CancellationTokenSource(ConnectWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Stream? stream = null;
        try
        {
            TunnelSockets.Tune(socket);
            await socket.ConnectAsync(at, either.Token).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            stream = server.Transport == TurnTransport.Tls ? await SecureAsync(stream, server, either.Token).ConfigureAwait(false) : stream;
            return new TurnStream(stream, at, time);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw error switch
            {
                OperationCanceledException => Silent($"no connection within {ConnectWithin.TotalSeconds:0} s"),
                SocketException or IOException => Silent($"no connection: {error.Message}"),
                _ => error,
            };
        }
    }

    /// <exception cref="TurnConnectException">It cannot be trusted, or speaks no TLS.</exception>
    private static async Task<Stream> SecureAsync(Stream stream, TurnServer server, CancellationToken cancellationToken)
    {
        string refused = "";
        X509Certificate2Collection? own = server.CaFile is { } file ? Load(file) : null;
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = server.Host,
                    CertificateChainPolicy = own is null ? null : Only(own),
                    RemoteCertificateValidationCallback = (_, certificate, _, problems) =>
                    {
                        refused = problems == SslPolicyErrors.None ? "" : $": '{ForeignText.Shown(certificate?.Subject)}', issued by '{ForeignText.Shown(certificate?.Issuer)}', is {Why(problems, server)}";
                        return problems == SslPolicyErrors.None;
                    },
                },
                cancellationToken).ConfigureAwait(false);
            return secure;
        }
        catch (AuthenticationException error)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw new TurnConnectException(new TurnFailure(TurnFailureKind.Refused, refused.Length > 0 ? $"its certificate is not trusted{refused}" : $"no TLS: {ForeignText.Shown(error.Message)}"));
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static X509ChainPolicy Only(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static X509Certificate2Collection Load(string file)
    {
        var read = new X509Certificate2Collection();
        try
        {
            read.ImportFromPemFile(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new TurnConnectException(new TurnFailure(TurnFailureKind.Refused, $"the file {file} (ca-file) cannot be read: {error.Message}"));
        }

        return read.Count > 0 ? read : throw new TurnConnectException(new TurnFailure(TurnFailureKind.Refused, $"the file {file} (ca-file) holds no certificate"));
    }

    private static string Why(SslPolicyErrors problems, TurnServer server) =>
        problems.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"not for {server.Host}" : "of no authority that is trusted here";

    private static TurnConnectException Silent(string text) => new(new TurnFailure(TurnFailureKind.Silent, text));
}
