using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Benchmarks;

/// <summary>TLS 1.3 over TCP with .NET's SslStream: the peer that the transport is measured beside.</summary>
internal sealed class TlsPeer : IAsyncDisposable
{
    private TlsPeer(SslStream client, SslStream server)
    {
        Client = client;
        Server = server;
    }

    public SslStream Client { get; }

    public SslStream Server { get; }

    public static async Task<TlsPeer> ConnectAsync(Wire wire)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=benchmark", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        TcpListener listener = wire.At(near: false, () =>
        {
            var opened = new TcpListener(wire.Far, 0);
            opened.Start();
            return opened;
        });
        Task<TcpClient> accepting = listener.AcceptTcpClientAsync();
        TcpClient dialed = wire.At(near: true, () => new TcpClient(AddressFamily.InterNetwork) { NoDelay = true });
        await dialed.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        TcpClient accepted = await accepting;
        accepted.NoDelay = true;
        listener.Stop();
        var server = new SslStream(accepted.GetStream());
        var client = new SslStream(dialed.GetStream());
        await Task.WhenAll(
            server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, EnabledSslProtocols = SslProtocols.Tls13 }),
            client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "benchmark",
                EnabledSslProtocols = SslProtocols.Tls13,
                // The one certificate made above, and no other.
                RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null && presented.GetCertHashString() == certificate.GetCertHashString(),
            }));
        return new TlsPeer(client, server);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
