using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Transport;

namespace AgentMesh.Beacon.Tests;

/// <summary>A program with the key of a beacon that answers nonsense: the device says so with a code, uses nothing of it, and keeps what it had.</summary>
public sealed class MalformedAnswerTests
{
    public static TheoryData<string, byte[]> Answers => new()
    {
        { "no frame at all", [0xff, 0xff, 1, 2, 3] },
        { "longer than any frame", [.. Length(BeaconFrame.BodyBytesMax + 1), 0] },
        { "an empty frame", Length(0) },
        { "a welcome without an address", [.. Length(1), (byte)BeaconFrameType.Welcome] },
        { "a channel that is cut short", [.. Length(3), (byte)BeaconFrameType.Channel, 1, 2] },
        { "a hello of another version", [.. Length(4), (byte)BeaconFrameType.Hello, 0xee, 0, 0] },
        { "an address that is cut short", [.. Length(9), (byte)BeaconFrameType.Observed, 1, 2, 3, 4, 5, 6, 7, 8] },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Gives_a_code_and_the_next_step_and_opens_nothing(string what, byte[] answer)
    {
        using var limit = new CancellationTokenSource(TestDevice.Patience);
        var identity = DeviceIdentity.Create(SystemEntropy.Instance);
        await using MeshEndpoint liar = MeshEndpoint.Open(
            identity, new Everybody(), new InitiationStamps(0, null), new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] }, SystemEntropy.Instance, TimeProvider.System);
        var place = new BeaconAddress("127.0.0.1", liar.Sockets[0].Local.Port, identity.PublicKey) { WebSocket = null };
        await using var device = new TestDevice(place);
        device.Client.Start();

        IMeshConnection connection = (await liar.AcceptAsync(limit.Token))!;
        IMeshStream stream = (await connection.AcceptStreamAsync(limit.Token))!;
        Assert.True(await BeaconStream.TryReadHeaderAsync(stream, limit.Token), what);
        await stream.WriteAsync(answer, limit.Token);

        await Wait.UntilAsync(() => device.Client.Problem is not null, $"{what}: the answer is refused");
        Assert.Equal("AM0174", device.Client.Problem!.Code);
        Assert.Contains(place.Name, device.Client.Problem.Message, StringComparison.Ordinal);
        Assert.NotNull(device.Client.Problem.NextStep);
        Assert.False(device.Client.IsRegistered);
        Assert.Null(device.Client.Observed);
        Assert.Empty(device.Endpoint.Relays.To(device.Id));
    }

    private static byte[] Length(int bytes) => [(byte)(bytes >> 8), (byte)bytes];

    private sealed class Everybody : IAdmission
    {
        public bool IsAdmitted(DevicePublicKey key) => true;

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;
    }
}
