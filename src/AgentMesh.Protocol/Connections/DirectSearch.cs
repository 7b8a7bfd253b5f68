using System.Net;

namespace AgentMesh.Protocol.Connections;

/// <summary>Where the owner of a <see cref="Connection"/> has it look for direct paths.</summary>
internal sealed class DirectSearch(Closing closing, Whereabouts where, PathProber prober)
{
    /// <summary>Looks at these addresses, from <paramref name="at"/> on. What is within this machine stays there.</summary>
    public void Probe(IEnumerable<IPEndPoint> candidates, TimeSpan at)
    {
        if (closing.IsOpen && !IPAddress.IsLoopback(where.Remote.Address))
        {
            prober.Begin(candidates, at);
        }
    }

    /// <summary>As <see cref="Probe"/>, at addresses that no device named: those of a beacon in the settings of this device.</summary>
    public void ProbeOwn(IEnumerable<IPEndPoint> addresses, TimeSpan at)
    {
        if (closing.IsOpen && where.IsRelayed)
        {
            prober.BeginOwn(addresses, at);
        }
    }

    /// <summary>Tries these addresses in this order, 100 a second, if a relay is in use: see <see cref="PortGuesser"/>.</summary>
    public void Guess(IEnumerable<IPEndPoint> targets, TimeSpan at)
    {
        if (closing.IsOpen && where.IsRelayed)
        {
            prober.Guesser.Begin(targets, at);
        }
    }
}
