using System.Net;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Knows of addresses at which this device may be reached: an interface watcher, a beacon that sees the device, a STUN server, a port that a router has opened.
/// Given to <see cref="CandidateList.Add"/>.
/// </summary>
internal interface ICandidateSource
{
    CandidateKind Kind { get; }

    /// <summary>The best first; empty while nothing is known. Never waits; may be read from any thread.</summary>
    IReadOnlyList<IPEndPoint> Current { get; }

    /// <summary><see cref="Current"/> is different from what it was. Raised on any thread, after the change.</summary>
    event Action? Changed;
}
