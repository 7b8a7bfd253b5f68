using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Transport.Tests;

/// <summary>Who is admitted, as a test says.</summary>
internal sealed class OpenDoor(InvitationBook? book = null) : IAdmission
{
    public ConcurrentDictionary<DevicePublicKey, bool> Admitted { get; } = new();

    /// <summary>Keys whose connections stand under another id.</summary>
    public ConcurrentDictionary<DeviceId, DeviceId> Listed { get; } = new();

    public bool IsAdmitted(DevicePublicKey key) => Admitted.ContainsKey(key);

    public DeviceId ListedAs(DeviceId keyId) => Listed.TryGetValue(keyId, out DeviceId id) ? id : keyId;

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => book?.Find(id, now) ?? new(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => book is not null && book.TryTake(id, by, now);
}

/// <summary>A device with a real endpoint on loopback.</summary>
internal sealed class TestDevice : IAsyncDisposable
{
    public TestDevice(DeviceIdentity? identity = null, MeshEndpointSettings? settings = null, InvitationBook? book = null)
    {
        Identity = identity ?? DeviceIdentity.Create(SystemEntropy.Instance);
        Door = new OpenDoor(book);
        settings ??= new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] };
        Endpoint = MeshEndpoint.Open(Identity, Door, new InitiationStamps(0, null), settings, SystemEntropy.Instance, TimeProvider.System);
    }

    public DeviceIdentity Identity { get; }

    public OpenDoor Door { get; }

    public MeshEndpoint Endpoint { get; }

    public IPEndPoint Address => Endpoint.LocalAddresses[0];

    public void Admit(TestDevice other) => Door.Admitted[other.Identity.PublicKey] = true;

    public async Task<IMeshConnection> ConnectAsync(TestDevice other)
    {
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        return await Endpoint.ConnectAsync(other.Identity.PublicKey, [other.Address], limit.Token);
    }

    public async Task<IMeshConnection> AcceptAsync()
    {
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        return (await Endpoint.AcceptAsync(limit.Token))!;
    }

    public ValueTask DisposeAsync() => Endpoint.DisposeAsync();
}

/// <summary>Two devices that know each other.</summary>
internal sealed class EndpointPair : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public EndpointPair(MeshEndpointSettings? settings = null)
    {
        A = new TestDevice(settings: settings);
        B = new TestDevice(settings: settings);
        A.Admit(B);
        B.Admit(A);
    }

    public TestDevice A { get; }

    public TestDevice B { get; }

    public async Task<(IMeshConnection OfA, IMeshConnection OfB)> ConnectAsync()
    {
        IMeshConnection ofA = await A.ConnectAsync(B);
        return (ofA, await B.AcceptAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
    }
}

internal static class StreamReading
{
    public static async Task<byte[]> ReadToEndAsync(this IMeshStream stream)
    {
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        using var all = new MemoryStream();
        byte[] piece = new byte[64 * 1024];
        for (int read = await stream.ReadAsync(piece, limit.Token); read > 0; read = await stream.ReadAsync(piece, limit.Token))
        {
            all.Write(piece, 0, read);
        }

        return all.ToArray();
    }
}
