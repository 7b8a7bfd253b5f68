using System.Net;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Workers.Handlers;

namespace AgentMesh.Node.Links;

/// <summary>What this device says of itself on each link.</summary>
internal sealed class OwnHello(NodeSettings settings, HandlerRegistry handlers, long life)
{
    private const int CapabilitiesMax = 64;

    /// <param name="addresses">Where it can be spoken to.</param>
    /// <param name="turn">Null as long as the node starts.</param>
    public Hello Now(IReadOnlyList<IPEndPoint> addresses, CandidateList candidates, TurnService? turn)
    {
        var hello = new Hello
        {
            Version = 1,
            Name = settings.DeviceName,
            Platform = DeviceNames.Platform,
            HostName = Environment.MachineName,
            ProductVersion = NodeServices.Version,
            Life = life,
        };
        hello.Addresses.AddRange(addresses.Select(address => address.ToString()));
        hello.Relayed.AddRange(LinkContent.Of(turn?.Places ?? []));
        hello.Seen.AddRange(candidates.Of(CandidateKind.Observed).Select(address => address.Address).Concat(turn?.SeenAt ?? []).Distinct().Take(AddressText.HostsMax).Select(address => address.ToString()));
        hello.Labels.AddRange(settings.Labels);
        hello.Capabilities.AddRange(handlers.All.Select(handler => handler.Name).Take(CapabilitiesMax));
        return hello;
    }
}
