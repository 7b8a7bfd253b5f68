using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Beacon.Tests;

/// <summary>Devices that know nothing of each other but a code and a real beacon on loopback.</summary>
public sealed class CodePairingTests
{
    [Fact]
    public async Task A_code_becomes_a_connection_over_the_beacon()
    {
        await using var beacon = new TestBeacon();
        await using var host = new Stranger(beacon.Place);
        await using var guest = new Stranger(beacon.Place);
        await host.RegisteredAsync();
        PairingCode code = await host.InviteAsync();
        Assert.Equal([beacon.Place.Name], host.Codes.WaysOf(code));

        using var limit = new CancellationTokenSource(TestDevice.Patience);
        Invitation found = await guest.Codes.FindAsync(code.ToString(), null, limit.Token);
        Assert.Equal(("stranger", host.Key), (found.InviterName, found.Key));
        guest.Meet(found.Secret.Meeting);
        await Wait.UntilAsync(() => guest.Endpoint.Relays.To(host.Id).Count > 0, "the beacon makes a channel");
        MeshConnection mine = await guest.Endpoint.JoinAsync(found with { Addresses = [guest.Endpoint.Relays.To(host.Id)[0].Address] }, limit.Token);
        var theirs = (MeshConnection)(await host.Endpoint.AcceptAsync(limit.Token))!;

        Assert.Equal(guest.Id, theirs.RemoteId);
        Assert.Equal(mine.ComputeCheckDigits(), theirs.ComputeCheckDigits());
        CodeCounters codes = beacon.Server.Counters.Codes;
        Assert.True(codes is { Places: 1, Calls: 1, Limited: 0, Messages: >= 6 }, codes.ToString());
    }

    [Fact]
    public async Task A_code_leads_on_after_the_beacon_has_forgotten_everything()
    {
        await using var beacon = new TestBeacon();
        await using var host = new Stranger(beacon.Place);
        await host.RegisteredAsync();
        PairingCode code = await host.InviteAsync();
        await beacon.RestartAsync();
        await Wait.UntilAsync(() => beacon.Server.Counters.Codes.Places == 1, "the host has named its code again");
        await using var guest = new Stranger(beacon.Place);

        using var limit = new CancellationTokenSource(TestDevice.Patience);
        Assert.Equal(host.Key, (await guest.Codes.FindAsync(code.ToString(), null, limit.Token)).Key);
    }

    [Fact]
    public async Task A_wrong_code_is_burnt_at_the_other_end_of_the_beacon()
    {
        await using var beacon = new TestBeacon();
        await using var host = new Stranger(beacon.Place);
        await using var guest = new Stranger(beacon.Place);
        await host.RegisteredAsync();
        string code = (await host.InviteAsync()).ToString(), wrong = code[..^1] + (code[^1] == '0' ? '1' : '0');

        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => guest.Codes.FindAsync(wrong, null, CancellationToken.None).WaitAsync(TestDevice.Patience));
        Assert.Equal(TransportErrors.CodeWrong, refused.Code);
        Assert.Contains("the beacon " + beacon.Place.Name, refused.Message, StringComparison.Ordinal);
        MeshException burnt = await Assert.ThrowsAsync<MeshException>(() => guest.Codes.FindAsync(code, null, CancellationToken.None).WaitAsync(TestDevice.Patience));
        Assert.Equal(TransportErrors.CodeOver, burnt.Code);
    }

    /// <summary>A device that admits nobody but by invitation.</summary>
    private sealed class Stranger : IAdmission, IAsyncDisposable
    {
        private readonly DeviceIdentity _identity = DeviceIdentity.Create(SystemEntropy.Instance);
        private readonly InvitationBook _book = new();
        private readonly List<UInt128> _meetings = [];
        private readonly BeaconClient _client;

        public Stranger(BeaconAddress beacon)
        {
            Endpoint = MeshEndpoint.Open(_identity, this, new InitiationStamps(0, null), new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] }, SystemEntropy.Instance, TimeProvider.System);
            _client = new BeaconClient(Endpoint, beacon, () => [], Meetings, new BeaconClientSettings(), NameLookup.WithoutMemory, TimeProvider.System);
            Codes = new CodePairing(Endpoint, null, _identity, "stranger", _book);
            Codes.AddWay(_client.Codes);
            Codes.Proven += _client.Refresh;
            _client.Start();
        }

        public MeshEndpoint Endpoint { get; }

        public CodePairing Codes { get; }

        public DeviceId Id => _identity.Id;

        public DevicePublicKey Key => _identity.PublicKey;

        public Task RegisteredAsync() => Wait.UntilAsync(() => _client.IsRegistered, "the beacon takes the device in");

        public void Meet(UInt128 meeting)
        {
            lock (_meetings)
            {
                _meetings.Add(meeting);
            }

            _client.Refresh();
        }

        public Task<PairingCode> InviteAsync() => Codes.OfferAsync(_book.Create(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(10), SystemEntropy.Instance).Id, CancellationToken.None);

        public bool IsAdmitted(DevicePublicKey key) => false;

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => _book.Find(id, now);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => _book.TryTake(id, by, now);

        public async ValueTask DisposeAsync()
        {
            await Codes.DisposeAsync();
            await _client.DisposeAsync();
            await Endpoint.DisposeAsync();
        }

        private UInt128[] Meetings()
        {
            lock (_meetings)
            {
                return [.. _meetings, .. _book.Records.Select(record => record.Secret.Meeting)];
            }
        }
    }
}
