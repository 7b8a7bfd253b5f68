using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>The address that a TURN server has given, for how long, and when to ask for more time. Not thread-safe.</summary>
internal sealed class TurnLease(TurnSettings settings)
{
    private static readonly TimeSpan RefreshMin = TimeSpan.FromSeconds(1);

    /// <inheritdoc cref="TurnAllocation.Relayed"/>
    public IPEndPoint? Relayed { get; private set; }

    /// <inheritdoc cref="TurnAllocation.Mapped"/>
    public IPEndPoint? Mapped { get; private set; }

    /// <inheritdoc cref="TurnAllocation.EndsAt"/>
    public TimeSpan EndsAt { get; private set; }

    public TimeSpan RefreshAt { get; private set; }

    /// <summary>The NAT before this device takes back ports that are not used for longer than this: refreshed sooner then, from the next refresh on. Null where nothing is known of it.</summary>
    public TimeSpan? PortSilence { get; set; }

    /// <returns>False where a proven answer names no address.</returns>
    public bool TryTake(in StunMessage message, TimeSpan now)
    {
        if (!message.TryGetXor(StunAttribute.XorRelayedAddress, out IPEndPoint? relayed) || relayed.Port == 0 || !GatewayAddresses.IsUsable(relayed.Address))
        {
            return false;
        }

        Relayed = relayed;
        Mapped = message.TryGetMapped(out IPEndPoint? mapped) && mapped.Port != 0 && GatewayAddresses.IsUsable(mapped.Address) ? mapped : null;
        Refreshed(message, now);
        return true;
    }

    public void Refreshed(in StunMessage message, TimeSpan now)
    {
        TimeSpan lifetime = message.TryGet(StunAttribute.Lifetime, out uint seconds) ? TimeSpan.FromSeconds(Math.Min(seconds, 3600)) : settings.Lifetime;
        EndsAt = now + lifetime;
        TimeSpan every = lifetime / 2 < settings.RefreshEvery && lifetime > TimeSpan.FromSeconds(2) ? lifetime / 2 : settings.RefreshEvery;
        RefreshAt = now + (PortSilence * 3 / 4 is { } kept && kept < every ? kept > RefreshMin ? kept : RefreshMin : every);
    }

    public void Lose() => Relayed = null;
}
