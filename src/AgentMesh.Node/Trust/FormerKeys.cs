using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Trust;

/// <summary>
/// Tells whoever comes with a key that another one claims to succeed. It gets through the handshake, over a connection that stands aside: under an id of its own, so that it takes the place of no other one, none of its
/// streams is served, and all that is said on it is the proof. It is closed when the other side says that it knows, or after <see cref="TellWithin"/>. Thread-safe.
/// </summary>
internal sealed class FormerKeys(IAdmission policy, Func<bool> takesConnections, DeviceRegistry registry, TimeProvider time, ILogger log) : IAdmission, IAsyncDisposable
{
    public static readonly TimeSpan TellWithin = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Until a key is let in again: this, and twice as long each time. Also where the other side has said that it knows: several have this key, and the first to come is often the one who has the next key too.
    /// </summary>
    public static readonly TimeSpan AgainMin = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan AgainMax = TimeSpan.FromMinutes(10);

    /// <summary>Where it has not come for so long, the waits begin anew.</summary>
    public static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(1);

    private const int AtOnceMax = 8;

    // Beacons take 1,024 names of a device, and those that are in come first.
    private const int MeetMax = 64;
    private const int RememberedMax = 1_000;
    private const int FramesReadMax = 32;
    private const string Reason = "another key claims to speak for this device";

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<DeviceId, Told> _told = [];
    private readonly HashSet<IMeshConnection> _telling = [];
    private Task _all = Task.CompletedTask;

    public bool IsAdmitted(DevicePublicKey key) => policy.IsAdmitted(key) || MayBeTold(key.Id);

    public DeviceId DeviceOf(DeviceId keyId) => policy.DeviceOf(keyId);

    /// <summary>For a key that does not count, an id that no device has: that of its first key is the id of the device, for which another key speaks by now.</summary>
    public DeviceId ListedAs(DeviceId keyId) => registry.ClaimsAgainst(keyId).Count > 0 ? Aside(keyId) : policy.ListedAs(keyId);

    /// <summary>The keys to be met at beacons so that whoever has one is told: all that another one claims to succeed, as far as there is room.</summary>
    public static IEnumerable<DeviceId> ToMeet(DeviceRegistry registry) => registry.OutOfUse.Take(MeetMax);

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => policy.FindInvitation(id, now);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => policy.TryTakeInvitation(id, by, now);

    /// <summary>Whether a connection that came in is one of these; then it is told, and closed.</summary>
    public bool TryTake(IMeshConnection connection)
    {
        DeviceId keyId = connection.RemoteKey.Id;
        if (connection.IsInitiator || policy.IsAdmitted(connection.RemoteKey) || connection is MeshConnection { Invitation.IsNone: false } || registry.ClaimsAgainst(keyId) is not { Count: > 0 } claims)
        {
            return false;
        }

        lock (_gate)
        {
            bool isToTell = MayBeTold(keyId) && !_stop.IsCancellationRequested;
            Remember(keyId);
            _telling.Add(connection);
            Task before = _all.IsCompleted ? Task.CompletedTask : _all;
            _all = Task.WhenAll(before, Task.Run(() => isToTell ? TellAsync(connection, claims) : EndAsync(connection)));
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        Task all;
        await _stop.CancelAsync().ConfigureAwait(false);
        lock (_gate)
        {
            all = _all;
        }

        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    internal static DeviceId Aside(DeviceId keyId) => DeviceId.Of(new DevicePublicKey(SHA256.HashData(Encoding.ASCII.GetBytes($"agentmesh-aside-1 {keyId}"))));

    private bool MayBeTold(DeviceId keyId)
    {
        if (!takesConnections() || registry.ClaimsAgainst(keyId).Count == 0)
        {
            return false;
        }

        lock (_gate)
        {
            return _telling.Count < AtOnceMax && (_told.TryGetValue(keyId, out Told told) ? time.GetElapsedTime(told.At) >= told.Again : _told.Count < RememberedMax);
        }
    }

    private void Remember(DeviceId keyId)
    {
        TimeSpan again = _told.TryGetValue(keyId, out Told before) && time.GetElapsedTime(before.At) < ForgottenAfter ? TimeSpan.FromTicks(Math.Min(AgainMax.Ticks, before.Again.Ticks * 2)) : AgainMin;
        _told[keyId] = new Told(time.GetTimestamp(), again);
    }

    private async Task TellAsync(IMeshConnection connection, IReadOnlyList<KeyClaim> claims)
    {
        bool isKnown = false;
        using var late = new CancellationTokenSource(TellWithin, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, late.Token);
        try
        {
            await using IMeshStream stream = await ConnectionHub.OpenAsync(connection, LinkService.Service, StreamPriority.Control, over.Token).ConfigureAwait(false);
            var entries = new RegistryEntries();
            entries.Entries.Add(claims.Select(claim => ByteString.CopyFrom(claim.Entry)));
            await LinkFrames.WriteAsync(stream, new Frame { RegistryEntries = entries }, over.Token).ConfigureAwait(false);
            for (int read = 0; read < FramesReadMax && !isKnown && await LinkFrames.ReadAsync(stream, over.Token).ConfigureAwait(false) is { } said; read++)
            {
                isKnown = said.ContentCase == Frame.ContentOneofCase.RegistryHeads && LinkContent.Of(said.RegistryHeads) is { } heads && claims.Any(claim => heads.GetValueOrDefault(claim.KeyId) > 0);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or Errors.MeshException)
        {
            // It is gone, or is of a version that does not answer.
        }

        Log.ToldOfKey(log, TrustService.Fingerprint(connection.RemoteKey), isKnown ? "it knows" : "no answer");
        await EndAsync(connection).ConfigureAwait(false);
    }

    private async Task EndAsync(IMeshConnection connection)
    {
        await connection.CloseAsync(0, Reason).ConfigureAwait(false);
        lock (_gate)
        {
            _telling.Remove(connection);
        }
    }

    /// <param name="At">A timestamp of the time provider.</param>
    private readonly record struct Told(long At, TimeSpan Again);
}
