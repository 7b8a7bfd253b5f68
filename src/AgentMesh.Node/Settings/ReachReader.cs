using AgentMesh.Transport.Gateways;

namespace AgentMesh.Node.Settings;

/// <summary>Settings of gateways and standard servers.</summary>
internal static class ReachReader
{
    private static readonly TimeSpan LifetimeMin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromDays(7);

    public static GatewaySettings? Gateway(SettingsReader read)
    {
        bool isOn = read.OneOf("gateway.mode", "auto", "off") == "auto";
        string[] protocols = [.. read.List("gateway.protocols").Select(name => name.ToLowerInvariant()).Distinct()];
        if (Array.Find(protocols, name => !GatewaySettings.AllProtocols.Contains(name)) is { } unknown)
        {
            throw read.Wrong("gateway.protocols", unknown, $"one of {string.Join(", ", GatewaySettings.AllProtocols)}");
        }

        TimeSpan lifetime = read.Time("gateway.lifetime"), check = read.Time("gateway.check");
        if (lifetime < LifetimeMin || lifetime > LifetimeMax)
        {
            throw read.Wrong("gateway.lifetime", read.Text("gateway.lifetime"), "a duration from 10s to 7d");
        }

        return isOn && protocols.Length > 0 ? new GatewaySettings(protocols, lifetime, check >= TimeSpan.FromSeconds(1) ? check : throw read.Wrong("gateway.check", read.Text("gateway.check"), "at least 1s")) : null;
    }
}
